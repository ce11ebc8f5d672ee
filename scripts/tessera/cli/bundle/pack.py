"""`tessera bundle pack`: a summary on its way out of a node."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.options import FILE, FOLDER, passphrase_file_option, passphrase_from
from tessera.errors import InputError, refuse

if TYPE_CHECKING:
    from tessera.files.summaries import SummaryFolder


@click.command(name="pack")
@click.argument("summary", type=FOLDER)
@click.option("--sign", "signing", type=FILE, required=True, help="Private key that signs (sign.sec).")
@click.option(
    "--recipient",
    "recipients",
    type=FILE,
    multiple=True,
    help="Public key of who may read it (crypt4gh.pub); may be repeated.",
)
@passphrase_file_option
@click.option("--unencrypted", is_flag=True, help="Leave the TAR as it is, for everybody to read.")
@click.option("--node", help="Name of the node; without it the name of --out up to the first dot.")
@click.option("--dataset", help="Id of the data set, such as GOE-EE-UT-20260301120000000.")
@click.option("--out", type=FILE, required=True, help="The bundle, such as alder.tar.c4gh; an older one is replaced.")
def command(
    summary: Path,
    signing: Path,
    recipients: tuple[Path, ...],
    passphrase_file: Path | None,
    unencrypted: bool,
    node: str | None,
    dataset: str | None,
    out: Path,
) -> None:
    """Pack SUMMARY, or a release of a cohort, sign it, and encrypt it to every --recipient.

    Everything in it is looked at first: only files, columns, keys and words of a closed list leave the node.
    """
    from tessera.cli.bundle.judged import members_of, refuse_not_allowed
    from tessera.federation.bundle import bundle_manifest
    from tessera.files.bundles import bundle_digest, write_bundle
    from tessera.files.keys import recipient_key, signing_key
    from tessera.files.paths import real_path
    from tessera.files.summaries import SummaryFolder

    if bool(recipients) == unencrypted:
        found = "both --recipient and --unencrypted" if unencrypted else "no --recipient"
        raise refuse("tessera bundle pack", found, "--recipient for each who may read it, or --unencrypted")
    if f"{real_path(out)}/".startswith(f"{real_path(summary)}/"):
        raise refuse("--out", f"{out}, within the summary", "a file elsewhere")
    signer = signing_key(signing, passphrase_from(passphrase_file))
    readers = None if unencrypted else [recipient_key(path) for path in dict.fromkeys(recipients)]
    folder = SummaryFolder(summary)
    refuse_not_allowed(folder)
    name = node or out.name.partition(".")[0]
    manifest = bundle_manifest(name, dataset, folder.raw, members_of(folder), folder.sources_as(name, dataset))
    _check(manifest, out)
    write_bundle(out, summary, manifest, signer, readers)
    _tell(folder, manifest, out, "unencrypted" if readers is None else f"{len(readers)} recipients")
    click.echo(bundle_digest(manifest))


def _check(manifest: dict[str, Any], out: Path) -> None:
    from tessera.schemas.bundle import check_bundle_manifest

    problems = check_bundle_manifest(manifest, where=f"{out} manifest")
    if problems:
        raise InputError(problems)


def _tell(folder: "SummaryFolder", manifest: dict[str, Any], out: Path, readers: str) -> None:
    """Say every word that an operator chose, to be read before the bundle is sent."""
    build = folder.manifest.rules["build"]
    said = {
        "node": manifest["node"],
        "dataset": manifest["dataset"] or "none",
        "build": f"{build['name']} ({', '.join(contig['name'] for contig in build['contigs'])})",
        "sources": ", ".join(f"{one['node']} {one['people']:,}" for one in manifest["sources"]) or "nobody",
        "strata": ", ".join(f"{name} {number:,}" for name, number in sorted(manifest["strata"].items())) or "nobody",
    }
    click.echo(f"{out}: {len(manifest['members'])} files, {readers}", err=True)
    for name, text in said.items():
        click.echo(f"  {name}: {text}", err=True)
