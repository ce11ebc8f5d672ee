"""The bench makes files with the counts it says they have, sees counts that differ, and sums up costs as by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "scale"))

import agreement
import peers
import tables
from cohorts import STRATA, TRUTH, Cohort, write_cohort

PEOPLE, SITES, BASES = 300, 60, 5_000


def haplotypes() -> list[tuple[int, np.ndarray]]:
    """Sites with one, two or three ALT alleles; one that nobody carries, and one in the last bases."""
    rng = np.random.default_rng(5)
    found = [(int(p), rng.choice(4, 2 * PEOPLE, p=(0.7, 0.2, 0.08, 0.02)).astype(np.int8)) for p in range(7, 4_800, 80)]
    found += [(int(p), rng.choice(2, 2 * PEOPLE, p=(0.97, 0.03)).astype(np.int8)) for p in range(30, 4_800, 80)]
    found += [(4_850, np.zeros(2 * PEOPLE, np.int8)), (BASES - 1, found[-1][1])]
    return sorted(found, key=lambda site: site[0])


@pytest.fixture(scope="module", params=[False, True], ids=["genotypes", "joint"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort(folder, Cohort("tiny", PEOPLE, BASES, seed=3, joint=request.param), haplotypes())
    return folder


def is_joint(made: Path) -> bool:
    return "FORMAT=<ID=PL" in (made / "cohort.vcf").read_text()


def test_truth_is_what_the_file_says(made: Path) -> None:
    labels = dict(line.split("\t") for line in (made / "groups.tsv").read_text().splitlines())
    expected: dict[tuple[int, str, str, str], dict[str, int]] = {}
    with pysam.VariantFile(str(made / "cohort.vcf")) as file:
        assert list(file.header.samples) == list(labels)
        for record in file:
            for number, alt in enumerate(record.alts or (), start=1):
                cells = {stratum: dict.fromkeys(TRUTH, 0) for stratum in STRATA}
                for name, call in record.samples.items():
                    genotype, cell = call["GT"], cells[labels[name]]
                    known, copies = [a for a in genotype if a is not None], genotype.count(number)
                    cell["n_dip"] += len(known) == 2
                    cell["n_het"] += len(known) == 2 and copies == 1
                    cell["n_homalt"] += copies == 2
                    cell["half_alleles"] += len(known) == 1
                    cell["half_alt"] += len(known) == 1 and copies == 1
                expected |= {(record.pos, record.ref, alt, stratum): cell for stratum, cell in cells.items()}
    truth = pl.read_parquet(made / "truth.parquet")
    found = {tuple(row[:4]): dict(zip(TRUTH, row[4:], strict=True)) for row in truth.iter_rows()}
    assert found == expected
    assert (truth["half_alleles"].sum() > 0) is is_joint(made)


def test_carriers_are_those_of_the_haplotypes(tmp_path: Path) -> None:
    write_cohort(tmp_path, Cohort("tiny", PEOPLE, BASES, seed=4), haplotypes())
    truth = pl.read_parquet(tmp_path / "truth.parquet")
    found = truth.group_by("pos").agg((pl.col("n_het") + 2 * pl.col("n_homalt")).sum().alias("carried")).sort("pos")
    expected = [(p + 1, int((alleles > 0).sum())) for p, alleles in haplotypes() if alleles.any()]
    assert list(found.iter_rows()) == expected


def test_records_fit_their_reference_and_one_another(made: Path) -> None:
    kinds = set()
    with pysam.VariantFile(str(made / "cohort.vcf")) as file, pysam.FastaFile(str(made / "reference.fa")) as reference:
        for record in file:
            alts = record.alts or ()
            assert record.ref == reference.fetch("chr22", record.start, record.start + len(record.ref))
            assert len({record.ref, *alts}) == len(alts) + 1
            kinds |= {len(record.ref) - len(alt) for alt in alts}
            for call in record.samples.values():
                if "PL" in record.format and call["PL"][0] is not None and None not in call["GT"]:
                    a, b = sorted(call["GT"])
                    assert call["PL"][b * (b + 1) // 2 + a] == 0
                    assert sum(call["AD"]) == call["DP"]
    assert kinds >= ({-1, 0, 1} if is_joint(made) else {0})


def test_the_same_seed_makes_the_same_bytes(made: Path, tmp_path: Path) -> None:
    write_cohort(tmp_path, Cohort("tiny", PEOPLE, BASES, seed=3, joint=is_joint(made)), haplotypes())
    for name in ("cohort.vcf", "reference.fa", "samples.tsv", "strata.tsv"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()


def test_one_number_more_and_one_row_less_are_seen(made: Path) -> None:
    truth = pl.read_parquet(made / "truth.parquet")
    assert agreement.with_truth(truth, truth).different == 0
    more = truth.with_columns(pl.col("n_het") + (pl.int_range(pl.len()) == 17))
    assert agreement.with_truth(more, truth).different == 1
    assert agreement.with_truth(truth[1:], truth).different == 3


def test_p_values_differ_beyond_what_bcftools_prints(made: Path) -> None:
    truth = pl.read_parquet(made / "truth.parquet")
    ours = truth.with_columns(HWE=pl.lit(0.25))
    cells = agreement.hwe_with_bcftools(ours, truth, truth.with_columns(HWE=pl.lit("0.250001")))
    assert (cells.different, cells.numbers > 0) == (0, True)
    wrong = agreement.hwe_with_bcftools(ours, truth, truth.with_columns(HWE=pl.lit("0.25001")))
    absent = agreement.hwe_with_bcftools(ours, truth, truth.with_columns(HWE=pl.lit(".")))
    assert wrong.different == absent.different == cells.numbers


def test_two_alt_genotypes_of_plink2_come_in_the_order_of_pl() -> None:
    # two ALT: 0/0 5 people; 0/1 3, 0/2 2; 1/1 1, 1/2 4, 2/2 6
    found = agreement._plink2_alts("C,G", "5", "3,2", "1,4,6")
    assert found == [("C", (21, 7, 1)), ("G", (21, 6, 6))]


def test_the_cost_of_a_command_holds_its_children_and_not_its_parent(tmp_path: Path) -> None:
    small = peers.run(["bash", "-c", "true"], tmp_path / "log")
    assert small.peak_mb < 40  # this process is far larger
    eat = f"{sys.executable} -S -c 'b = bytearray(300 << 20)' | cat"
    assert peers.run(["bash", "-c", eat], tmp_path / "log").peak_mb > 300
    orphan = f"({sys.executable} -S -c 'import time; time.sleep(0.3); sum(range(20_000_000))' &) ; true"
    assert peers.run(["bash", "-c", orphan], tmp_path / "log").cpu_s > 0.1
    with pytest.raises(SystemExit, match="exit code 3"):
        peers.run(["bash", "-c", "exit 3"], tmp_path / "log")


def test_ratios_are_medians_over_the_turns_and_the_core_is_a_difference() -> None:
    def costs(file: str, tool: str, *seconds: float) -> list[dict[str, object]]:
        return [{"file": file, "tool": tool, "turn": i, "cpu_s": s} for i, s in enumerate(seconds)]

    results = {
        "costs": [
            *costs("joint/cohort.bcf", "tessera", 2.0, 4.0, 2.0),
            *costs("joint/cohort.bcf", "plink2", 4.0, 4.0, 10.0),
            *costs("joint/10-people-all-records/cohort.bcf", "tessera", 1.0),
            *costs("joint/1000-people-1-records/cohort.bcf", "tessera", 0.5),
        ],
        "inflations": [
            {"file": "joint/1000-people-1-records/cohort.bcf", "cpu_s": 0.0},
            {"file": "joint/10-people-all-records/cohort.bcf", "cpu_s": 0.2},
            {"file": "joint/cohort.bcf", "cpu_s": 1.0},
        ],
    }
    assert tables.ratio(results, "joint/cohort.bcf", "plink2") == 2.0
    assert tables.ratio(results, "joint/cohort.bcf", "absent") is None
    assert tables.core_ratios(results, "joint/cohort.bcf") == pytest.approx([1.0 / 0.8, 1.5])


def test_what_genotypes_alone_spare_is_told_above_one_record() -> None:
    one = "many-joint/100000-people-1-records/cohort.bcf"
    costs = [
        (tables.MANY, "tessera", 3.0),
        (tables.MANY, tables.GENOTYPES_ONLY, 1.1),
        (one, tables.GENOTYPES_ONLY, 1.0),
    ]
    results = {
        "costs": [{"file": file, "tool": tool, "turn": 0, "cpu_s": seconds} for file, tool, seconds in costs],
        "inflations": [{"file": tables.MANY, "cpu_s": 0.6}, {"file": one, "cpu_s": 0.1}],
    }
    assert tables.inflation_spared(results) == pytest.approx(6.0)
    results["costs"][1]["cpu_s"] = 1.01
    assert tables.inflation_spared(results) is None


def test_a_core_within_the_noise_is_no_ratio() -> None:
    costs = [("joint/cohort.bcf", 1.0), ("joint/10-people-all-records/cohort.bcf", 0.99)]
    results = {
        "costs": [{"file": file, "tool": "tessera", "turn": 0, "cpu_s": seconds} for file, seconds in costs],
        "inflations": [{"file": file, "cpu_s": seconds / 10} for file, seconds in costs],
    }
    assert tables.core_ratios(results, "joint/cohort.bcf") == [None]


def test_the_page_changes_between_its_marks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results.json"
    page.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    results.write_text("{}")
    monkeypatch.setattr(tables, "markdown", lambda _: "new")
    monkeypatch.setattr(tables, "_write_figure", lambda *_: None)
    tables.write_page(results, page)
    assert page.read_text() == f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter\n"
