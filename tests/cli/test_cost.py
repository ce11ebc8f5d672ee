"""`tessera cost` reads the accounting of a real cluster, and says what it cannot tell.

sacct.txt is what SLURM 22.05.8 printed of runs with Snakemake's plugin: a job of four people that failed for one of
them, and failed again; two jobs killed for memory, one of them with two processors; one that went well.
"""

import json
from pathlib import Path

import pytest

from commands import Tessera

RECORDED = Path(__file__).with_name("sacct.txt")
HEADER = RECORDED.read_text().splitlines()[0]


def rows(tessera: Tessera, accounting: Path, out: Path) -> dict[str, dict[str, object]]:
    done = tessera("cost", accounting, "--json", out)
    assert done.code == 0, done.err
    return {row["rule"]: row for row in json.loads(out.read_text())["rules"]}


def test_numbers_are_those_of_the_accounting(tessera: Tessera, tmp_path: Path) -> None:
    """Worked out by hand from the lines of the file."""
    found = rows(tessera, RECORDED, tmp_path / "cost.json")
    assert set(found) == {"person_a_b_c", "hungry", "burn", "good"}
    person, burn = found["person_a_b_c"], found["burn"]
    assert (person["jobs"], person["failed"]) == (2, 2)
    assert person["elapsed_seconds"] == {"median": 102, "longest": 105}
    assert person["core_hours"] == pytest.approx((99 + 105) / 3600)
    assert person["cpu_efficiency"] == pytest.approx((16.285 + 17.080) / (99 + 105))
    assert person["peak_mb"] == pytest.approx(314.5)
    assert person["memory_used"] == pytest.approx(314.5 / 600)
    assert person["time_used"] == pytest.approx(105 / 60 / 24)
    assert burn["core_hours"] == pytest.approx(2 * 32 / 3600)
    assert burn["cpu_efficiency"] == pytest.approx(5.093 / 64)


def test_rules_that_ask_for_too_much_or_too_little_are_named(tessera: Tessera) -> None:
    said = tessera("cost", RECORDED).text
    assert "hungry asks for too little memory: jobs were killed" in said
    assert "burn asks for too many processors: 8% of their time was used" in said
    assert "good asks for too much memory: 48% was used at most" in said
    assert "good asks for too much time: 7% was used at most" in said
    assert "person_a_b_c asks for too much memory" not in said


def test_a_single_job_is_told_by_its_wildcards(tessera: Tessera, tmp_path: Path) -> None:
    rows(tessera, RECORDED, tmp_path / "cost.json")
    jobs = {job["id"]: job for job in json.loads((tmp_path / "cost.json").read_text())["jobs"]}
    assert (jobs["4"]["rule"], jobs["4"]["wildcards"], jobs["4"]["state"]) == ("burn", "two", "OUT_OF_MEMORY")
    assert (jobs["1"]["rule"], jobs["1"]["wildcards"]) == ("person_a_b_c", "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:03.591", 3.591), ("01:02:03", 3723), ("2-00:00:01", 172801), ("59:59", 3599), ("1-02:03:04", 93784)],
)
def test_times_are_as_the_manual_writes_them(text: str, seconds: float, tessera: Tessera, tmp_path: Path) -> None:
    """sacct(1): TotalCPU is [DD-[HH:]]MM:SS, with thousandths below an hour."""
    (tmp_path / "sacct").write_text(f"{HEADER}\n7|COMPLETED|100|{text}||2G|1|10|rule_x_wildcards_a_b\n")
    found = rows(tessera, tmp_path / "sacct", tmp_path / "cost.json")
    assert found["x"]["cpu_efficiency"] == pytest.approx(seconds / 100)


def test_what_the_accounting_lacks_is_said_and_not_made_up(tessera: Tessera, tmp_path: Path) -> None:
    (tmp_path / "sacct").write_text(
        f"{HEADER}\n7|COMPLETED|0|00:00:00||2G|1|UNLIMITED|\n8|RUNNING|9|00:00:00||2G|1|9|\n"
    )
    row = rows(tessera, tmp_path / "sacct", tmp_path / "cost.json")["(no comment)"]
    assert row["jobs"] == 1
    assert row["peak_mb"] is row["cpu_efficiency"] is row["time_used"] is None
    said = tessera("cost", tmp_path / "sacct").text
    assert "AccountingStoreFlags=job_comment" in said
    assert "Peak memory is missing" in said


def test_a_job_over_its_time_asks_for_too_little(tessera: Tessera, tmp_path: Path) -> None:
    lines = "9|TIMEOUT|630|00:05.000||500M|1|10|rule_slow\n9.batch|CANCELLED|630|00:05.000|300M||1||"
    (tmp_path / "sacct").write_text(f"{HEADER}\n{lines}\n10|CANCELLED by 0|1|00:00:00||500M|1|10|rule_slow\n")
    done = tessera("cost", tmp_path / "sacct")
    assert "slow asks for too little time: jobs were killed" in done.text
    assert rows(tessera, tmp_path / "sacct", tmp_path / "cost.json")["slow"]["failed"] == 2


@pytest.mark.parametrize(
    "text",
    ["", "JobID|State\n1|COMPLETED\n", f"{HEADER}\n1|COMPLETED|soon|00:01||1G|1|5|\n", f"{HEADER}\n1|COMPLETED\n",
     f"{HEADER}\n1|COMPLETED|5|00:01|lots|1G|1|5|\n", f"{HEADER}\n1||5|00:01||1G|1|5|\n"],
)  # fmt: skip
def test_what_sacct_does_not_print_is_refused(text: str, tessera: Tessera, tmp_path: Path) -> None:
    (tmp_path / "sacct").write_text(text)
    done = tessera("cost", tmp_path / "sacct", "--json", tmp_path / "cost.json")
    assert done.code == 2
    assert str(tmp_path / "sacct") in done.err
    assert "sacct --parsable2 --format" in done.err
    assert not (tmp_path / "cost.json").exists()


def test_all_wrong_lines_are_told_at_once(tessera: Tessera, tmp_path: Path) -> None:
    (tmp_path / "sacct").write_text(f"{HEADER}\n1|COMPLETED|x|0:1||1G|1|5|\n2|COMPLETED|5|00:01||1G|1|5|\n3|x\n")
    err = tessera("cost", tmp_path / "sacct").err
    assert "line 2" in err
    assert "line 4" in err
    assert "line 3" not in err
