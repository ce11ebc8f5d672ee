"""`tessera gate-samples`: its tables, and how it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tessera.cli import tessera
from tessera.errors import InputError
from tessera.schemas.variant_metrics import VARIANT_METRICS

SHEET = """sample\tsex\tpopulation\tconsent\tbam\tgvcf
ann\tXX\tXA\tDUO:0000042\tann.bam\t
ben\tXY\tXA\tDUO:0000042\t\tben.g.vcf.gz
eve\tXX\tXA\twithdrawn\t\teve.g.vcf.gz
"""
POLICY = """version: 1
rules:
  - {metric: mean_autosome_coverage, min: 15}
  - {metric: sex_karyotype, equals: declared}
  - {metric: call_rate, min: 0.95}
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node of three people, measured."""
    (tmp_path / "samples.tsv").write_text(SHEET)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "alignments").mkdir()
    (tmp_path / "variants").mkdir()
    metrics = {
        "biosample": {"id": "ann"},
        "wgs_qc_metrics": {"aln_metrics": {"mean_autosome_coverage": 30.1}},
        "tessera": {"sex_karyotype": "XX"},
    }
    (tmp_path / "alignments" / "ann.json").write_text(json.dumps(metrics))
    for sample, rate in (("ann", 0.99), ("ben", 0.5)):
        row = ["10"] * len(VARIANT_METRICS.names)
        row[:3] = [sample, str(rate), "inf"]
        table = "\n".join("\t".join(cells) for cells in (VARIANT_METRICS.names, row)) + "\n"
        (tmp_path / "variants" / f"{sample}.tsv").write_text(table)
    return tmp_path


def gate(node: Path, *more: str) -> Result:
    """Run the command on the node's folders."""
    paths = {"--samples": "samples.tsv", "--policy": "policy.yaml", "--alignments": "alignments"}
    paths |= {"--variants": "variants", "--out": "decisions.tsv", "--details": "details.tsv"}
    arguments = [word for option, name in paths.items() for word in (option, str(node / name))]
    return CliRunner().invoke(tessera, ["gate-samples", *arguments, "--consent", "DUO:0000042", *more])


def test_everybody_gets_a_decision_with_its_reason(node: Path) -> None:
    assert gate(node).exit_code == 0
    assert (node / "decisions.tsv").read_text() == (
        "sample\tcounted\treason\nann\ttrue\t\nben\tfalse\tqc:call_rate\neve\tfalse\twithdrawn\n"
    )
    details = (node / "details.tsv").read_text()
    assert details.startswith("sample\trule\tvalue\tthreshold\tpassed\tpolicy\n")
    assert "ben\tqc:call_rate\t0.5\t>= 0.95\tfalse\tsha256:" in details


def test_one_sample_can_be_decided_alone(node: Path) -> None:
    (node / "variants" / "ann.tsv").unlink()
    assert gate(node, "--sample", "ben").exit_code == 0
    assert (node / "decisions.tsv").read_text() == "sample\tcounted\treason\nben\tfalse\tqc:call_rate\n"


def test_a_stranger_is_refused(node: Path) -> None:
    done = gate(node, "--sample", "zoe")
    assert isinstance(done.exception, InputError)
    assert "zoe" in str(done.exception)


def test_a_measurement_that_is_missing_is_named_and_nothing_is_written(node: Path) -> None:
    (node / "alignments" / "ann.json").unlink()
    done = gate(node)
    assert isinstance(done.exception, InputError)
    assert "ann.json: no such file" in str(done.exception)
    assert not (node / "decisions.tsv").exists()


def test_a_metric_that_the_policy_asks_for_must_be_measured(node: Path) -> None:
    document = json.loads((node / "alignments" / "ann.json").read_text())
    document["wgs_qc_metrics"]["aln_metrics"] = {}
    (node / "alignments" / "ann.json").write_text(json.dumps(document))
    done = gate(node)
    assert isinstance(done.exception, InputError)
    assert "sample ann: no mean_autosome_coverage" in str(done.exception)


def test_a_sample_measured_twice_is_refused(node: Path) -> None:
    done = gate(node, "--variants", str(node / "variants" / "ben.tsv"))
    assert isinstance(done.exception, InputError)
    assert "sample ben: measured twice" in str(done.exception)


@pytest.mark.parametrize("text", ["{", "[]", '{"biosample": {"id": "ann"}}'])
def test_metrics_of_another_shape_are_refused(node: Path, text: str) -> None:
    (node / "alignments" / "ann.json").write_text(text)
    assert isinstance(gate(node).exception, InputError)


@pytest.mark.parametrize("code", ["foo", "DUO:0000018", "DUO:42", "duo:0000042", "DUO:0000042\n", ""])
def test_consent_by_a_code_that_permits_nothing_is_refused(node: Path, code: str) -> None:
    """DUO:0000018 (not for profit use) is a modifier of a permission, and no permission."""
    done = gate(node, "--consent", code)
    assert isinstance(done.exception, InputError)
    assert "--consent: " in str(done.exception)
    assert "expected a data use permission: one of DUO:0000004" in str(done.exception)
    assert not (node / "decisions.tsv").exists()


@pytest.mark.parametrize("code", ["DUO:0000004", "DUO:0000006", "DUO:0000007", "DUO:0000011", "DUO:0000042"])
def test_every_data_use_permission_of_the_ontology_may_permit(node: Path, code: str) -> None:
    """The codes whose description in duo.csv of the ontology is "This data use permission indicates ..."."""
    assert gate(node, "--consent", code).exit_code == 0


@pytest.mark.parametrize("text", ["[" * 100_000, '{"biosample": NaN}', "9" * 5000, "\udcff"])
def test_metrics_that_are_no_json_are_refused(node: Path, text: str) -> None:
    (node / "alignments" / "ann.json").write_bytes(text.encode(errors="surrogateescape"))
    done = gate(node)
    assert isinstance(done.exception, InputError)
    assert "ann.json: not JSON as it is exchanged" in str(done.exception)


@pytest.mark.parametrize(
    ("metric", "value"), [("mean_autosome_coverage", value) for value in ("high", [1], True)] + [("sex_karyotype", 5)]
)
def test_a_metric_of_another_type_is_refused(node: Path, metric: str, value: object) -> None:
    document = json.loads((node / "alignments" / "ann.json").read_text())
    document["wgs_qc_metrics"]["aln_metrics"].pop(metric, None)
    document["tessera"][metric] = value
    (node / "alignments" / "ann.json").write_text(json.dumps(document))
    done = gate(node)
    assert isinstance(done.exception, InputError)
    assert f"ann.json: {metric} is " in str(done.exception)


def test_all_files_that_are_not_there_are_named_at_once(node: Path) -> None:
    (node / "policy.yaml").unlink()
    (node / "samples.tsv").unlink()
    said = str(gate(node, "--consent", "foo").exception)
    assert all(word in said for word in ("policy.yaml: there is no such file", "samples.tsv: there is no", '"foo"'))


def write_pairs(node: Path, *rows: str) -> str:
    (node / "pairs.tsv").write_text("\n".join(["sample_1\tsample_2\tmarkers\tkinship\trelation", *rows]) + "\n")
    return str(node / "pairs.tsv")


def test_both_of_a_pair_that_is_one_person_are_told_and_nobody_is_chosen(node: Path) -> None:
    (node / "policy.yaml").write_text("version: 1\nrules:\n  - {metric: max_kinship, max: 0.354}\n")
    pairs = write_pairs(node, "ann\tben\t6000\t0.49\tduplicate", "ann\teve\t6000\t0.25\tfirst")
    assert gate(node, "--relatives", pairs).exit_code == 0
    assert (node / "decisions.tsv").read_text().splitlines()[1:] == [
        "ann\tfalse\tqc:max_kinship", "ben\tfalse\tqc:max_kinship", "eve\tfalse\twithdrawn",
    ]  # fmt: skip
    assert gate(node, "--relatives", write_pairs(node)).exit_code == 0
    assert (node / "decisions.tsv").read_text().splitlines()[1:3] == ["ann\ttrue\t", "ben\ttrue\t"]


def test_a_policy_on_kinship_needs_somebody_to_have_looked(node: Path) -> None:
    (node / "policy.yaml").write_text("version: 1\nrules:\n  - {metric: max_kinship, max: 0.354}\n")
    done = gate(node)
    assert isinstance(done.exception, InputError)
    assert "rule max_kinship: nobody looked for relatives; expected --relatives" in str(done.exception)
    assert not (node / "decisions.tsv").exists()


PAIRS = "sample_1\tsample_2\tmarkers\tkinship\trelation\nann\tben\t900\t0.4991\tduplicate\nann\teve\t900\t0.2\tfirst\n"


def test_relatives_are_to_be_reviewed_and_stop_nobody(node: Path) -> None:
    (node / "pairs.tsv").write_text(PAIRS)
    assert gate(node).exit_code == 0
    decided = (node / "decisions.tsv").read_text()
    assert gate(node, "--relatives", str(node / "pairs.tsv")).exit_code == 0
    assert (node / "decisions.tsv").read_text() == decided
    rows = [line.split("\t")[:5] for line in (node / "details.tsv").read_text().splitlines() if "kinship" in line]
    assert rows == [
        ["ann", "duplicate_of", "ben, duplicate, kinship 0.4991", "review", "true"],
        ["ann", "relative", "eve, first, kinship 0.2", "review", "true"],
        ["ben", "duplicate_of", "ann, duplicate, kinship 0.4991", "review", "true"],
    ]


def test_a_policy_on_kinship_keeps_both_of_a_pair_out(node: Path) -> None:
    (node / "pairs.tsv").write_text(PAIRS)
    (node / "policy.yaml").write_text(POLICY + "  - {metric: max_kinship, max: 0.354}\n")
    assert gate(node, "--relatives", str(node / "pairs.tsv")).exit_code == 0
    assert (node / "decisions.tsv").read_text() == (
        "sample\tcounted\treason\nann\tfalse\tqc:max_kinship\nben\tfalse\tqc:call_rate;qc:max_kinship\n"
        "eve\tfalse\twithdrawn\n"
    )
