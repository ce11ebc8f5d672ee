"""`tessera plan` tells what the profile asks for, against a site's limits; the DAG is no larger than it must be."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from commands import Done

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "workflow" / "tiny"
PROFILE = yaml.safe_load((ROOT / "slurm" / "config.yaml").read_text())


def plan(*arguments: object) -> Done:
    """Run the command as its own process, for Snakemake keeps what it has read; PATH has no scheduler."""
    words = [sys.executable, "-m", "tessera", "plan", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(words, cwd=ROOT, capture_output=True, env=environment, timeout=300)
    return Done(done.returncode, done.stdout, done.stderr.decode())


def people(folder: Path, number: int, kind: str) -> Path:
    """A configuration of so many people with empty files, 200 in a batch."""
    columns = {"gvcf": ["gvcf"], "fastq": ["fastq_1", "fastq_2"]}[kind]
    rows = ["\t".join(["sample", "sex", "population", "batch", "consent", *columns])]
    (folder / "files").mkdir(parents=True)
    for n in range(number):
        files = [folder / "files" / f"P{n}.{column}.gz" for column in columns]
        for file in files:
            file.touch()
        rows.append("\t".join([f"P{n}", "XX", "EE", f"B{n // 200}", "DUO:0000042", *map(str, files)]))
    (folder / "samples.tsv").write_text("\n".join(rows) + "\n")
    config = {
        "reference": str(TINY / "reference.fa"),
        "build": str(TINY / "build.yaml"),
        "results": str(folder / "results"),
        "nodes": {"mine": {"samples": str(folder / "samples.tsv")}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def planned(folder: Path, number: int, kind: str, *more: object) -> dict[str, dict[str, float]]:
    done = plan("--configfile", people(folder, number, kind), "--json", folder / "plan.json", *more)
    assert done.code == 0, done.err
    return {rule["name"]: rule for rule in json.loads((folder / "plan.json").read_text())["rules"]}


def asked(rule: str, what: str) -> int:
    """What the profile asks for a first attempt at files of almost nothing."""
    read = SimpleNamespace(calls=os.devnull)
    known = {"attempt": 1, "shutil": shutil, "input": read}
    return int(eval(str(PROFILE["set-resources"][rule][what]), known))  # our own file


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, dict[str, object]]:
    out = tmp_path_factory.mktemp("plan") / "plan.json"
    done = plan("--configfile", TINY / "config.yaml", "--json", out)
    return done, json.loads(out.read_text())


@pytest.mark.parametrize(
    ("kind", "each"),
    [("gvcf", {"measure_variants", "count_alleles"}),
     ("fastq", {"align_lane", "mark_duplicates", "measure_alignments", "call_gvcf", "measure_variants",
                "count_alleles"})],
)  # fmt: skip
def test_one_person_more_is_a_fixed_number_of_jobs_more(kind: str, each: set[str], tmp_path: Path) -> None:
    few, many = planned(tmp_path / "few", 10, kind), planned(tmp_path / "many", 450, kind)
    assert {rule for rule in many if many[rule]["jobs"] == 450} == each
    assert many["sum_batch"]["jobs"] == 3
    grown = {rule for rule in many if many[rule]["jobs"] != few[rule]["jobs"]}
    assert grown == each | {"sum_batch"}


def test_people_of_one_job_take_turns(tmp_path: Path) -> None:
    """So many jobs as people fill, each with the most memory of a step and the sum of all times."""
    rules = planned(tmp_path, 10, "gvcf")
    report = json.loads((tmp_path / "plan.json").read_text())
    of_people = [rules[name] for name in ("measure_variants", "count_alleles")]
    assert {rule["group"] for rule in of_people} == {"person"}
    size = PROFILE["group-components"]["person"]
    alone = sum(rule["jobs"] for rule in rules.values() if not rule["group"])
    assert report["slurm_jobs"] == alone + -(-10 // size)
    minutes = sum(rule["minutes"] / rule["jobs"] for rule in of_people)
    assert report["longest_job_minutes"]["person"] == size * minutes
    assert report["people_per_job"]["person"] == max(1, int(240 / minutes))


#: writes down what it is asked for, and has a job that fails at once
SBATCH = """#!/bin/sh
printf '%s\\n' "$*" >> "$ASKED"
wc -l < "$ASKED"
"""
SQUEUE = """#!/bin/sh
seq 1 $(wc -l < "$ASKED") | sed 's/$/|FAILED/'
"""


def test_snakemake_asks_slurm_for_what_the_plan_says(tmp_path: Path) -> None:
    """Of ten people, with a scheduler that only writes down how it is called."""
    config = people(tmp_path, 10, "gvcf")
    (tmp_path / "bin").mkdir()
    for name, text in {"sbatch": SBATCH, "squeue": SQUEUE, "sacctmgr": "#!/bin/sh\necho some\n"}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    profile = PROFILE | {"retries": 0, "slurm-init-seconds-before-status-checks": 1, "latency-wait": 1}
    # nothing is waited for: no reference is copied first
    config.write_text(f"{config.read_text()}assume_normalised: true\n")
    profile["default-resources"] = PROFILE["default-resources"] | {"slurm_account": "some", "slurm_partition": "main"}
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text(yaml.safe_dump(profile))
    words = ["--snakefile", str(ROOT / "Snakefile"), "--profile", "profile", "--configfile", str(config)]
    bins = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "PATH": bins, "ASKED": str(tmp_path / "asked")}
    (tmp_path / "config").symlink_to(ROOT / "config")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words], cwd=tmp_path, env=environment, timeout=40,
        capture_output=True, check=False,
    )  # fmt: skip
    assert (tmp_path / "asked").exists(), done.stderr
    calls = [line for line in (tmp_path / "asked").read_text().splitlines() if "rule_person" in line]
    assert len(calls) == -(-10 // PROFILE["group-components"]["person"])
    steps = ("measure_variants", "count_alleles")
    turn = sum(asked(rule, "runtime") for rule in steps)
    minutes = {int(found[1]) for call in calls if (found := re.search(r"(?:-t|--time)[ =](\d+)", call))}
    assert minutes == {
        turn * PROFILE["group-components"]["person"],
        turn * (10 % PROFILE["group-components"]["person"]),
    }
    for call in calls:
        assert re.search(rf"--mem[ =]{max(asked(rule, 'mem_mb') for rule in steps)}\b", call)
        assert re.search(r"--cpus-per-task[ =]1\b", call)
    assert not any("--array" in call for call in calls)


def test_hours_are_what_the_profile_asks_for(tiny: tuple[Done, dict[str, object]]) -> None:
    rules = {rule["name"]: rule for rule in tiny[1]["rules"]}  # type: ignore[attr-defined]
    for name in ("index_reference", "verify_summary", "export_vcf", "merge_nodes"):
        assert rules[name]["memory_mb"] == asked(name, "mem_mb")
        assert rules[name]["longest"] == asked(name, "runtime")
        assert rules[name]["processors"] == PROFILE["set-threads"].get(name, 1)
    assert rules["align_lane"]["processors"] == 16
    assert rules["write_ploidy"]["memory_mb"] == 500
    core_minutes = sum(rule["core_minutes"] for rule in rules.values())
    assert tiny[1]["core_hours"] == pytest.approx(core_minutes / 60, abs=0.01)
    assert "Times are what jobs ask for" in tiny[0].text


def test_jobs_are_those_of_snakemakes_own_table(tiny: tuple[Done, dict[str, object]]) -> None:
    words = ["--profile", "slurm", "--configfile", str(TINY / "config.yaml"), "--dry-run", "--quiet", "rules"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")}, timeout=300,
    )  # fmt: skip
    table = dict(re.findall(r"^(\w+) +(\d+)$", (done.stdout + done.stderr).split("Job stats:")[1], re.MULTILINE))
    counts = {name: int(number) for name, number in table.items() if name not in ("all", "total")}
    assert {rule["name"]: rule["jobs"] for rule in tiny[1]["rules"]} == counts  # type: ignore[attr-defined]


def test_every_broken_limit_is_told_with_its_remedy(tmp_path: Path) -> None:
    limits = {
        "wall_minutes": 100, "node_memory_mb": 1000, "node_processors": 1, "jobs_in_queue": 2, "core_hours": 1,
        "inodes": 5,
    }  # fmt: skip
    (tmp_path / "limits.yaml").write_text(yaml.safe_dump(limits))
    done = plan("--configfile", people(tmp_path / "run", 10, "gvcf"), "--limits", tmp_path / "limits.yaml")
    assert done.code == 2
    assert set(re.findall(r"limit (\w+):", done.err)) == set(limits)
    assert "max-threads: 1" in done.err
    assert "jobs: 2" in done.err
    assert "group-components: person: 1" in done.err
    assert done.text.startswith("rule ")


def test_an_earlier_run_tells_what_jobs_cost(tmp_path: Path) -> None:
    """Two steps in 2 minutes are a minute each; what has not run before costs what it asks for."""
    header = (ROOT / "tests" / "cli" / "sacct.txt").read_text().splitlines()[0]
    step = "|COMPLETED|60|01:00.000|300M||1||"
    group = "rule_person_count_alleles_measure_variants"
    lines = [f"1|COMPLETED|120|02:00.000||2G|1|600|{group}", f"1.0{step}", f"1.1{step}", f"1.batch{step}"]
    lines += ["2|FAILED|99999|02:00.000||2G|1|600|rule_sum_node_wildcards_mine", f"2.0{step}"]
    (tmp_path / "sacct").write_text("\n".join([header, *lines]) + "\n")
    rules = planned(tmp_path / "run", 10, "gvcf", "--accounting", tmp_path / "sacct")
    asked_for = sum(rule["core_minutes"] for rule in rules.values() if not rule["group"]) / 60
    report = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert report["core_hours_as_before"] == pytest.approx(asked_for + 2 * 10 / 60, abs=0.01)


def test_scratch_is_what_sorting_rules_read(tmp_path: Path) -> None:
    config = people(tmp_path, 2, "fastq")
    (tmp_path / "files" / "P0.fastq_1.gz").write_bytes(bytes(3 * 10**6))
    done = plan("--configfile", config, "--json", tmp_path / "plan.json")
    assert done.code == 0
    assert json.loads((tmp_path / "plan.json").read_text())["scratch_mb_of_a_job"] == pytest.approx(3, abs=0.01)


def test_rules_that_spill_to_scratch_are_known() -> None:
    from tessera.files.dry_run import SORTING

    text = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    parts = re.split(r"^rule (\w+):$", text, flags=re.MULTILINE)
    spilling = {name for name, body in zip(parts[1::2], parts[2::2], strict=True) if "resources.tmpdir" in body}
    assert set(SORTING) == spilling


def test_time_that_follows_from_a_missing_file_is_not_guessed(tmp_path: Path) -> None:
    site = {
        "set-resources": {"sum_node": {"runtime": "(30 + async_run(input.manifests[0].size())) * attempt"}},
        "default-resources": {"mem_mb": 1000, "runtime": 60},
    }
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(site))
    rules = planned(tmp_path / "run", 3, "gvcf", "--site", tmp_path / "site.yaml")
    assert (rules["sum_node"]["unknown"], rules["sum_node"]["minutes"]) == (1, 0)
    # of reads, no gVCF is there yet; nobody can tell how many people fill a job
    rules = planned(tmp_path / "reads", 3, "fastq")
    assert rules["count_alleles"]["unknown"] == 3
    assert json.loads((tmp_path / "reads" / "plan.json").read_text())["people_per_job"] == {}


def test_a_refused_run_says_why_and_plans_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("nodes: {alder: {samples: none.tsv}}\n")
    done = plan("--configfile", tmp_path / "config.yaml")
    assert done.code == 2
    assert "none.tsv" in done.err
    assert "Traceback" not in done.err
    assert done.text == ""


@pytest.mark.parametrize("text", ["wall: 5\n", "wall_minutes: soon\n", "inodes: 0\n", "[1]\n"])
def test_wrong_limits_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text(text)
    done = plan("--configfile", TINY / "config.yaml", "--limits", tmp_path / "limits.yaml")
    assert done.code == 2
    assert str(tmp_path / "limits.yaml") in done.err
    assert "Traceback" not in done.err


def test_the_example_of_limits_is_valid() -> None:
    from tessera.schemas.limits import parse_limits

    example = ROOT / "slurm" / "limits.example.yaml"
    assert parse_limits(yaml.safe_load(example.read_text()), where=str(example)).wall_minutes == 4320


def test_a_configuration_that_is_not_there_is_refused_by_its_name() -> None:
    done = plan("--configfile", "lost.yaml")
    assert (done.code, done.out) == (2, b"")
    assert done.err.startswith("tessera: error: lost.yaml: there is no such file")
