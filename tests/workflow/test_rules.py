"""The rules keep the house: five parts, no Python inside, clean by the linter; and a run's DAG is what it should be."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
TINY = "tests/workflow/tiny/config.yaml"
#: a rule that only collects has no command
TARGETS = {"all", "reads", "alignments", "variants", "quality", "cohort", "federation", "report"}


def rules(path: Path) -> dict[str, str]:
    """Rule name -> its text, of the rules that have a command of their own."""
    parts = re.split(r"^ *rule (\w+):$", path.read_text(), flags=re.MULTILINE)
    return {name: text for name, text in zip(parts[1::2], parts[2::2], strict=True) if name not in TARGETS}


ALL_RULES = {name: text for path in RULE_FILES for name, text in rules(path).items()}


def snakemake(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run Snakemake; SLURM's client would make each start wait for a controller, so PATH is short."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        timeout=300,
    )


def jobs(done: subprocess.CompletedProcess[str]) -> Counter[str]:
    """Rule -> jobs of a dry run."""
    assert done.returncode == 0, done.stdout + done.stderr
    table = re.findall(r"^(\w+) +(\d+)$", (done.stdout + done.stderr).split("Job stats:")[1], re.MULTILINE)
    return Counter({name: int(number) for name, number in table})


def test_every_stage_is_a_chapter_and_a_target() -> None:
    assert {path.stem for path in RULE_FILES} == TARGETS - {"all"}
    for path in RULE_FILES:
        text = path.read_text()
        assert text.startswith('"""'), f"{path.name} opens without saying what it is about"
        assert f"rule {path.stem}:" in text
        assert len(text.splitlines()) <= 350


@pytest.mark.parametrize("name", ALL_RULES)
def test_a_rule_has_its_parts(name: str) -> None:
    text = ALL_RULES[name].split("\nuse rule")[0]
    assert text.strip().startswith('"""')
    for part in ("output", "log", "params", "threads", "resources", "conda", "container", "shell"):
        assert re.search(rf"^ +{part}:", text, re.MULTILINE), f"{name} has no {part}"
    assert "stage_version=" in text
    assert "mem_mb=lambda wildcards, attempt:" in text
    assert "{log:q}" in text
    assert "retries" not in text


@pytest.mark.parametrize("name", ALL_RULES)
def test_an_output_has_its_name_when_it_is_whole(name: str) -> None:
    """tessera writes what `--out` and the like name aside; what anything else writes is renamed in the end."""
    command = re.sub(r"['\"]\s+['\"]", "", ALL_RULES[name].split("shell:")[1].split("\n\n")[0])
    # --decisions reads what the command before it has made
    aside = r"(?<!--out )(?<!--json )(?<!--details )(?<!--decisions )"
    for part in re.findall(aside + r"\{output\.(\w+):q\}(?!\.unfinished)", command):
        assert re.search(rf"mv \S+\.unfinished\S* \{{output\.{part}:q\}}", command), part


@pytest.mark.parametrize("path", [ROOT / "Snakefile", *RULE_FILES], ids=lambda path: path.name)
def test_no_python_runs_in_a_rule(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"^ *(run|script|notebook|wrapper):", text, re.MULTILINE)
    assert not re.search(r"python3? +\S+\.py|^ *def ", text, re.MULTILINE)


def test_every_environment_is_pinned_and_has_an_image_to_name() -> None:
    environments = [path for path in (ROOT / "workflow" / "envs").glob("*.yaml") if path.stem != "containers"]
    for path in environments:
        for dependency in yaml.safe_load(path.read_text())["dependencies"]:
            assert re.fullmatch(r"\S+ =[\d.]+", dependency), f"{path.name}: {dependency}"
    images = yaml.safe_load((ROOT / "workflow" / "envs" / "containers.yaml").read_text())
    assert set(images) == {path.stem for path in environments}


def test_the_linter_is_content() -> None:
    done = snakemake("--lint", "--configfile", TINY)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_sample_enters_at_its_own_stage() -> None:
    made = jobs(snakemake("--configfile", TINY, "--dry-run", "--quiet", "rules"))
    assert made["align_lane"] == 2
    assert made["mark_duplicates"] == 1
    assert made["check_alignments"] == made["import_alignments"] == 2
    assert made["measure_alignments"] == made["call_gvcf"] == 3
    assert made["measure_variants"] == made["count_alleles"] == 4
    assert made["measure_cohort"] == made["count_cohort"] == 2
    assert made["sum_batch"] == made["sum_node"] == 2
    assert "index_aligner" not in made
    assert "check_node" not in made
    # nothing is described for catalogues
    assert not {"write_catalogue", "digest_inputs", "digest_cohort", "write_crate"} & set(made)


def test_relatives_are_looked_for_once_a_node_and_gate_one_by_one_only_where_the_policy_says_so(
    tmp_path: Path,
) -> None:
    markers, policy = tmp_path / "markers.bed", tmp_path / "policy.yaml"
    markers.write_text("chr1\t9\t10\tA\tC\n")
    policy.write_text("version: 1\nrules:\n  - {metric: max_kinship, max: 0.354}\n")
    asked = ("--dry-run", "--quiet", "rules", "--configfile", TINY, "--config")
    assert "find_relatives" not in jobs(snakemake(*asked, "aligner=minimap2"))
    made = jobs(snakemake(*asked, f"relatives_markers={markers}"))
    assert made["find_relatives"] == 2
    assert made["measure_variants"] == made["count_alleles"] == 4
    one = ("results/mixed/private/decisions/gvcf.tsv", "--dry-run", "--quiet", "rules", "--configfile", TINY)
    assert "find_relatives" not in jobs(snakemake(*one, "--config", f"relatives_markers={markers}"))
    both = [f"relatives_markers={markers}", f"qc_policy={policy}"]
    assert jobs(snakemake(*one, "--config", *both))["find_relatives"] == 1
    refused = snakemake(*asked, f"qc_policy={policy}")
    assert refused.returncode != 0
    assert "rules on max_kinship" in refused.stdout + refused.stderr


@pytest.mark.parametrize("aligner", ["bwa", "bwa-mem2"])
def test_another_aligner_is_indexed_once(aligner: str) -> None:
    made = jobs(snakemake("--configfile", TINY, "--config", f"aligner={aligner}", "--dry-run", "--quiet", "rules"))
    assert made["index_aligner"] == 1


def test_a_stage_can_be_asked_for_alone() -> None:
    made = jobs(snakemake("alignments", "--configfile", TINY, "--dry-run", "--quiet", "rules"))
    assert "call_gvcf" not in made
    assert made["measure_alignments"] == 3


def test_a_cohort_without_callable_regions_gets_no_frequency_vcf(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / TINY).read_text())
    del config["nodes"]["cohorts"]["callable"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    made = jobs(snakemake("--configfile", str(tmp_path / "config.yaml"), "--dry-run", "--quiet", "rules"))
    assert "export_vcf" not in made
    assert made["write_report"] == 1


def test_the_sum_is_written_in_the_formats_that_are_asked_for(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / TINY).read_text())
    config["federation"] = {"exports": ["sites", "gnomad", "va-spec"]}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    arguments = ("--configfile", str(tmp_path / "config.yaml"), "--dry-run", "--quiet", "rules")
    made = jobs(snakemake(*arguments))
    assert (made["export_summary"], made["export_vcf"]) == (3, 0)
    # AN is an interval then, which a table of sites tells, and nothing else
    del config["nodes"]["cohorts"]["callable"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert jobs(snakemake(*arguments))["export_summary"] == 1


def test_a_cohort_file_is_counted_by_the_tasks_that_a_site_gives() -> None:
    """The only switch is in the profile; the memory of all nodes is what the tasks may take."""
    here = snakemake("--configfile", TINY, "--dry-run", "--printshellcmds").stdout
    given = ["--set-resources", "count_cohort:mpi=srun", "count_cohort:nodes=3", "count_cohort:tasks=12"]
    given += ["count_cohort:mem_mb=5000"]
    tasks = snakemake("--configfile", TINY, "--dry-run", "--printshellcmds", *given).stdout
    commands = [line.strip() for line in tasks.splitlines() if "--cluster srun" in line]
    assert len(commands) == 2
    for command in commands:
        assert " srun --nodes 3 --ntasks 12 tessera count --cluster srun --input " in command
        assert "--max-memory 15000MB" in command
    assert "--cluster" not in here


def test_a_wrong_configuration_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("nodes: {Alder: {samples: none.tsv}}\nbuild: nowhere.yaml\n")
    done = snakemake("--configfile", str(tmp_path / "config.yaml"), "--dry-run")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("tessera: error:") >= 2
    assert "Alder" in done.stderr


def test_the_slurm_profile_knows_only_rules_that_exist() -> None:
    profile = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())
    known = {*ALL_RULES, "measure_cohort", "count_cohort", "sum_node"}
    for key in ("set-threads", "set-resources", "groups"):
        assert set(profile[key]) <= known
    assert profile["slurm-status-command"] == "squeue"
    assert not [key for key in profile if "array" in key]
    made = jobs(snakemake("--profile", str(ROOT / "slurm"), "--configfile", TINY, "--dry-run", "--quiet", "rules"))
    assert made["align_lane"] == 2


def test_on_slurm_minutes_follow_from_the_size_of_what_a_job_reads(tmp_path: Path) -> None:
    tiny = Path(TINY).parent
    shutil.copytree(ROOT / tiny, tmp_path / tiny)
    (tmp_path / "config").symlink_to(ROOT / "config")
    for name, size in (("two_L1_1.fq.gz", 20e9), ("two_L1_2.fq.gz", 15e9), ("bam.bam", 30e9), ("east.vcf.gz", 4e9)):
        os.truncate(tmp_path / tiny / "files" / name, int(size))  # nothing is written: a hole
    plan = snakemake("--profile", str(ROOT / "slurm"), "--configfile", TINY, "--dry-run", folder=tmp_path)
    assert plan.returncode == 0, plan.stderr
    told = re.findall(
        r"rule (\w+):(?:\n(?! *rule ).+)*?\n +wildcards: (.*)\n +resources: (.*)", plan.stdout + plan.stderr
    )
    asked = {(rule, *wildcards.split(", ")): resources for rule, wildcards, resources in told}
    for job, minutes, memory in (
        (("align_lane", "node=mixed", "sample=two", "lane=L1"), 60 + 350, 32000),
        (("align_lane", "node=mixed", "sample=two", "lane=L2"), 60, 32000),
        (("import_alignments", "node=mixed", "sample=bam"), 60 + 300, 12000),
        (("count_cohort", "node=cohorts", "cohort=east"), 60 + 20, 8000),
        (("sum_batch", "node=mixed", "batch=1"), 60 + 2, 8000),
    ):
        assert {f"runtime={minutes}", f"mem_mb={memory}"} <= set(asked[job].split(", ")), job
