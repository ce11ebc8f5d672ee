"""`tessera keys`: the keys of a node or a hub. A verb is a file of this folder."""

import click

from tessera.cli.keys import new, show


@click.group(name="keys")
def command() -> None:
    """Make and look at the keys that sign and encrypt bundles."""


for verb in (new, show):
    command.add_command(verb.command)
