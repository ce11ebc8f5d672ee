"""`tessera keys show`: what key files hold, without what is secret."""

from collections.abc import Callable
from pathlib import Path

import click

from tessera.cli.options import FILE, passphrase_file_option, passphrase_from


@click.command(name="show")
@click.argument("files", type=FILE, nargs=-1, required=True)
@passphrase_file_option
def command(files: tuple[Path, ...], passphrase_file: Path | None) -> None:
    """Print purpose, half and fingerprint of each of FILES; of a private key the fingerprint is its public half's."""
    passphrase = passphrase_from(passphrase_file)
    for file in files:
        tell(file, passphrase)


def tell(file: Path, passphrase: Callable[[Path], bytes] | None = None) -> None:
    """Print the line of one key file."""
    from tessera.files.keys import read_key

    key = read_key(file, passphrase)
    click.echo(f"{file}\t{key.purpose}\t{'private' if key.private else 'public'}\t{key.fingerprint}")
