"""Reading who is counted: each sample once, and a reason exactly where it is not."""

from pathlib import Path

import polars as pl

from tessera.errors import InputError, Problem
from tessera.files.tables import read_tsv
from tessera.schemas.decisions import DECISIONS, REASONS, is_reason
from tessera.schemas.document import quoted


def read_decisions(path: Path) -> pl.DataFrame:
    """The rows of DECISIONS; `reason` is empty for those who are counted.

    Raises InputError for a sample that is decided twice, whose `counted` and `reason` contradict each other, or
    whose reason is none of REASONS: they leave the node in a manifest, so no free text may be among them.
    """
    rows = read_tsv(path, DECISIONS).with_columns(pl.col("reason").fill_null(""))
    twice = rows.filter(pl.col("sample").is_duplicated())["sample"].unique().sort()
    problems = [Problem(f"{path} sample {name}", "decided twice", "one line for each sample") for name in twice]
    for name, counted, reason in rows.iter_rows():
        if counted is not (reason == ""):
            found = f"counted is {str(counted).lower()} {f'with reason {reason}' if reason else 'without a reason'}"
            problems.append(Problem(f"{path} sample {name}", found, "true and no reason, or false and a reason"))
        elif reason and not is_reason(reason):
            expected = f"{', '.join(REASONS)}, or several joined by ; in alphabetical order"
            problems.append(Problem(f"{path} sample {name}", f"reason {quoted(reason)}", expected))
    if problems:
        raise InputError(problems)
    return rows
