"""What the verbs of `tessera catalogue` share: a summary, and what the configuration says of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.options import FILE
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.schemas.catalogue import Entry
    from tessera.schemas.config import Config

config_option = click.option(
    "--config", "configurations", type=FILE, multiple=True, required=True,
    help="Configuration file (YAML); several are merged, later ones win.",
)  # fmt: skip
entry_option = click.option("--entry", "name", required=True, help="Entry of the configuration's key catalogue.")


def read_described(configurations: tuple[Path, ...], name: str) -> tuple["Entry", "Config", dict[str, Any]]:
    """An entry of a configuration, the configuration, and the document that it is, each file read once.

    Raises InputError with everything that is wrong in the configuration.
    """
    from tessera.files.config import merge_documents, parse_config

    document = merge_documents(configurations)
    config = parse_config(document, where=", ".join(map(str, configurations)))
    if name not in config.catalogue:
        there = ", ".join(config.catalogue) or "none"
        raise refuse("--entry", repr(name), f"an entry of the key catalogue ({there})", "See config/README.md.")
    return config.catalogue[name], config, document
