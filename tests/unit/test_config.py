"""The configuration: defaults, the sentence each mistake gets, merging, and the answers of a run."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from nation import run
from tessera.errors import InputError
from tessera.files.config import merge_documents, parse_config, read_config, read_policy
from tessera.files.paths import WORTH_A_LISTING
from tessera.files.run import check_run, read_run
from tessera.files.summaries import new_summary
from tessera.files.yaml_documents import read_yaml
from tessera.genome.build import Build, Contig
from tessera.schemas.config import SCHEMA, Config, check_config
from tessera.schemas.document import check_document
from tessera.schemas.federation import EXPORTS
from tessera.schemas.mask import ADJ, mask_of, parse_mask
from tessera.schemas.qc_policy import QcRule, parse_policy
from tessera.summary.manifest import Manifest
from tessera.summary.rules import counting_rules

ROOT = Path(__file__).parents[2]
POLICY = str(ROOT / "config/policies/qc.yaml")


def document(**keys: Any) -> dict[str, Any]:
    """A valid configuration, changed by `keys`; None takes a key away."""
    whole = {
        "build": "GRCh38",
        "assume_normalised": True,
        "qc_policy": POLICY,
        "nodes": {"alder": {"samples": "samples.tsv"}},
    } | keys
    return {key: value for key, value in whole.items() if value is not None}


def parse(whole: dict[str, Any], **environment: str) -> Config:
    return parse_config(whole, environment=environment)


def problems(whole: Any, **environment: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        parse(whole, **environment)
    return [str(problem) for problem in refused.value.problems]


def sheet(folder: Path, name: str, *lines: str) -> str:
    """A sample sheet of these lines, blanks standing for tabs, and the empty files it names."""
    for word in " ".join(lines[1:]).split():
        if "." in word:
            (folder / word).touch()
    text = "".join("\t".join("" if c == "-" else c for c in line.split(" ")) + "\n" for line in lines)
    (folder / name).write_text(text)
    return str(folder / name)


def test_defaults_are_those_of_the_schema() -> None:
    config = parse(document())
    assert config.results == Path("results")
    assert config.mask == ADJ
    assert config.consent == ("DUO:0000004", "DUO:0000006", "DUO:0000042")
    assert (config.aligner, config.tools, config.truth) == ("minimap2", "path", None)
    assert config.federation.summaries == ()


def test_every_default_is_valid() -> None:
    for key, below in SCHEMA["properties"].items():
        if "default" in below:
            assert check_document({key: below["default"]}, {**SCHEMA, "required": []}, where=key) == []


def test_an_unknown_key_is_refused_and_the_nearest_named() -> None:
    assert problems(document(alinger="bwa")) == [
        'config: unknown key "alinger"; expected one of reference, build, assume_normalised, results, nodes, mask, '
        "consent, qc_policy, contamination_panel, relatives_markers, aligner, tools, federation, catalogue, truth.\n"
        '  Did you mean "aligner"?'
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"build": None}, "config: the key build is missing"),
        ({"builds": "GRCh38", "build": None}, 'Did you mean "build"?'),
        ({"build": 38}, "config build: found 38; expected GRCh37, GRCh38, or the path of a build file"),
        ({"build": "GRCh39"}, 'config build: there is no build or file "GRCh39"'),
        ({"assume_normalised": None}, "config reference: no reference is given"),
        ({"assume_normalised": "yes"}, 'config assume_normalised: found "yes"; expected true or false'),
        ({"reference": "gone.fa"}, 'config reference: there is no file "gone.fa"'),
        ({"refrence": "a.fa", "assume_normalised": None}, 'Did you mean "reference"?'),
        ({"nodes": {}}, "config nodes: found {}; expected a mapping of at least one node"),
        ({"nodes": {"Alder": {"samples": "a"}}}, 'config nodes: a node named "Alder"'),
        ({"nodes": {"federation": {"samples": "a"}}}, 'config nodes: a node named "federation"'),
        ({"nodes": {"alder\n": {"samples": "a"}}}, 'config nodes: a node named "alder\\n"'),
        ({"nodes": {False: {"samples": "a"}}}, "config nodes: the key false is no text"),
        ({"nodes": {"alder": "a.tsv"}}, 'config nodes.alder: found "a.tsv"'),
        ({"nodes": {"alder": {}}}, "config nodes.alder: the key samples is missing"),
        ({"nodes": {"alder": {"sample": "a"}}}, 'config nodes.alder: unknown key "sample"'),
        ({"mask": "strict"}, 'config mask: found "strict"; expected adj, none, genotypes, or a mapping'),
        ({"mask": {"min_qg": 1}}, 'config mask: unknown key "min_qg"'),
        ({"mask": {"min_gq": -1}}, "config mask.min_gq: found -1; expected a whole number from 0 to"),
        ({"mask": {"min_gq": 1e20}}, "config mask.min_gq: found 1e+20; expected a whole number from 0 to"),
        ({"mask": {"min_dp": float("nan")}}, "config mask.min_dp: found nan"),
        ({"mask": {"min_dp": float("inf")}}, "config mask.min_dp: found inf"),
        ({"mask": {"min_ab": float("nan")}}, "config mask.min_ab: found nan"),
        ({"mask": {"min_ab": float("inf")}}, "config mask.min_ab: found inf"),
        ({"mask": {"min_ab": 0.2004}}, "config mask.min_ab: found 0.2004; expected a fraction from 0 to 1, of at most"),
        ({"mask": {"min_gq": True}}, "config mask.min_gq: found true"),
        ({"mask": {"min_ab": 2}}, "config mask.min_ab: found 2; expected a fraction from 0 to 1"),
        ({"consent": []}, "config consent: found []; expected a list of different DUO codes"),
        ({"consent": ["GRU"]}, 'config consent[0]: found "GRU"; expected a DUO code'),
        ({"aligner": "bowtie"}, 'config aligner: found "bowtie"; expected one of minimap2, bwa, bwa-mem2'),
        ({"tools": "docker"}, 'config tools: found "docker"; expected one of path, wheels'),
        ({"federation": {"summary": []}}, 'Did you mean "summaries"?'),
        ({"federation": {"exports": ["beacn"]}}, "one of vcf, gdi-parquet, beacon, va-spec, gnomad, sites"),
        ({"federation": {"exports": ["beacon"], "source": "A"}}, "config federation.source_reference: none is given"),
        ({"federation": {"dataset": "mine"}}, "a data set such as GOE-EE-UT-"),
        ({"federation": {"summaries": ["gone"]}}, 'config federation.summaries[0]: there is no folder "gone"'),
        ({"federation": {"sign": "a"}}, "config federation: sign is given, and no recipients; expected both, or none"),
        ({"federation": {"recipients": ["a"]}}, "config federation: recipients is given, and no sign"),
        ({"federation": {"sign": "gone", "recipients": [POLICY]}}, 'config federation.sign: there is no file "gone"'),
        ({"federation": {"sign": POLICY, "recipients": ["gone"]}}, 'federation.recipients[0]: there is no file "gone"'),
        ({"federation": {"sign": "a", "recipients": ["b", "b"]}}, "expected a list of different key files"),
        ({"federation": {"bundles": ["a.c4gh"]}}, 'config federation.bundles[0]: found "a.c4gh"; expected a mapping'),
        (
            {"federation": {"bundles": [{"file": "a", "key": "a"}]}},
            "config federation.bundles[0]: the key signer is missing",
        ),
        (
            {"federation": {"bundles": [{"file": "gone", "signer": POLICY, "key": POLICY}]}},
            'config federation.bundles[0].file: there is no file "gone"',
        ),
        ({"federation": {"passphrase_file": "gone"}}, 'federation.passphrase_file: there is no file "gone"'),
        ({"truth": "t" * 300}, "config truth: there is no folder"),
        ({"qc_policy": "\0"}, 'config qc_policy: there is no file "\\x00"'),
        ({"truth": "gone"}, 'config truth: there is no folder "gone"'),
        ({"qc_policy": "gone"}, 'config qc_policy: there is no file "gone"'),
        ({"results": "{node}"}, 'config results: the path "{node}"; expected a path without { } < >'),
        ({"results": "out/<logs>"}, "expected a path without { } < >"),
        ({"results": "/"}, 'config results: the path "/", the root of all files; expected a folder'),
        ({"results": "/.."}, "the root of all files"),
        ({"results": POLICY}, f'config results: the path "{POLICY}", and "{POLICY}" is no folder'),
        ({"results": f"{POLICY}/a/b"}, f'config results: the path "{POLICY}/a/b", and "{POLICY}" is no folder'),
        ({"results": "$DATA/x"}, "config results: the variable $DATA is not set"),
    ],
)
def test_a_bad_key_is_one_mistake(change: dict[str, Any], said: str) -> None:
    (problem,) = problems(document(**change))
    assert said in problem


def test_all_mistakes_are_listed_at_once() -> None:
    assert len(problems(document(aligner="x", tools="y", mask="z", colour="red", build=None))) == 5


@pytest.mark.parametrize("whole", [[], "text", 3, None])
def test_a_document_that_is_no_mapping_is_refused(whole: Any) -> None:
    (problem,) = problems(whole)
    assert "expected a mapping of keys to values" in problem


def test_variables_are_expanded(tmp_path: Path) -> None:
    config = parse(document(results="$HOME_OF_RESULTS/x", truth="${DATA}"), HOME_OF_RESULTS="/r", DATA=str(tmp_path))
    assert (config.results, config.truth) == (Path("/r/x"), tmp_path)


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        ("adj", "adj"),
        ("none", "none"),
        ("genotypes", "genotypes"),
        ({}, "adj"),
        ({"min_gq": 20}, "adj"),
        ({"min_gq": 30}, "min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.2"),
        ({"min_gq": 30.0, "min_ab": 0}, "min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.0"),
        ({"min_ab": 0.07}, "min_gq=20,min_dp=10,min_dp_haploid=5,min_ab=0.07"),
    ],
)
def test_a_mask_is_its_name_or_its_thresholds(value: Any, argument: str) -> None:
    assert mask_of(value).argument == argument
    assert parse_mask(argument) == mask_of(value)


def test_every_balance_of_three_decimals_is_taken_as_written() -> None:
    for text in [*(f"0.{thousandths:03}" for thousandths in range(1000)), "1.000"]:
        mask = parse_mask(f"min_gq=20,min_dp=10,min_dp_haploid=5,min_ab={text}")
        assert mask.min_ab == float(text)
        assert parse(document(mask={"min_ab": float(text)})).mask == mask


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("min_gq=1e20", "--mask min_gq: '1e20'; expected a whole number from 0 to 2,147,483,647"),
        ("min_dp=2147483648", "--mask min_dp: '2147483648'; expected a whole number from 0 to 2,147,483,647"),
        ("min_dp=nan", "--mask min_dp: 'nan'"),
        ("min_dp=5.0", "--mask min_dp: '5.0'"),
        ("min_gq=-1", "--mask min_gq: '-1'"),
        ("min_gq=a", "--mask min_gq: 'a'"),
        ("min_ab=nan", "--mask min_ab: 'nan'; expected a fraction from 0 to 1, of at most three decimals"),
        ("min_ab=inf", "--mask min_ab: 'inf'"),
        ("min_ab=1.5", "--mask min_ab: '1.5'"),
        ("min_ab=0.2004", "--mask min_ab: '0.2004'; expected a fraction from 0 to 1, of at most three decimals"),
        ("min_gq=20,min_gq=30", "each once"),
        ("min_qg=20", "expected adj, none, genotypes, or all four of"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(field: str, said: str) -> None:
    name = field.partition("=")[0]
    others = [f for f in ("min_gq=20", "min_dp=10", "min_dp_haploid=5", "min_ab=0.2") if not f.startswith(f"{name}=")]
    with pytest.raises(InputError) as refused:
        parse_mask(",".join([field, *others]))
    assert said in str(refused.value)


def test_all_thresholds_that_cannot_be_are_named_at_once() -> None:
    with pytest.raises(InputError) as refused:
        parse_mask("min_gq=a,min_dp=b,min_dp_haploid=5,min_ab=2")
    assert len(refused.value.problems) == 3


def test_later_files_win_key_by_key(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mask: {min_gq: 1, min_dp: 2}\ntools: path\n")
    (tmp_path / "b.yaml").write_text("mask: {min_gq: 3}\n")
    merged = merge_documents([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert merged == {"mask": {"min_gq": 3, "min_dp": 2}, "tools": "path"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "line 2: the key a stands twice"),
        ("a: [1\n", "line 2: expected ',' or ']'"),
        ("- 1\n", "no mapping"),
        ("", "no mapping"),
        ("a: \x00\n", "no YAML"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError) as refused:
        read_config([tmp_path / "c.yaml"])
    assert said in str(refused.value)


def test_the_template_is_valid_but_for_its_files() -> None:
    template = read_yaml(ROOT / "config/config.yaml")
    assert check_config(template, where="template") == []
    assert isinstance(template, dict)
    assert list(template) == list(SCHEMA["properties"])


def test_the_template_policy_is_valid() -> None:
    rules = {rule.metric: rule for rule in read_policy(Path(POLICY)).rules}
    assert rules["mean_autosome_coverage"].min == 15
    assert rules["sex_karyotype"].equals == "declared"
    assert rules["het_hom_ratio"].max == 3.3


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "depth", "min": 1}, 'rules[0].metric: found "depth"; expected one of yield_bp_q30'),
        ({"metric": "call_rate", "mim": 1}, 'rules[0]: unknown key "mim"'),
        ({"metric": "call_rate", "min": "1"}, 'rules[0].min: found "1"; expected a number'),
        ({"metric": "call_rate"}, "rules[0]: call_rate without a bound it can have"),
        ({"metric": "call_rate", "equals": "declared"}, "rules[0]: call_rate without a bound it can have"),
        ({"metric": "sex_karyotype", "min": 1}, "rules[0]: sex_karyotype without equals alone"),
        ({"metric": "call_rate", "min": 2, "max": 1}, "rules[0]: min 2 above max 1"),
        ({"metric": "call_rate", "min": float("nan")}, "rules[0]: min nan; expected a finite number"),
        ({"metric": "call_rate", "max": float("inf")}, "rules[0]: max inf; expected a finite number"),
    ],
)
def test_a_bad_rule_is_one_mistake(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_policy({"version": 1, "rules": [rule]}, where="p")
    (problem,) = refused.value.problems
    assert said in str(problem)


def test_a_metric_has_one_rule() -> None:
    rule = {"metric": "call_rate", "min": 0.9}
    with pytest.raises(InputError, match="a second rule"):
        parse_policy({"version": 1, "rules": [rule, rule]}, where="p")
    assert parse_policy({"version": 1, "rules": [rule]}, where="p").rules == (QcRule("call_rate", 0.9),)


def test_a_run_answers_what_rules_ask(tmp_path: Path) -> None:
    (tmp_path / "ref.fa").touch()
    path = sheet(
        tmp_path,
        "all.tsv",
        "sample sex population consent read_group fastq_1 fastq_2 bam cram gvcf vcf",
        "f XX EE DUO:0000042 L1 1.fq 2.fq - - - -",
        "f XX EE DUO:0000042 - 3.fq 4.fq - - - -",
        "b XY EE DUO:0000042 - - - b.bam - - -",
        "c XY EE DUO:0000042 - - - - c.cram - -",
        "g XXY EE DUO:0000042 - - - - - g.g.vcf.gz -",
        "v XX EE DUO:0000042 - - - - - - co.vcf.gz",
        "w XX EE DUO:0000042 - - - - - - co.vcf.gz",
        "x XX EE DUO:0000042 - - - - - - co.bcf",
        "gone XX EE withdrawn - - - - - - -",
    )
    run = read_run(parse(document(reference=str(tmp_path / "ref.fa"), nodes={"alder": {"samples": path}})))
    assert run.nodes == ["alder"]
    assert run.samples("alder") == list("fbcgvwx")
    assert run.withdrawn("alder") == ["gone"]
    assert run.fastq_samples("alder") == ["f"]
    assert (run.called_samples("alder"), run.gvcf_samples("alder")) == (["f", "b", "c"], ["g"])
    assert run.lanes("alder", "f") == ["L1", "2"]
    assert run.fastq("alder", "f", "2") == (str(tmp_path / "3.fq"), str(tmp_path / "4.fq"))
    assert run.read_group_line("alder", "f", "L1") == r"@RG\tID:f.L1\tSM:f\tLB:f\tPL:ILLUMINA"
    assert (run.kind("alder", "c"), run.file("alder", "c")) == ("cram", str(tmp_path / "c.cram"))
    assert run.karyotype("alder", "g") == "XXY"
    assert [(file.id, file.samples) for file in run.cohort_files("alder")] == [("co", ("v", "w")), ("co-2", ("x",))]
    assert run.cohort_file("alder", "co-2").path == str(tmp_path / "co.bcf")
    assert run.batches("alder") == {"1": list("fbcg")}
    assert run.facts("alder", "g") == "XXY EE_U DUO:0000042"
    assert run.populations == ["EE"]


def test_a_received_summary_tells_whether_an_is_known_and_its_populations(tmp_path: Path) -> None:
    path = sheet(tmp_path, "s.tsv", "sample sex population gvcf", "a XX EE a.g.vcf")
    rules = counting_rules(Build("b", (Contig("1", "autosome", 9),)), sequences=None, mask={})
    for name, basis in (("exact", "gvcf"), ("open", "variant_only")):
        with new_summary(tmp_path / name) as writer:
            writer.finish(Manifest(rules, {"EUR_F": 1}, {basis: 1}, {"not stated": 1}))
        received = {"summaries": [str(tmp_path / name)]}
        run = read_run(parse(document(nodes={"alder": {"samples": path}}, federation=received)))
        assert (run.is_exact, run.populations) == (name == "exact", ["EE", "EUR"])


def test_a_population_that_no_bundle_takes_is_told_before_anything_runs(tmp_path: Path) -> None:
    run("keys", "new", "--out", tmp_path / "keys")
    keys = {"sign": str(tmp_path / "keys/sign.sec"), "recipients": [str(tmp_path / "keys/crypt4gh.pub")]}
    for population, refused in (("EE", False), ("EUR", False), ("Tartu", True)):
        path = sheet(tmp_path, "s.tsv", "sample sex population gvcf", f"a XX {population} a.g.vcf")
        configured = parse(document(nodes={"alder": {"samples": path}}, federation=keys))
        if refused:
            with pytest.raises(InputError, match="population Tartu, and federation"):
                read_run(configured)
        else:
            read_run(configured)


def test_a_folder_that_is_no_summary_is_refused_before_anything_runs(tmp_path: Path) -> None:
    path = sheet(tmp_path, "s.tsv", "sample sex population gvcf", "a XX EE a.g.vcf")
    with pytest.raises(InputError, match=r"no manifest\.json"):
        read_run(parse(document(nodes={"alder": {"samples": path}}, federation={"summaries": [str(tmp_path)]})))


def test_a_batch_too_large_for_one_sum_is_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessera.files.run.PEOPLE_PER_SUM", 2)
    rows = [f"{name} XX EE {batch} {name}.g.vcf" for name, batch in zip("abcde", "11121", strict=True)]
    path = sheet(tmp_path, "s.tsv", "sample sex population batch gvcf", *rows)
    run = read_run(parse(document(nodes={"alder": {"samples": path}})))
    assert run.batches("alder") == {"1+1": ["a", "b"], "1+2": ["c", "e"], "2": ["d"]}


def test_a_cohort_file_is_not_named_as_a_sample(tmp_path: Path) -> None:
    path = sheet(tmp_path, "s.tsv", "sample sex population gvcf vcf", "a XX EE a.g.vcf -", "b XX EE - a.vcf")
    run = read_run(parse(document(nodes={"alder": {"samples": path}})))
    assert [file.id for file in run.cohort_files("alder")] == ["a-2"]


def in_two_nodes(folder: Path, header: str, first: list[str], second: list[str]) -> list[str]:
    """What is wrong with a run of two nodes, alder and birch, with these rows."""
    sheets = {"alder": first, "birch": second}
    nodes = {name: {"samples": sheet(folder, f"{name}.tsv", header, *rows)} for name, rows in sheets.items()}
    try:
        read_run(parse(document(nodes=nodes)))
    except InputError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    return []


def test_the_same_name_may_be_in_two_nodes(tmp_path: Path) -> None:
    header = "sample sex population gvcf vcf"
    assert in_two_nodes(tmp_path, header, ["a XX EE a.g.vcf -", "b XX EE - c.vcf"], ["a XX EE b.g.vcf -"]) == []
    # a cohort file may be shared out to nodes, each person to one
    assert in_two_nodes(tmp_path, header, ["a XX EE - c.vcf"], ["b XX EE - c.vcf"]) == []


def test_the_same_file_in_two_nodes_is_refused_by_both_its_lines(tmp_path: Path) -> None:
    header = "sample sex population consent gvcf"
    rows = ["a XX EE DUO:0000042 a.g.vcf", "b XX EE DUO:0000042 b.g.vcf", "c XX EE withdrawn c.g.vcf"]
    said = in_two_nodes(
        tmp_path, header, rows, ["b XX EE DUO:0000042 d.g.vcf", *rows[2:], "x XX EE DUO:0000042 b.g.vcf"]
    )
    assert said == [
        'birch.tsv line 4: file "b.g.vcf" of sample "x" is given again, first as sample "b" on line 3 of "alder.tsv"; '
        "expected each person once in a run, whatever node.\n  A person is counted once."
    ]


def test_the_same_person_of_a_cohort_file_in_two_nodes_is_refused(tmp_path: Path) -> None:
    rows = ["a XX EE c.vcf", "b XX EE c.vcf"]
    (said,) = in_two_nodes(tmp_path, "sample sex population vcf", rows, rows[1:])
    assert said.startswith('birch.tsv line 2: sample "b" of cohort file "c.vcf" is given again')
    assert 'on line 3 of "alder.tsv"' in said


@pytest.mark.parametrize("people", [1, WORTH_A_LISTING])
def test_a_link_does_not_hide_a_file_that_is_given_again(tmp_path: Path, people: int) -> None:
    header = "sample sex population gvcf"
    rows = [f"s{number} XX EE s{number}.g.vcf" for number in range(people)]
    (tmp_path / "same").symlink_to(tmp_path)
    (tmp_path / "link.g.vcf").symlink_to(tmp_path / "s0.g.vcf")
    assert len(in_two_nodes(tmp_path, header, rows, ["other XX EE link.g.vcf"])) == 1
    assert len(in_two_nodes(tmp_path, header, rows, ["other XX EE same/s0.g.vcf"])) == 1
    others = [f"t{number} XX EE t{number}.g.vcf" for number in range(people)]
    assert len(in_two_nodes(tmp_path, header, rows, [*others, "other XX EE link.g.vcf"])) == 1
    assert len(in_two_nodes(tmp_path, header, [*rows, "s XX EE link.g.vcf"], others)) == 1


def test_reads_need_a_reference(tmp_path: Path) -> None:
    path = sheet(tmp_path, "s.tsv", "sample sex population bam", "a XX EE a.bam")
    with pytest.raises(InputError, match="1 samples are FASTQ, BAM or CRAM, and no reference is given"):
        read_run(parse(document(nodes={"alder": {"samples": path}})))


def test_callable_regions_need_a_cohort_vcf(tmp_path: Path) -> None:
    (tmp_path / "c.bed").touch()
    path = sheet(tmp_path, "s.tsv", "sample sex population gvcf", "a XX EE a.g.vcf")
    node = {"samples": path, "callable": str(tmp_path / "c.bed")}
    with pytest.raises(InputError, match=r"nodes.alder.callable is given, and no sample"):
        read_run(parse(document(nodes={"alder": node})))


def test_a_refused_configuration_does_not_hide_a_bad_sheet(tmp_path: Path) -> None:
    path = sheet(tmp_path, "s.tsv", "sample sex population gvcf", "a W EE a.g.vcf")
    with pytest.raises(InputError) as refused:
        check_run(document(tools="docker", nodes={"alder": {"samples": path}}), where="c.yaml")
    assert [str(problem).split(":")[0] for problem in refused.value.problems] == ["c.yaml tools", f"{path} line 2"]


def test_a_build_file_is_checked_with_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(
        yaml.safe_dump({"name": "mini", "contigs": [{"name": "chr1", "kind": "autosome"}]})
    )
    (problem,) = problems(document(build=str(tmp_path / "b.yaml")))
    assert "b.yaml" in problem


def test_every_format_of_export_can_be_asked_for() -> None:
    from tessera.cli.export import command

    assert set(EXPORTS) == set(command.commands)


def test_a_refused_key_does_not_hide_files_that_are_not_there(tmp_path: Path) -> None:
    lost = {"qc_policy": "lost.yaml", "truth": "lost", "reference": "$LOST/a.fa"}
    said = problems(document(mask="gentypes", build="lost.build", **lost, nodes=3))
    assert [text.split(":")[0] for text in said] == [
        "config nodes", "config mask", "config reference", "config qc_policy", "config truth", "config build",
    ]  # fmt: skip
    assert ["config nodes" in text for text in problems({"nodes": 3, 1: 2, "qc_policy": POLICY})] == [False, False]
