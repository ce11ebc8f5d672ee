"""What the verbs of `tessera catalogue` share: a summary, and what the configuration says of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.schemas.catalogue import Entry

config_option = click.option(
    "--config", "configurations", type=FILE, multiple=True, required=True,
    help="Configuration file (YAML); several are merged, later ones win.",
)  # fmt: skip
entry_option = click.option("--entry", "name", required=True, help="Entry of the configuration's key catalogue.")


def read_entry(configurations: tuple[Path, ...], name: str) -> "Entry":
    """The entry of a configuration. Raises InputError with everything that is wrong in the configuration."""
    from tessera.files.config import read_config

    catalogue = read_config(configurations).catalogue
    if name not in catalogue:
        there = ", ".join(catalogue) or "none"
        raise refuse("--entry", repr(name), f"an entry of the key catalogue ({there})", "See config/README.md.")
    return catalogue[name]
