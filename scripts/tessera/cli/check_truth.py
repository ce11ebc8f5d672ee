"""`tessera check-truth`: a summary against expected counts, number by number."""

import json
from pathlib import Path

import click

from tessera.cli.options import FILE, FOLDER
from tessera.errors import InputError, Problem, all_at_once, refuse

LISTED = 30


@click.command(name="check-truth")
@click.argument("summary", type=FOLDER)
@click.option(
    "--truth", type=FOLDER, required=True, help="Folder with people, variants, an_track, histograms, exact.bed."
)
@click.option("--scope", required=True, help="Which rows of the tables: a node's name, or federation.")
@click.option("--decisions", type=FILE, help="The node's decisions, to compare who was counted and why others not.")
@click.option("--out", type=FILE, required=True, help="Result (JSON): numbers compared, by kind.")
def command(summary: Path, truth: Path, scope: str, decisions: Path | None, out: Path) -> None:
    """Compare SUMMARY with the expected counts of one scope; any difference is an error."""
    import polars as pl

    from tessera.files.atomic import written_aside
    from tessera.files.decisions import read_decisions
    from tessera.files.summaries import SummaryFolder
    from tessera.files.tables import read_tsv
    from tessera.report import truth as expected
    from tessera.schemas import truth as tables
    from tessera.summary.blocks import Block

    given = (tables.TRUE_VARIANTS, tables.TRUE_AN_TRACK, tables.TRUE_HISTOGRAMS, tables.EXACT_REGIONS)
    every: dict[str, pl.DataFrame] = {}
    with all_at_once() as gathered:
        with gathered.trying():
            folder = SummaryFolder(summary)
        for table in given:
            with gathered.trying():
                every[table.name] = read_tsv(truth / table.name, table)
        if decisions is not None:
            with gathered.trying():
                everybody = read_tsv(truth / tables.TRUE_PEOPLE.name, tables.TRUE_PEOPLE)
            with gathered.trying():
                decided = read_decisions(decisions)
    scopes = sorted(set().union(*(rows["scope"] for rows in every.values())))
    if scope not in scopes:
        raise refuse("--scope", scope, f"one of {', '.join(scopes)}")
    rows = {name: table.filter(pl.col("scope") == scope).drop("scope") for name, table in every.items()}
    blocks = [block for _, block in folder.blocks()] or [Block.empty()]
    results = {
        "variants": expected.compare_variants(blocks, sorted(folder.manifest.people), rows["variants.tsv"]),
        "an_track": expected.compare_tracks([b.an_track for b in blocks], rows["an_track.tsv"], rows["exact.bed"]),
        "histograms": expected.compare_histograms([b.histograms for b in blocks], rows["histograms.tsv"]),
    }
    if decisions is not None:
        results["people"] = expected.compare_people(decided, everybody.filter(pl.col("node") == scope))
    wrong = [sentence for result in results.values() for sentence in result.differences]
    if wrong:
        more = f" and {len(wrong) - LISTED:,} more" if len(wrong) > LISTED else ""
        raise InputError([Problem(f"{summary} ({scope})", s, f"the counts of {truth}{more}") for s in wrong[:LISTED]])
    compared = {name: result.numbers for name, result in results.items()}
    with written_aside(out) as aside:
        aside.write_text(json.dumps({"scope": scope, "compared": compared}, indent=1) + "\n")
    click.echo(f"{summary}: equal to the expected counts of {scope}; {sum(compared.values()):,} numbers compared")
