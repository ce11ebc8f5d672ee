"""`tessera cohort`: a cohort that grows and shrinks person by person. A verb is a file of this folder."""

import click

from tessera.cli.cohort import add, init, release, status, verify, withdraw


@click.group(name="cohort")
def command() -> None:
    """Keep a cohort that grows and shrinks person by person.

    The folder of a cohort is private: its ledger tells who is in. Only what `tessera cohort release` writes may leave.
    """


for verb in (init, add, withdraw, release, status, verify):
    command.add_command(verb.command)
