"""`tessera catalogue`: what others read before they ask for a data set. A verb is a file of this folder."""

import click

from tessera.cli.catalogue import write, write_crate


@click.group(name="catalogue")
def command() -> None:
    """Describe a data set so that others can find it, and the run that made it."""


for verb in (write, write_crate):
    command.add_command(verb.command)
