"""`tessera digest-reference`: hash a reference once, for the commands that count on it."""

from pathlib import Path

import click

from tessera.cli.options import FILE


@click.command(name="digest-reference")
@click.argument("fasta", type=FILE)
def command(fasta: Path) -> None:
    """Write the digests (refget, MD5) of a reference's sequences to FASTA.digests.json.

    A summary names its reference by them. Commands that find this file do not hash the genome again, which for a
    human one takes some seconds; they ignore it once the FASTA has changed.
    """
    from tessera.files.fasta import Reference

    Reference(fasta).keep_digests()
