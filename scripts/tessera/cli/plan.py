"""`tessera plan`: what a run will ask of a cluster, before anything is submitted."""

from pathlib import Path
from typing import Any, TextIO

import click

from tessera.cli.options import FILE
from tessera.errors import InputError, refuse


@click.command("plan")
@click.option(
    "--configfile", "configs", type=FILE, multiple=True, required=True, help="As for Snakemake; may be repeated."
)
@click.option("--snakefile", type=FILE, default=Path("Snakefile"), show_default=True, help="The workflow.")
@click.option(
    "--profile",
    type=click.Path(path_type=Path),
    default=Path("slurm"),
    show_default=True,
    help="Folder of the profile.",
)
@click.option("--site", type=FILE, help="The site's file on top of the profile, as for --workflow-profile.")
@click.option("--limits", "limits_file", type=FILE, help="What the site allows (YAML), see slurm/limits.example.yaml.")
@click.option(
    "--accounting", type=click.File(), help="What sacct prints of an earlier run (see tessera cost), for what it cost."
)
@click.option("--json", "out_json", type=FILE, help="Write the plan as JSON as well.")
def command(
    configs: tuple[Path, ...],
    snakefile: Path,
    profile: Path,
    site: Path | None,
    limits_file: Path | None,
    accounting: TextIO | None,
    out_json: Path | None,
) -> None:
    """Tell jobs, core-hours, memory, scratch, files and submit time of a run, by its dry run.

    Nothing is submitted. Hours are what jobs ask for and, with --accounting, what such jobs cost before. Where the plan
    breaks limits of the site the exit code is 2, and each is named with its remedy.
    """
    import json

    from tessera.files.atomic import written_aside
    from tessera.files.config import merge_documents
    from tessera.files.dry_run import read_dry_run
    from tessera.files.sacct import read_sacct
    from tessera.files.yaml_documents import read_yaml
    from tessera.report.cost import core_hours_per_step
    from tessera.report.plan import Plan, broken_limits, plan_report, plan_text
    from tessera.schemas.limits import Limits, parse_limits

    merge_documents(configs)  # Snakemake says by a traceback that it cannot read one
    limits = parse_limits(read_yaml(limits_file) or {}, where=str(limits_file)) if limits_file else Limits()
    settings = _settings(profile, site)
    before = core_hours_per_step(read_sacct(accounting, where=accounting.name)) if accounting else {}
    plan = Plan()
    words = ["--snakefile", str(snakefile), "--profile", str(profile), "--configfile", *map(str, configs)]
    read_dry_run([*words, *(["--workflow-profile", str(site)] if site else [])], plan.add)
    report = plan_report(plan, limits, before)
    click.echo(plan_text(report, limits), nl=False)
    if out_json:
        with written_aside(out_json) as aside:
            aside.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    components: dict[str, int] = settings.get("group-components") or {}
    problems = list(broken_limits(plan, limits, int(settings.get("jobs") or plan.jobs), components))
    if problems:
        raise InputError(problems)


def _settings(profile: Path, site: Path | None) -> dict[str, Any]:
    """The profile's keys, those of the site's file instead where it has them."""
    from tessera.files.yaml_documents import read_yaml
    from tessera.schemas.document import quoted

    found: dict[str, Any] = {}
    for path in [profile / "config.yaml", *([site] if site else [])]:
        document = read_yaml(path)
        if not isinstance(document, dict):
            raise refuse(str(path), f"found {quoted(document)}", "keys and values of a Snakemake profile")
        found |= document
    return found
