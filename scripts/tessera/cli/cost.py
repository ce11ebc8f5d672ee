"""`tessera cost`: what a run cost, out of SLURM's accounting."""

from pathlib import Path
from typing import TextIO

import click

from tessera.cli.options import FILE


@click.command("cost")
@click.argument("accounting", type=click.File())
@click.option("--json", "out_json", type=FILE, help="Write rules and single jobs as JSON; wildcards name samples.")
def command(accounting: TextIO, out_json: Path | None) -> None:
    """Tell what a run cost by rule: time, processors and memory used, beside what was asked for.

    ACCOUNTING is what sacct prints (slurm/README.md has the command), - for standard input. Rules that ask for too much
    or too little are named. Without accounting there is nothing to tell.
    """
    import json

    from tessera.files.atomic import written_aside
    from tessera.files.sacct import read_sacct
    from tessera.report.cost import cost_text, costs, job_rows

    jobs = read_sacct(accounting, where=accounting.name)
    rows = costs(jobs)
    click.echo(cost_text(rows), nl=False)
    if out_json:
        document = {"rules": rows, "jobs": job_rows(jobs)}
        with written_aside(out_json) as aside:
            aside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
