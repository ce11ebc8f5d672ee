"""`tessera keys new`: a pair to sign and a pair to encrypt."""

from pathlib import Path

import click

from tessera.cli.keys.show import tell
from tessera.cli.options import FOLDER


@click.command(name="new")
@click.option("--out", type=FOLDER, required=True, help="New folder of the keys; one that is there is refused.")
def command(out: Path) -> None:
    """Make sign.sec and sign.pub (Ed25519, PEM), crypt4gh.sec and crypt4gh.pub (X25519, as crypt4gh tools read them).

    The .sec files are private: for their owner alone (mode 0600), without passphrase. Partners get the .pub files, and
    hear their fingerprints on another way.
    """
    from tessera.files.keys import CRYPT4GH_PUB, SIGN_PUB, new_keys

    new_keys(out)
    for name in (SIGN_PUB, CRYPT4GH_PUB):
        tell(out / name)
