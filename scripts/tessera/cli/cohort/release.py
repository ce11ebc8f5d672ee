"""`tessera cohort release`: the summary of everybody who is in."""

from pathlib import Path

import click

from tessera.cli.cohort.counting import now
from tessera.cli.options import FOLDER, cohort_argument, side_by_side_option


@click.command(name="release")
@cohort_argument
@side_by_side_option
@click.option("--out", type=FOLDER, required=True, help="Folder of the summary; an older summary there is replaced.")
def command(cohort: Path, workers: int, out: Path) -> None:
    """Add up COHORT into a summary: exactly what counting the people who are in together gives.

    It holds nothing of the ledger. `OUT.provenance.json`, beside it, names cohort and line, and is private.
    """
    from tessera.cohort.members import replay
    from tessera.files.cohort_folder import opened_cohort
    from tessera.files.provenance import write_provenance
    from tessera.files.recorded import recorded_path
    from tessera.files.summary_sums import sum_of_parts

    with opened_cohort(cohort, to_change=True) as folder:
        folder.refuse_inside(out)
        place = recorded_path(out)
        history = replay(folder.ledger.lines, str(folder.ledger.path))
        counted = sum(stay.person["reason"] == "" for stay in history.present.values())
        # the line first: no release is ever out that the ledger does not know of
        with sum_of_parts(folder.whole_parts(1), folder.whole_parts(-1), out, workers) as digest:
            line = folder.line("release", now(), {"out": place, "digest": digest, "counted": counted})
            head = folder.append(line)
        arguments = {"cohort": cohort, "ledger_line": line["line"], "ledger_head": head}
        write_provenance(out, "cohort release", arguments, {})
    click.echo(f"{out}: {counted:,} people counted; {digest}", err=True)
