"""`tessera catalogue write`: the records of a data set."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.catalogue.entry import config_option, entry_option, read_described
from tessera.cli.options import FOLDER
from tessera.errors import InputError

if TYPE_CHECKING:
    from tessera.schemas.catalogue import Entry


@click.command(name="write")
@click.argument("summary", type=FOLDER)
@config_option
@entry_option
@click.option("--out", type=FOLDER, required=True, help="Folder of the records; an older one is replaced.")
def command(summary: Path, configurations: tuple[Path, ...], name: str, out: Path) -> None:
    """Write catalogue records of SUMMARY: DCAT in the profile of GDI and in HealthDCAT-AP, as Turtle and as JSON-LD.

    Numbers are those of the summary, words those of the configuration's key catalogue. Where a Beacon is named there,
    its service-info.json and info.json are written too. A record names no population of fewer than ten people.
    """
    from tessera.federation.catalogue import PREFIXES, PROFILES, catalogue_record, check_use
    from tessera.files.atomic import directory_written_aside, refuse_foreign
    from tessera.files.linked_data import json_ld, turtle
    from tessera.files.summaries import SummaryFolder, refuse_altered
    from tessera.report.run_report import count_variants

    entry, _, _ = read_described(configurations, name)
    folder = SummaryFolder(summary)
    refuse_altered([folder])
    problems = list(check_use(entry, folder.manifest, where=f"catalogue.{name}"))
    if problems:
        raise InputError(problems)
    records = count_variants(block.variants for _, block in folder.blocks())
    own = {f"{profile}.{ending}" for profile in PROFILES for ending in ("ttl", "jsonld")}
    refuse_foreign(out, {*own, "service-info.json", "info.json"}.__contains__, "a folder of records")
    with directory_written_aside(out) as aside:
        for profile, ways in PROFILES.items():
            nodes = catalogue_record(entry, folder.manifest, records, ways)
            (aside / f"{profile}.ttl").write_bytes(turtle(nodes, PREFIXES).encode())
            (aside / f"{profile}.jsonld").write_bytes(json_ld(nodes, PREFIXES).encode())
        _write_service(entry, aside)


def _write_service(entry: "Entry", folder: Path) -> None:
    from tessera.federation.service_info import beacon_info, service_info

    if entry.beacon:
        documents = {"service-info": service_info(entry, entry.beacon), "info": beacon_info(entry, entry.beacon)}
        for name, document in documents.items():
            text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
            (folder / f"{name}.json").write_bytes(text.encode())
