"""The synthetic nation from reads to the merged summary: right numbers, and nothing is made twice."""

import csv
import gzip
import json
import re
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import polars as pl
import pysam
import pytest

from nation import counts_of, files_of
from nation import run as tessera
from run_folder import ROOT, RunFolder
from tessera.schemas.samples import SEX_SPELLINGS, SEX_STRATA
from tessera.schemas.wgs_qc import METRICS


class Demo(RunFolder):
    """A run folder with the nation grown in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "nation/config.yaml")
        self.call([sys.executable, str(ROOT / "seeds" / "grow.py"), "nation"])

    def planned(self) -> Counter[str]:
        """The rules that a run would carry out now, and how often."""
        return self.made("--dry-run")

    @contextmanager
    def edited(self, file: str, old: str, new: str) -> Iterator[None]:
        """The nation with an edit in one of its files, for a while."""
        path = self.folder / "nation" / file
        text = path.read_text()
        try:
            path.write_text(text.replace(old, new))
            assert path.read_text() != text
            yield
        finally:
            path.write_text(text)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once."""
    run = Demo(tmp_path_factory.mktemp("demo"))
    run.snakemake()
    return run


def test_merged_equals_pooled_and_the_report_says_so(demo: Demo) -> None:
    report = json.loads(demo.read("federation/report.json"))
    assert report["comparisons"]["federation"]["numbers_compared"] > 1_000
    assert set(report["comparisons"]) == {"federation", *report["nodes"]}
    assert report["merged"]["counted"] == sum(node["counted"] for node in report["nodes"].values())
    assert "merged == pooled: yes" in demo.read("federation/report.txt").decode()


def text_of(path: Path) -> str:
    """Everything a file says, unpacked."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path).write_csv()
    if path.suffix in (".gz", ".tbi"):
        return gzip.decompress(path.read_bytes()).decode("latin-1")
    if path.name == "manifest.json":
        # the rules are prose of ours; one of the nation's people is called "per"
        return json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "rules"})
    return path.read_text()


def test_qc_sums_are_those_of_the_metrics_of_who_is_counted(demo: Demo) -> None:
    """Of alder reads and calls were measured, of birch and of cedar's cohort file calls."""
    everybody: dict[tuple[str, str], list[Decimal]] = {}
    numbers = {}
    for node in ("alder", "birch", "cedar"):
        decisions = demo.read(f"{node}/private/decisions.tsv").decode().splitlines()[1:]
        counted = {line.split("\t")[0] for line in decisions if line.split("\t")[1] == "true"}
        with (demo.folder / "nation" / f"{node}.tsv").open() as lines:
            sheet = {row["sample"]: row for row in csv.DictReader(lines, delimiter="\t")}
        own: dict[tuple[str, str], list[Decimal]] = {}
        for name in counted & {path.name.split(".")[0] for path in metrics_of(demo, node)}:
            sex = SEX_STRATA.get(SEX_SPELLINGS[sheet[name]["sex"].lower()], "U")
            document = json.loads(demo.read(f"{node}/private/qc/metrics/{name}.metrics.json"), parse_float=Decimal)
            for group in document["wgs_qc_metrics"].values():
                for metric, value in group.items():
                    if value is not None:
                        own.setdefault((f"{sheet[name]['population']}_{sex}", metric), []).append(Decimal(value))
        assert_sums(demo, node, own)
        numbers[node] = len({metric for _, metric in own})
        for key, of_people in own.items():
            everybody.setdefault(key, []).extend(of_people)
    # no panel tells contamination
    assert numbers == {"alder": 15, "birch": 7, "cedar": 7}
    assert_sums(demo, "federation", everybody)
    told = json.loads(demo.read("federation/report.json"))["merged"]["metrics"]
    for metric in METRICS:
        values = [value for (_, of), people in everybody.items() if of == metric for value in people]
        assert (metric in told) is bool(values)
        if values:
            expected = {"n": len(values), "mean": float(statistics.mean(values)), "sd": float(statistics.stdev(values))}
            assert told[metric] == pytest.approx(expected)


def metrics_of(demo: Demo, node: str) -> list[Path]:
    return list((demo.folder / "results" / node / "private" / "qc" / "metrics").glob("*.metrics.json"))


def assert_sums(demo: Demo, of: str, values: dict[tuple[str, str], list[Decimal]]) -> None:
    """The QC sums of a summary are those of these values: a metric times 10 to its decimals is a whole number."""
    file = demo.folder / "results" / of / "summary" / "qc_sums.json"
    strata = json.loads(file.read_text())["strata"] if values else {}
    assert file.exists() is bool(values)
    assert {(stratum, metric) for stratum, metrics in strata.items() for metric in metrics} == set(values)
    for (stratum, metric), of_people in values.items():
        found, whole = strata[stratum][metric], [value * 10 ** METRICS[metric].decimals for value in of_people]
        assert found["n"] == len(whole) == sum(found["bins"].values())
        assert (found["sum"], found["sum_squares"]) == (sum(whole), sum(value * value for value in whole))


def test_lanes_are_not_kept_and_crams_are(demo: Demo) -> None:
    alignments = demo.folder / "results" / "alder" / "private" / "alignments"
    assert not list(alignments.rglob("*.bam"))
    assert all(cram.read_bytes()[:6] == b"CRAM\x03\x00" for cram in alignments.glob("*.cram"))
    assert list(alignments.glob("*.cram"))


def test_headers_tell_the_aligner_and_no_path_nor_its_threads(demo: Demo) -> None:
    for cram in (demo.folder / "results" / "alder" / "private" / "alignments").glob("*.cram"):
        with pysam.AlignmentFile(str(cram), check_sq=False) as file:
            header = str(file.header)
        assert re.search(r"^@PG\t.*PN:minimap2\t.*VN:2", header, re.MULTILINE)
        assert not re.search(r"\t(UR|CL):", header)


def test_nothing_of_a_withdrawn_person_is_made(demo: Demo) -> None:
    rows = [line.split("\t") for line in demo.read("birch/private/decisions.tsv").decode().splitlines()]
    withdrawn = [sample for sample, _, reason in rows if reason == "withdrawn"]
    assert withdrawn
    made = [path.name for path in (demo.folder / "results").rglob("*")]
    assert not [name for name in made for sample in withdrawn if name.split(".")[0] == sample]


def test_no_name_of_a_person_is_in_what_may_leave(demo: Demo) -> None:
    decisions = [demo.read(f"{node}/private/decisions.tsv") for node in ("alder", "birch", "cedar")]
    names = {line.split("\t")[0] for table in decisions for line in table.decode().splitlines()[1:]}
    assert len(names) == 23
    results = demo.folder / "results"
    leaving = [*results.glob("*/summary/**/*"), *results.glob("federation/**/*")]
    for path in [path for path in leaving if path.is_file()]:
        assert not set(re.findall(r"[A-Za-z0-9]+", str(path.relative_to(results)))) & names, path
        assert not set(re.findall(r"[A-Za-z0-9]+", text_of(path))) & names, path


def test_three_nodes_exchange_files_alone_and_the_hub_gets_the_federation(demo: Demo, tmp_path: Path) -> None:
    """Each node in its own folder, with its own keys; between the folders only bundles and public keys are copied."""
    nodes, hub = ("alder", "birch", "cedar"), tmp_path / "hub"
    tessera("keys", "new", "--out", hub / "keys")
    for node in nodes:
        own = tmp_path / node
        tessera("keys", "new", "--out", own / "keys")
        shutil.copytree(demo.folder / "results" / node / "summary", own / "summary")
        shutil.copy(hub / "keys" / "crypt4gh.pub", own / "hub.pub")
        words = ["--sign", own / "keys" / "sign.sec", "--recipient", own / "hub.pub"]
        tessera("bundle", "pack", own / "summary", *words, "--out", own / f"{node}.tar.c4gh")
        shutil.copy(own / f"{node}.tar.c4gh", hub)
        shutil.copy(own / "keys" / "sign.pub", hub / f"{node}.pub")
    for node in nodes:
        words = ["--key", hub / "keys" / "crypt4gh.sec", "--signer", hub / f"{node}.pub"]
        tessera("bundle", "open", hub / f"{node}.tar.c4gh", *words, "--out", hub / node)
    tessera("merge", *(hub / node for node in nodes), "--out", hub / "merged")
    assert counts_of(hub / "merged") == files_of(demo.folder / "results" / "federation" / "summary")


def test_a_second_run_does_nothing(demo: Demo) -> None:
    assert "nothing to be done" in demo.snakemake().lower()


def test_a_missing_file_is_made_again_with_only_what_follows_and_the_result_is_the_same(demo: Demo) -> None:
    before = demo.read("federation/allele_frequencies.vcf.gz")
    (demo.folder / "results/alder/private/variants/ada.g.vcf.gz").unlink()
    made = demo.made()
    assert made["call_gvcf"] == made["measure_variants"] == made["count_alleles"] == 1
    assert made["sum_batch"] == made["sum_node"] == made["merge_nodes"] == made["export_vcf"] == 1
    assert not {"align_lane", "mark_duplicates", "measure_alignments", "count_cohort", "measure_cohort"} & set(made)
    assert demo.read("federation/allele_frequencies.vcf.gz") == before
    assert not demo.planned()


#: what follows from counts
SUMS = {"sum_batch", "sum_node", "verify_summary", "merge_nodes", "export_vcf", "write_report"}
SUMS |= {"check_node", "check_federation"}
DECISIONS = {"gate_samples"}
COUNTS = {"count_alleles", "count_cohort"}
CALL_METRICS = {"measure_variants", "measure_cohort", "write_metrics"}


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("build.yaml", "name: mini", "# a comment\nname: mini", set()),
        ("build.yaml", "name: mini", "name: other", {"measure_alignments", *CALL_METRICS, *DECISIONS, *COUNTS, *SUMS}),
        (
            "build.yaml",
            "[0, 6000]",
            "[0, 5900]",
            {"measure_alignments", "write_ploidy", "call_gvcf", *CALL_METRICS, *DECISIONS, *COUNTS, *SUMS},
        ),
        ("config.yaml", "mask: adj", "mask: none", {*CALL_METRICS, *DECISIONS, *COUNTS, *SUMS}),
        ("config.yaml", "- DUO:0000004\n", "", {*DECISIONS, *COUNTS, *SUMS}),
        ("cedar.tsv", "per\tXY\tXC\t1\t", "per\tXY\tXC\t7\t", set()),
    ],
    ids=["a comment in the build", "the build", "a PAR of the build", "the mask", "consent", "a batch of a cohort"],
)
def test_an_edit_makes_again_what_follows_from_it_and_nothing_else(
    demo: Demo, file: str, old: str, new: str, again: set[str]
) -> None:
    with demo.edited(file, old, new):
        assert set(demo.planned()) == again


def test_another_policy_decides_and_counts_everybody_again(demo: Demo) -> None:
    (demo.folder / "policy.yaml").write_text((ROOT / "config/policies/qc.yaml").read_text() + "# edited\n")
    with demo.edited("config.yaml", "config/policies/qc.yaml", "policy.yaml"):
        assert set(demo.planned()) == {*DECISIONS, *COUNTS, *SUMS}


def test_a_changed_karyotype_costs_one_person(demo: Demo) -> None:
    with demo.edited("birch.tsv", "iva\tXX\t", "iva\tNA\t"):
        assert demo.planned()["count_alleles"] == 1
