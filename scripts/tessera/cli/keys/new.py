"""`tessera keys new`: a pair to sign and a pair to encrypt."""

from pathlib import Path

import click

from tessera.cli.keys.show import tell
from tessera.cli.options import FILE, FOLDER
from tessera.errors import refuse


@click.command(name="new")
@click.option("--out", type=FOLDER, required=True, help="New folder of the keys; one that is there is refused.")
@click.option("--passphrase-file", type=FILE, help="File of one line: the passphrase to put the private keys under.")
@click.option("--ask-passphrase", is_flag=True, help="Ask for the passphrase on the terminal.")
def command(out: Path, passphrase_file: Path | None, ask_passphrase: bool) -> None:
    """Make sign.sec and sign.pub (Ed25519, PEM), crypt4gh.sec and crypt4gh.pub (X25519, as crypt4gh tools read them).

    The .sec files are private: for their owner alone (mode 0600), under the passphrase if one is given. Partners get
    the .pub files, and hear their fingerprints on another way.
    """
    from tessera.files.keys import CRYPT4GH_PUB, SIGN_PUB, new_keys, read_passphrase

    if passphrase_file and ask_passphrase:
        raise refuse("tessera keys new", "both --passphrase-file and --ask-passphrase", "one of them, or none")
    words = read_passphrase(passphrase_file) if passphrase_file else None
    if ask_passphrase:
        words = click.prompt("Passphrase", type=str, hide_input=True, confirmation_prompt=True, err=True).encode()
    new_keys(out, words)
    for name in (SIGN_PUB, CRYPT4GH_PUB):
        tell(out / name)
