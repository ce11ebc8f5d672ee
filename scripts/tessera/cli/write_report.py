"""`tessera write-report`: a run's results in, one page about them out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, FOLDER

if TYPE_CHECKING:
    from tessera.report.run_report import Comparison, Scope


@click.command("write-report")
@click.option("--results", type=FOLDER, required=True, help="Folder of the run's results.")
@click.option("--node", "nodes", multiple=True, required=True, help="Name of a node of the run; may be repeated.")
@click.option(
    "--truth", "comparisons", type=FILE, multiple=True, help="Result of tessera check-truth; may be repeated."
)
@click.option("--out", type=FILE, required=True, help="The report as text.")
@click.option("--json", "out_json", type=FILE, required=True, help="The report as JSON.")
def command(
    results: Path, nodes: tuple[str, ...], comparisons: tuple[Path, ...], out: Path, out_json: Path
) -> None:
    """Write the run's short report: who was counted, who was not and why.

    It holds numbers of people, never a person.
    """
    import json

    from tessera.files.atomic import written_aside
    from tessera.files.tables import read_tsv
    from tessera.report.run_report import MERGED, build_report, reasons, report_text
    from tessera.schemas.decisions import DECISIONS

    scopes = []
    gone: dict[str, int] = {}
    for node in nodes:
        why = reasons(read_tsv(results / node / "private" / "decisions.tsv", DECISIONS))
        scopes.append(_scope(node, results / node / "summary", why))
    federation = results / "federation"
    merged = _scope(MERGED, federation / "summary", gone)
    report = build_report(scopes, merged, [_comparison(path) for path in comparisons])
    with written_aside(out_json) as aside:
        aside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    with written_aside(out) as aside:
        aside.write_text(report_text(report, _places(results)), encoding="utf-8")
