"""`tessera bundle open`: the summary that a node sent."""

import os
from pathlib import Path

import click

from tessera.cli.bundle.opened import key_option, read_judged, signer_option, tell, unencrypted_option
from tessera.cli.options import FILE, FOLDER, passphrase_file_option
from tessera.errors import refuse


@click.command(name="open")
@click.argument("bundle", type=FILE)
@key_option
@signer_option
@passphrase_file_option
@unencrypted_option
@click.option("--out", type=FOLDER, required=True, help="New folder of the summary.")
def command(
    bundle: Path,
    key: Path | None,
    signers: tuple[Path, ...],
    passphrase_file: Path | None,
    unencrypted: bool,
    out: Path,
) -> None:
    """Decrypt BUNDLE, check who signed it and that it is whole, and write its summary, byte for byte as it was packed.

    A bundle in which anything is not as it should be is refused, and nothing of it is kept.
    """
    from tessera.files.atomic import directory_written_aside

    if os.path.lexists(out):
        raise refuse("--out", f"{out} is there", "a new folder", "Give another --out, or remove what is there.")
    with directory_written_aside(out) as aside:
        contents = read_judged(bundle, key, signers, aside, unencrypted=unencrypted, passphrase_file=passphrase_file)
    tell(bundle, contents)
