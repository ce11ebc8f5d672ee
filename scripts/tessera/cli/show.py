"""`tessera show`: the counts of a summary as a table."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FOLDER, check_not_in_grpmax, not_in_grpmax_option
from tessera.errors import refuse

if TYPE_CHECKING:
    import polars as pl

    from tessera.files.summaries import SummaryFolder
    from tessera.summary.blocks import Block

REGION = re.compile(r"(?P<contig>[^:]+)(:(?P<start>\d[\d,]*)(-(?P<end>\d[\d,]*))?)?")
GROUPS = ("population", "sex")


@click.command(name="show")
@click.argument("summary", type=FOLDER)
@click.option("--region", help="CONTIG, CONTIG:POS or CONTIG:START-END; 1-based, both ends within.")
@click.option("--by", default="", help="Keep apart: population, sex, or population,sex. Without it one row a variant.")
@click.option("--qc", is_flag=True, help="Instead: mean, sd and histogram of the metrics of the people, by QC sums.")
@click.option("--statistics", is_flag=True, help="Add call rate, Hardy-Weinberg tests, filtering frequencies, grpmax.")
@not_in_grpmax_option
@click.option("--format", "form", type=click.Choice(["tsv", "parquet"]), default="tsv", show_default=True)
def command(
    summary: Path, region: str | None, by: str, qc: bool, statistics: bool, not_in_grpmax: tuple[str, ...], form: str
) -> None:
    """Print AC, AN, AF and the counts of people for every variant of SUMMARY.

    On standard output, TSV with a header, or Parquet. --statistics adds n_people (who has copies there), call_rate,
    HWE, ExcHet, inbreeding_coeff, faf95 and faf99, and, where populations are pooled, grpmax and fafmax. --qc prints
    the metrics of GA4GH WGS Quality Control over the people of whom each was measured. A value that there is not is
    empty.
    """
    from tessera.files.summaries import SummaryFolder

    groups = tuple(name for name in by.split(",") if name)
    if set(groups) - set(GROUPS) or len(set(groups)) < len(groups):
        raise refuse("--by", repr(by), "population, sex, or population,sex")
    ordered = tuple(name for name in GROUPS if name in groups)
    folder = SummaryFolder(summary)
    if qc:
        _refuse_beside_qc(region, statistics=statistics)
        from tessera.summary.qc_table import qc_table

        _print(iter([qc_table(folder.qc_sums, ordered)]), form)
        return
    check_not_in_grpmax(not_in_grpmax, folder.manifest.people, asked=statistics and "population" not in groups)
    derive = _statistics(folder, ordered, not_in_grpmax) if statistics else _frequencies(folder, ordered)
    frames = _frames(folder, _span(region, folder), derive)
    _print(frames, form)


def _refuse_beside_qc(region: str | None, *, statistics: bool) -> None:
    if region is not None or statistics:
        raise refuse("--qc", "with --region or --statistics, which are about variants", "--qc, --by and --format alone")


def _print(frames: "Iterator[pl.DataFrame]", form: str) -> None:
    """Write to standard output ourselves: polars would hide that the reader of a pipe has gone."""
    import polars as pl

    try:
        if form == "parquet":
            whole = io.BytesIO()
            pl.concat(list(frames)).write_parquet(whole)
            sys.stdout.buffer.write(whole.getbuffer())
        else:
            for number, frame in enumerate(frames):
                sys.stdout.buffer.write(frame.write_csv(separator="\t", include_header=number == 0).encode())
        sys.stdout.flush()
    except OSError:
        # Python would try once more at the end, and exit by that
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


Derive = Callable[["Block"], "pl.DataFrame"]


def _frequencies(folder: "SummaryFolder", by: tuple[str, ...]) -> Derive:
    from tessera.summary.frequencies import frequencies

    strata = list(folder.manifest.people)
    return lambda block: frequencies(block, strata, by)


def _statistics(folder: "SummaryFolder", by: tuple[str, ...], not_in_grpmax: tuple[str, ...]) -> Derive:
    # scipy takes a quarter of a second to load
    from tessera.summary.statistics import statistics

    return lambda block: statistics(block, folder.manifest, by, not_in_grpmax)


def _frames(folder: "SummaryFolder", span: tuple[str, int, int] | None, derive: Derive) -> "Iterator[pl.DataFrame]":
    """An empty table first, for its header; then one table for each block."""
    import polars as pl

    from tessera.summary.blocks import BLOCK_SIZE, Block, BlockKey

    yield derive(Block.empty())
    for contig in [span[0]] if span else folder.contigs:
        first, last = (span[1], span[2]) if span else (1, 2**31 - 1)
        for index in folder.indices(contig, ["variants"]):
            if (first - 1) // BLOCK_SIZE <= index <= (last - 1) // BLOCK_SIZE:
                table = derive(folder.block(BlockKey(contig, index)))
                yield table.filter(pl.col("pos").is_between(first, last))


def _span(region: str | None, folder: "SummaryFolder") -> tuple[str, int, int] | None:
    if region is None:
        return None
    match = REGION.fullmatch(region)
    names = [contig["name"] for contig in folder.manifest.rules["build"]["contigs"]]
    if not match or match["contig"] not in names:
        raise refuse(
            "--region",
            repr(region),
            f"CONTIG or CONTIG:START-END with a contig of the build ({', '.join(names)})",
        )
    start = int((match["start"] or "1").replace(",", ""))
    end = int((match["end"] or match["start"] or str(2**31 - 1)).replace(",", ""))
    if not 1 <= start <= end:
        raise refuse("--region", repr(region), "1 <= START <= END")
    return match["contig"], start, end
