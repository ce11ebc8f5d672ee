"""`tessera bundle verify`: would a bundle open?"""

from pathlib import Path

import click

from tessera.cli.bundle.opened import key_option, read_judged, signer_option, tell, unencrypted_option
from tessera.cli.options import FILE, passphrase_file_option


@click.command(name="verify")
@click.argument("bundle", type=FILE)
@key_option
@signer_option
@passphrase_file_option
@unencrypted_option
def command(
    bundle: Path, key: Path | None, signers: tuple[Path, ...], passphrase_file: Path | None, unencrypted: bool
) -> None:
    """Check everything about BUNDLE that opening it checks, in a hidden folder beside it, of which nothing is kept."""
    from tessera.files.atomic import directory_beside
    from tessera.files.paths import refuse_unlike_file

    refuse_unlike_file(bundle, "a bundle")
    with directory_beside(bundle) as aside:
        contents = read_judged(bundle, key, signers, aside, unencrypted=unencrypted, passphrase_file=passphrase_file)
    tell(bundle, contents)
