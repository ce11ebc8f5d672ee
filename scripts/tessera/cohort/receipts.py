"""The receipt of a withdrawal: what was taken out of a cohort, when, and which releases still hold the person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from tessera.cohort.members import Line, Stay
from tessera.schemas.cohort_ledger import RECEIPT_VERSION
from tessera.summary.algebra import COUNTS
from tessera.summary.an_track import CALLED
from tessera.summary.blocks import Block

#: table -> its numbers of people
NUMBERS = {"variants": COUNTS, "an_track": CALLED, "histograms": ["count"]}


def touched(blocks: Iterable[Block]) -> tuple[dict[str, int], int]:
    """Table -> its rows; and how many numbers in all of them are above zero."""
    rows, counts = dict.fromkeys(NUMBERS, 0), 0
    for block in blocks:
        for table, columns in NUMBERS.items():
            frame: pl.DataFrame = getattr(block, table)
            rows[table] += len(frame)
            counts += int((frame.select(columns) > 0).sum().sum_horizontal().sum())
    return rows, counts


def receipt(
    stay: Stay, person: Mapping[str, Any], line: Line, digest: str, lines: Sequence[Line], releases: Sequence[Line]
) -> dict[str, Any]:
    """The receipt of `stay` that ends with `line` (its digest is `digest`), in which `person` says what was touched."""
    return {
        "schema": RECEIPT_VERSION,
        "sample": stay.sample,
        "added": lines[stay.added - 1]["at"],
        "withdrawn": line["at"],
        "line": line["line"],
        "digest": digest,
        "rows": person["rows"],
        "counts": person["counts"],
        "still_in": [
            {key: release[key] for key in ("line", "at", "out", "digest")}
            for release in releases
            if stay.held_by(release)
        ],
    }


def receipt_text(told: Mapping[str, Any], cohort: str) -> Iterator[str]:
    """A receipt in lines to read."""
    rows = told["rows"]
    yield f"{told['sample']} is out of {cohort}"
    yield f"  came in         {told['added']}"
    yield f"  left            {told['withdrawn']}, line {told['line']} of the ledger, {told['digest']}"
    yield (
        f"  taken out       {rows['variants']:,} rows of the leaf table, {rows['an_track']:,} runs of the AN track, "
        f"{rows['histograms']:,} bins of histograms"
    )
    yield f"                  {told['counts']:,} numbers above zero in them"
    if not told["still_in"]:
        yield "  still in        no release"
    for release in told["still_in"]:
        yield f"  still in        {release['out']}, released {release['at']}, {release['digest']}"
    if told["still_in"]:
        yield "  Make a new release, and tell everybody who has one of these to put it in their place."
