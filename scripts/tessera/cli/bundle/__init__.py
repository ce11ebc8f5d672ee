"""`tessera bundle`: a summary packed, signed and encrypted. A verb is a file of this folder."""

import click

from tessera.cli.bundle import open as open_bundle
from tessera.cli.bundle import pack, verify


@click.group(name="bundle")
def command() -> None:
    """Send a summary to partners: packed, signed, encrypted; and open what they sent."""


for verb in (pack, open_bundle, verify):
    command.add_command(verb.command)
