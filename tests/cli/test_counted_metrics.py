"""QC sums through the command line: who adds what, what adds up, what is shown, and what is refused."""

import hashlib
import json
import re
import statistics
from collections.abc import Callable, Collection
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from commands import Done, Tessera
from growing import PEOPLE, Growing, grown
from handmade import BUILD, sheet, vcf, write
from nation import files_of
from sent import Parts, manifest_of, put_manifest
from tessera.schemas.variant_metrics import VARIANT_METRICS
from tessera.schemas.wgs_qc import METRICS

#: what was measured of whom, as the files have it; of fin's reads nothing, of dan nothing at all
ALIGNMENTS: dict[str, dict[str, float | None]] = {
    "ann-1": {"mean_autosome_coverage": 30.02, "yield_bp_q30": 102984371235, "pct_autosomes_15x": 100.0},
    "ben-2": {"mean_autosome_coverage": 29.94, "yield_bp_q30": 98000000001, "pct_autosomes_15x": 95.9},
    "cat-3": {"mean_autosome_coverage": 15.0, "yield_bp_q30": None, "cross_contamination_rate": 0.0},
    "eva-5": {"mean_autosome_coverage": 130.55, "cross_contamination_rate": 0.0287},
}
CALLS: dict[str, dict[str, float]] = {
    "ann-1": {"count_snvs": 3906868, "ratio_transitions_transversions_snv": 1.96},
    "ben-2": {"count_snvs": 4100000, "ratio_transitions_transversions_snv": 2.01},
    "cat-3": {"count_snvs": 3500001},
    "fin-6": {"count_snvs": 12000000},
}
Sums = dict[tuple[str, str], list[Fraction]]


def stratum_of(name: str) -> str:
    sex, population = PEOPLE[name].split()
    return f"{population}_{ {'XX': 'F', 'XY': 'M'}.get(sex, 'U') }"


def values(names: Collection[str]) -> Sums:
    """Stratum and metric -> the values of these people, as written."""
    found: Sums = {}
    for name in PEOPLE:
        for metric, value in {**ALIGNMENTS.get(name, {}), **CALLS.get(name, {})}.items():
            if name in names and value is not None:
                found.setdefault((stratum_of(name), metric), []).append(Fraction(str(value)))
    return found


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """Everybody's gVCF, and the files with what was measured, each beside the calls."""
    growing = grown(tmp_path / "people", shared=False)
    for name, metrics in ALIGNMENTS.items():
        document = {"biosample": {"id": name}, "wgs_qc_metrics": {"aln_metrics": metrics}, "tessera": {"depth_x": 1.5}}
        write(growing.folder / f"{name}.json", json.dumps(document))
    for name, called in CALLS.items():
        row = {"sample": name, "call_rate": 0.9, "het_hom_ratio": 1.5, **called}
        cells = [str(row.get(column, "")) for column in VARIANT_METRICS.names]
        write(growing.folder / f"{name}.tsv", "\t".join(VARIANT_METRICS.names) + "\n" + "\t".join(cells) + "\n")
    return growing


def measured(growing: Growing) -> list[object]:
    """The options that give every file."""
    aligned = [word for name in ALIGNMENTS for word in ("--alignments", growing.folder / f"{name}.json")]
    return aligned + [word for name in CALLS for word in ("--variants", growing.folder / f"{name}.tsv")]


@pytest.fixture
def count(growing: Growing, tessera: Tessera, tmp_path: Path) -> Callable[..., Path]:
    """Count the gVCF of one of the people."""

    def count(name: str, *more: object, consent: str = "DUO:0000042") -> Path:
        out = tmp_path / "counted" / name
        done = tessera("count", "--input", growing.source(name), "--samples", growing.sheet([name], consent),
                       *growing.rules, *(more or measured(growing)), "--out", out)  # fmt: skip
        assert done.code == 0, done.err
        assert tessera("verify", out).code == 0
        return out

    return count


def done(done: Done) -> Done:
    assert done.code == 0, done.err
    return done


def sums_of(summary: Path) -> Any:
    file = summary / "qc_sums.json"
    return json.loads(file.read_text())["strata"] if file.exists() else {}


def assert_sums(summary: Path, expected: Sums) -> None:
    found = {(stratum, metric): one for stratum, of in sums_of(summary).items() for metric, one in of.items()}
    assert set(found) == set(expected)
    for (stratum, metric), of_people in expected.items():
        whole = [int(value * 10 ** METRICS[metric].decimals) for value in of_people]
        one = found[stratum, metric]
        assert (one["n"], one["sum"], one["sum_squares"]) == (len(whole), sum(whole), sum(v * v for v in whole))
        assert sum(one["bins"].values()) == len(whole)


def test_a_person_adds_what_was_measured_and_nothing_else(count: Callable[..., Path]) -> None:
    for name in PEOPLE:
        assert_sums(count(name), values([name]))
    assert not (count("dan-4") / "qc_sums.json").exists()
    assert sums_of(count("ann-1"))["EE_F"]["mean_autosome_coverage"] == {
        "n": 1, "sum": 3002, "sum_squares": 3002**2, "bins": {"30": 1}
    }  # fmt: skip
    # 100 % is in the last bin, and what is beyond the edges in one more
    assert sums_of(count("ann-1"))["EE_F"]["pct_autosomes_15x"]["bins"] == {"99": 1}
    assert sums_of(count("fin-6"))["EE_M"]["count_snvs"]["bins"] == {"100": 1}


def test_who_is_not_counted_adds_nothing(count: Callable[..., Path]) -> None:
    assert not (count("ann-1", consent="withdrawn") / "qc_sums.json").exists()


def test_metrics_change_no_table_and_without_them_no_byte(count: Callable[..., Path], growing: Growing) -> None:
    without = files_of(count("ann-1", "--workers", 1))
    with_metrics = files_of(count("ann-1"))
    assert set(with_metrics) - set(without) == {"qc_sums.json"}
    assert [name for name in without if without[name] != with_metrics[name]] == ["manifest.json"]
    told, plain = (json.loads(files["manifest.json"]) for files in (with_metrics, without))
    assert told["members"].pop("qc_sums.json") == hashlib.sha256(with_metrics["qc_sums.json"]).hexdigest()
    assert told == plain


def test_nodes_with_and_without_metrics_add_up_to_the_pooled_sums_and_come_apart(
    count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    each = {name: count(name) for name in PEOPLE}
    bare = count("ben-2", "--workers", 1)
    done(tessera("merge", *each.values(), "--out", tmp_path / "all"))
    known = [name for name in PEOPLE if name != "ben-2"]
    assert_sums(tmp_path / "all", values(known))
    done(tessera("merge", *(each[name] for name in known[:2]), "--out", tmp_path / "a"))
    done(tessera("merge", *(each[name] for name in known[2:]), bare, "--out", tmp_path / "b"))
    done(tessera("merge", tmp_path / "b", tmp_path / "a", "--out", tmp_path / "both"))
    assert files_of(tmp_path / "both") == files_of(tmp_path / "all")
    done(tessera("subtract", tmp_path / "all", tmp_path / "b", "--out", tmp_path / "rest"))
    assert files_of(tmp_path / "rest") == files_of(tmp_path / "a")
    assert tessera("verify", tmp_path / "all").code == 0


#: FILTER keeps one out, chrX another; ann has two ALTs of a record
COHORT = [
    "chr1 5 A C . . GT 0/1 1/1 1/1", "chr1 9 A G . . GT 0/1 0/1 1/1", "chr1 13 A G LowQual . GT 1/1 1/1 1/1",
    "chr1 17 A AT . . GT 0/1 1/1 0/0", "chr1 21 AT A . . GT 1/1 0/1 0/1", "chr1 25 A C,G . . GT 1/2 0/1 0/2",
    "chrX 90 A G . . GT 0/1 1 1/1",
]  # fmt: skip
#: of ann and cai, by hand: three SNVs each; ratios without a number below are none
OF_COHORT: Sums = {
    ("EE_F", metric): [Fraction(value) for value in numbers.split()]
    for metric, numbers in {
        "count_snvs": "3 3",
        "count_insertions": "1 0",
        "count_deletions": "1 1",
        "ratio_heterozygous_homzygous_snv": "1/2",
        "ratio_heterozygous_homzygous_indel": "1",
        "ratio_insertion_deletion": "1 0",
        "ratio_transitions_transversions_snv": "1 2",
    }.items()
}


def test_the_people_of_a_cohort_file_who_are_counted_add_theirs(tessera: Tessera, tmp_path: Path) -> None:
    people = {"ann": "XX EE", "ben": "XY EE", "cai": "XX EE"}
    how = ["--input", write(tmp_path / "cohort.vcf", vcf(list(people), COHORT)),
           "--samples", write(tmp_path / "samples.tsv", sheet(people)),
           "--build", write(tmp_path / "build.yaml", BUILD)]  # fmt: skip
    done(tessera("measure-variants", *how, "--out", tmp_path / "metrics.tsv"))
    decided = "sample\tcounted\treason\nann\ttrue\t\nben\tfalse\tqc:call_rate\ncai\ttrue\t\n"
    how += ["--assume-normalised", "--decisions", write(tmp_path / "decisions.tsv", decided)]
    done(tessera("count", *how, "--variants", tmp_path / "metrics.tsv", "--out", tmp_path / "summary"))
    done(tessera("verify", tmp_path / "summary"))
    assert_sums(tmp_path / "summary", OF_COHORT)


def test_somebody_taken_out_without_the_metrics_is_refused(
    count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    done(tessera("merge", count("ann-1"), count("cat-3"), "--out", tmp_path / "both"))
    bare = count("cat-3", "--workers", 1)
    refused = tessera("subtract", tmp_path / "both", bare, "--out", tmp_path / "rest")
    assert refused.code == 2
    assert "QC sums of LV_F mean_autosome_coverage" in refused.err
    assert "the same metrics as the people came in by" in refused.err
    assert not (tmp_path / "rest").exists()


def test_somebody_with_metrics_is_taken_out_of_a_sum_that_holds_none(
    count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    bare = [count(name, "--workers", 1).rename(tmp_path / name) for name in ("ann-1", "ben-2")]
    done(tessera("merge", *bare, "--out", tmp_path / "both"))
    done(tessera("subtract", tmp_path / "both", count("ben-2"), "--out", tmp_path / "rest"))
    assert files_of(tmp_path / "rest") == files_of(bare[0])


def shown(tessera: Tessera, *words: object) -> list[dict[str, str]]:
    header, *lines = (line.split("\t") for line in done(tessera("show", *words)).text.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def test_show_gives_mean_sd_and_histogram_of_everybody_and_of_groups(
    count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    done(tessera("merge", *(count(name) for name in PEOPLE), "--out", tmp_path / "all"))
    everybody: Sums = {}
    by_population: Sums = {}
    for (stratum, metric), of_people in values(PEOPLE).items():
        everybody.setdefault(("Total", metric), []).extend(of_people)
        by_population.setdefault((stratum[:2], metric), []).extend(of_people)
    for by, expected in (("", everybody), ("population", by_population), ("population,sex", values(PEOPLE))):
        rows = {(row["stratum"], row["metric"]): row for row in shown(tessera, tmp_path / "all", "--qc", "--by", by)}
        assert set(rows) == set(expected)
        for key, of_people in expected.items():
            assert int(rows[key]["n"]) == len(of_people)
            assert float(rows[key]["mean"]) == float(statistics.mean(of_people))
            sd = statistics.stdev(of_people) if len(of_people) > 1 else None
            assert rows[key]["sd"] == "" if sd is None else float(rows[key]["sd"]) == pytest.approx(sd, rel=1e-14)
    total = {row["metric"]: row for row in shown(tessera, tmp_path / "all", "--qc")}
    assert total["mean_autosome_coverage"]["histogram"] == "15.00:1 29.00:1 30.00:1 100.00:1"
    assert total["count_snvs"]["histogram"] == "3500000:1 3900000:1 4100000:1 10000000:1"
    assert total["cross_contamination_rate"]["histogram"] == "0.0000:1 0.0250:1"
    # in the standard's order
    assert list(total) == [name for name in METRICS if name in total]


def test_show_of_a_summary_without_them_has_a_header_alone(count: Callable[..., Path], tessera: Tessera) -> None:
    assert shown(tessera, count("dan-4"), "--qc") == []
    refused = tessera("show", count("dan-4"), "--qc", "--statistics")
    assert (refused.code, "about variants" in refused.err) == (2, True)


def test_impossible_measurements_are_refused_all_at_once(growing: Growing, tessera: Tessera, tmp_path: Path) -> None:
    sheet = growing.sheet(["ann-1"])
    document = json.loads((growing.folder / "ann-1.json").read_text())
    for name, value in (("pct_autosomes_15x", 100.5), ("mean_autosome_coverage", -1), ("yield_bp_q30", 1e300)):
        document["wgs_qc_metrics"]["aln_metrics"] = {name: value}
        odd = write(tmp_path / "odd.json", json.dumps(document))
        refused = tessera("count", "--input", growing.source("ann-1"), "--samples", sheet, *growing.rules,
                          "--alignments", odd, "--out", tmp_path / "out")  # fmt: skip
        assert refused.code == 2
        assert re.search(f"sample ann-1: {name} is .*; expected a number from 0 to ", refused.err), refused.err
        assert not (tmp_path / "out").exists()


def changed(summary: Path, change: Callable[[str], str]) -> Path:
    """A summary whose QC sums say something else, all digests right."""
    file = summary / "qc_sums.json"
    text = file.read_text()
    file.write_text(change(text))
    assert file.read_text() != text
    put_manifest(summary, manifest_of(summary))
    return summary


WRITTEN = "qc_sums.json is not written as tessera count writes it"
ODD: dict[str, tuple[Callable[[str], str], str]] = {
    "a name": (lambda text: text.replace("EE_F", "ann_F"), "QC sums of ann_F .*: a stratum nobody is counted in"),
    "a metric": (lambda text: text.replace("count_snvs", "ann_smith"), "EE_F ann_smith: .*an unknown metric"),
    "a key": (lambda text: text.replace('"n": 1', '"n": 1,\n    "sample": "ann"', 1), WRITTEN),
    "blanks": (lambda text: text.replace("{\n", "{ \t\n", 1), WRITTEN),
    "a true one": (lambda text: text.replace('"n": 1', '"n": true', 1), WRITTEN),
    "a broken number": (lambda text: text.replace('"n": 1', '"n": 1.0', 1), WRITTEN),
    "a key twice": (lambda text: text.replace('"n": 1', '"n": 7,\n    "n": 1', 1), WRITTEN),
    "another version": (lambda text: text.replace('"schema": 1', '"schema": 2'), "of another version than 1"),
    "nothing": (lambda text: json.dumps(json.loads(text) | {"strata": {}}, indent=1) + "\n", WRITTEN),
    "no JSON": (lambda text: text[:-3], WRITTEN),
    "more people": (lambda text: text.replace('"n": 1', '"n": 2', 1), "2 people measured, 1 counted"),
    "a bin": (lambda text: text.replace('"30": 1', '"101": 1'), "bins that are not those of its people"),
    "another bin": (lambda text: text.replace('"30": 1', '"31": 1'), "a sum that is none of its bins"),
    "squares": (lambda text: text.replace("9012004", "9012003"), "a sum of squares that is too low for its sum"),
    "more squares": (lambda text: text.replace("9012004", "9012006"), "a sum of squares that does not go with its sum"),
    "a long number": (
        lambda text: text.replace('"sum": 102984371235', f'"sum": {"7" * 400}'), "a sum that is none of its bins",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_what_no_people_could_give_is_refused_by_whoever_reads_it(
    what: str, count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    change, said = ODD[what]
    summary, other = changed(count("ann-1"), change), count("cat-3")
    keys = tmp_path / "keys"
    done(tessera("keys", "new", "--out", keys))
    commands = {
        "verify": [summary],
        "show": [summary, "--qc"],
        "merge": [summary, other, "--out", tmp_path / "sum"],
        "bundle": ["pack", summary, "--sign", keys / "sign.sec", "--unencrypted", "--out", tmp_path / "ann.tar"],
    }
    for name, words in commands.items():
        refused = tessera(name, *words)
        assert refused.code == 2, name
        assert re.search(said, refused.err), (name, refused.err)
        assert "Traceback" not in refused.err
    assert not {"sum", "ann.tar"} & {path.name for path in tmp_path.iterdir()}


def test_an_altered_file_is_refused_and_so_is_one_that_is_gone(count: Callable[..., Path], tessera: Tessera) -> None:
    summary = count("ann-1")
    (summary / "qc_sums.json").write_text("{}")
    for words in (["verify", summary], ["show", summary, "--qc"]):
        refused = tessera(*words)
        assert (refused.code, "sha256 differs" in refused.err) == (2, True), refused.err
    (summary / "qc_sums.json").unlink()
    assert "qc_sums.json is missing" in tessera("verify", summary).err


def test_a_bundle_carries_them(count: Callable[..., Path], tessera: Tessera, tmp_path: Path) -> None:
    keys, bundle = tmp_path / "keys", tmp_path / "ann.tar"
    done(tessera("keys", "new", "--out", keys))
    summary = count("ann-1")
    done(tessera("bundle", "pack", summary, "--sign", keys / "sign.sec", "--unencrypted", "--out", bundle))
    words = ["--signer", keys / "sign.pub", "--unencrypted", "--out", tmp_path / "opened"]
    done(tessera("bundle", "open", bundle, *words))
    assert files_of(tmp_path / "opened")["qc_sums.json"] == files_of(summary)["qc_sums.json"]


@pytest.mark.parametrize("stratum", ["LV_F", "EE_M"])
def test_a_hub_refuses_a_bundle_with_sums_of_people_who_are_not_counted(
    stratum: str, count: Callable[..., Path], tessera: Tessera, tmp_path: Path
) -> None:
    """Signed for, with all digests right: only the sums and the counts do not go together."""
    keys, bundle = tmp_path / "keys", tmp_path / "ann.tar"
    done(tessera("keys", "new", "--out", keys))
    summary = count("ann-1")
    done(tessera("bundle", "pack", summary, "--sign", keys / "sign.sec", "--unencrypted", "--out", bundle))
    parts = Parts(bundle.read_bytes(), load_pem_private_key((keys / "sign.sec").read_bytes(), None))  # type: ignore[arg-type]
    changed(summary, lambda text: text.replace("EE_F", stratum))
    manifest = (summary / "manifest.json").read_bytes()
    parts.replace("summary/qc_sums.json", (summary / "qc_sums.json").read_bytes())
    parts.manifest["sources"][0]["digest"] = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    parts.replace("summary/manifest.json", manifest)
    bundle.write_bytes(parts.tar())
    words = ["--signer", keys / "sign.pub", "--unencrypted", "--out", tmp_path / "opened"]
    refused = tessera("bundle", "open", bundle, *words)
    assert refused.code == 2
    assert f"QC sums of {stratum} mean_autosome_coverage: a stratum nobody is counted in" in refused.err, refused.err
    assert not (tmp_path / "opened").exists()


def test_the_same_calls_with_other_metrics_are_still_the_same_person(
    growing: Growing, tessera: Tessera, count: Callable[..., Path], tmp_path: Path
) -> None:
    summary, again = count("ann-1"), tmp_path / "again"
    summary.rename(again)
    refused = tessera("merge", again, count("ann-1", "--workers", 1), "--out", tmp_path / "both")
    assert (refused.code, "the same summary twice" in refused.err) == (2, True), refused.err


def test_a_cohort_takes_metrics_in_and_out_with_the_people(
    growing: Growing, tessera: Tessera, count: Callable[..., Path], tmp_path: Path
) -> None:
    cohort, release = tmp_path / "cohort", tmp_path / "release"
    done(tessera("cohort", "init", cohort, *growing.rules))
    for names in (["ann-1", "ben-2", "dan-4"], ["cat-3", "eva-5", "fin-6"]):
        done(tessera("cohort", "add", cohort, "--samples", growing.sheet(names), *measured(growing)))
    done(tessera("cohort", "release", cohort, "--out", release))
    assert_sums(release, values(PEOPLE))
    # what was measured is in the ledger: the files may go
    for name in ALIGNMENTS:
        (growing.folder / f"{name}.json").unlink()
    done(tessera("cohort", "withdraw", cohort, "ben-2", "eva-5"))
    done(tessera("cohort", "release", cohort, "--out", release))
    rest = [name for name in PEOPLE if name not in ("ben-2", "eva-5")]
    assert_sums(release, values(rest))
    done(tessera("cohort", "verify", cohort, "--recount", 2))


def test_a_ledger_with_other_metrics_than_its_partials_is_found(
    growing: Growing, tessera: Tessera, tmp_path: Path
) -> None:
    """As of a cohort whose ledger and head somebody wrote anew."""
    import rfc8785

    cohort = tmp_path / "cohort"
    done(tessera("cohort", "init", cohort, *growing.rules))
    done(tessera("cohort", "add", cohort, "--samples", growing.sheet(["ann-1"]), *measured(growing)))
    first, second = (json.loads(line) for line in (cohort / "ledger.jsonl").read_text().splitlines())
    assert second["people"][0]["metrics"]["mean_autosome_coverage"] == 3002
    second["people"][0]["metrics"]["mean_autosome_coverage"] = 3003
    lines = [rfc8785.dumps(line) for line in (first, second)]
    (cohort / "ledger.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    (cohort / "head").write_text(f"sha256:{hashlib.sha256(lines[-1]).hexdigest()}\n")
    refused = tessera("cohort", "verify", cohort)
    assert (refused.code, "other QC sums" in refused.err) == (2, True), refused.err
