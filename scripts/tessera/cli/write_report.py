"""`tessera write-report`: a run's results in, one page about them out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, FOLDER

if TYPE_CHECKING:
    from tessera.report.run_report import Comparison, Scope


@click.command("write-report")
@click.option("--results", type=FOLDER, required=True, help="Folder of the run's results.")
@click.option("--node", "nodes", multiple=True, required=True, help="Name of a node of the run; may be repeated.")
@click.option("--summary", "others", type=FOLDER, multiple=True, help="Summary another node sent; may be repeated.")
@click.option("--truth", "results_of", type=FILE, multiple=True, help="Result of check-truth; may be repeated.")
@click.option("--relatives", is_flag=True, help="The run has looked for relatives: tell the pairs to review.")
@click.option("--out", type=FILE, required=True, help="The report as text.")
@click.option("--json", "out_json", type=FILE, required=True, help="The report as JSON.")
def command(
    results: Path,
    nodes: tuple[str, ...],
    others: tuple[Path, ...],
    results_of: tuple[Path, ...],
    relatives: bool,
    out: Path,
    out_json: Path,
) -> None:
    """Write the run's short report: who was counted, who was not and why.

    It holds numbers of people, never a person, and names of nodes, never a path: it may be shown to partners.
    Summaries that others sent are `received 1`, `received 2`..., in the order given.
    """
    import json
    from collections import Counter
    from dataclasses import replace

    from tessera.files.atomic import written_aside
    from tessera.files.decisions import read_decisions
    from tessera.report.run_report import MERGED, build_report, reasons, report_text

    scopes = [
        _scope(node, results / node / "summary", reasons(read_decisions(_decisions(results, node)))) for node in nodes
    ]
    if relatives:
        scopes = [replace(scope, related=_related(results, scope.name)) for scope in scopes]
    scopes += [_scope(f"received {number}", other) for number, other in enumerate(others, start=1)]
    gone: Counter[str] = Counter()
    for scope in scopes:
        gone.update(scope.not_counted)
    merged = _scope(MERGED, results / "federation" / "summary", dict(gone))
    report = build_report(scopes, merged, [_comparison(path) for path in results_of])
    with written_aside(out_json) as aside:
        aside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    with written_aside(out) as aside:
        aside.write_text(report_text(report, _places(results)), encoding="utf-8")


def _decisions(results: Path, node: str) -> Path:
    return results / node / "private" / "decisions.tsv"


def _related(results: Path, node: str) -> dict[str, int]:
    """Degree -> pairs of people of a node, the closest first."""
    from tessera.files.tables import read_tsv
    from tessera.schemas.relatives import DEGREES, RELATIVES

    found = read_tsv(results / node / "private" / "relatives.tsv", RELATIVES)["relation"].value_counts()
    pairs = dict(found.iter_rows())
    return {degree: pairs[degree] for degree, _ in DEGREES if degree in pairs}


def _scope(name: str, summary: Path, not_counted: dict[str, int] | None = None) -> "Scope":
    """A summary's numbers; a summary knows nothing of withdrawn people, so a node of ours gives its own reasons."""
    from tessera.files.summaries import SummaryFolder
    from tessera.report.run_report import Scope, count_variants
    from tessera.summary.qc_table import qc_table

    folder = SummaryFolder(summary)
    manifest = folder.manifest
    variants = count_variants(block.variants for _, block in folder.blocks())
    why = manifest.not_counted if not_counted is None else not_counted
    metrics = {row["metric"]: {key: row[key] for key in ("n", "mean", "sd")}
               for row in qc_table(folder.qc_sums).iter_rows(named=True)}  # fmt: skip
    return Scope(name, sum(manifest.people.values()), why, variants, manifest.is_exact, metrics=metrics)


def _comparison(path: Path) -> "Comparison":
    import json

    from tessera.errors import refuse
    from tessera.report.run_report import Comparison

    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        return Comparison(result["scope"], sum(result["compared"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refuse(str(path), f"not readable ({error})", "a result of tessera check-truth") from error


def _places(results: Path) -> dict[str, str]:
    """What lies where in the folder of results."""
    frequencies = "federation/allele_frequencies.vcf.gz"
    return {
        "merged summary": "federation/summary",
        **({"allele frequencies": frequencies} if (results / frequencies).is_file() else {}),
        "a node's summary": "NODE/summary",
        "decisions on people (private)": "NODE/private/decisions.tsv",
    }
