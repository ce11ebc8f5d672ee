"""`tessera keys show`: what key files hold, without what is secret."""

from pathlib import Path

import click

from tessera.cli.options import FILE


@click.command(name="show")
@click.argument("files", type=FILE, nargs=-1, required=True)
def command(files: tuple[Path, ...]) -> None:
    """Print purpose, half and fingerprint of each of FILES; of a private key the fingerprint is its public half's."""
    for file in files:
        tell(file)


def tell(file: Path) -> None:
    """Print the line of one key file."""
    from tessera.files.keys import read_key

    key = read_key(file)
    click.echo(f"{file}\t{key.purpose}\t{'private' if key.private else 'public'}\t{key.fingerprint}")
