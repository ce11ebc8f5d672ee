"""What opening and verifying a bundle share: their options, and everything that is asked of a bundle."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, passphrase_from
from tessera.errors import InputError, Problem, refuse

if TYPE_CHECKING:
    from tessera.files.bundles import Contents
    from tessera.summary.lineage import Sources

PACK_AGAIN = "Ask the node to pack it again."
key_option = click.option("--key", type=FILE, help="Private key of a recipient (crypt4gh.sec).")
signer_option = click.option(
    "--signer", "signers", type=FILE, multiple=True, required=True,
    help="Public key of a node whose signature is trusted (sign.pub); may be repeated.",
)  # fmt: skip
unencrypted_option = click.option("--unencrypted", is_flag=True, help="The bundle is a TAR that was not encrypted.")


def read_judged(
    bundle: Path,
    key: Path | None,
    signers: Sequence[Path],
    into: Path,
    *,
    unencrypted: bool,
    passphrase_file: Path | None,
) -> "Contents":
    """Read a bundle into a folder, and judge its summary as it was judged when it was packed. Raises InputError."""
    from tessera.files.bundles import read_bundle
    from tessera.files.keys import decryption_key, signer_key

    if (key is None) != unencrypted:
        found = "both --key and --unencrypted" if unencrypted else "no --key"
        raise refuse("tessera bundle", found, "--key of a recipient, or --unencrypted for a TAR")
    private = None if key is None else decryption_key(key, passphrase_from(passphrase_file))
    contents = read_bundle(bundle, private, [signer_key(path) for path in signers], into)
    try:
        _judge(bundle, contents, into)
    except InputError as error:
        # the folder has a name that nobody knows, and goes
        raise InputError(
            [replace(problem, where=problem.where.replace(str(into), str(bundle))) for problem in error.problems]
        ) from error
    return contents


def tell(bundle: Path, contents: "Contents") -> None:
    """Say what a bundle is, and who signed it."""
    from tessera.files.keys import KeyFile

    signer = KeyFile("sign", False, contents.signer).fingerprint
    people = sum(contents.manifest["strata"].values())
    named = f"node {contents.manifest['node']}, data set {contents.manifest['dataset'] or 'none'}"
    click.echo(f"{bundle}: {named}, {people:,} people, signed by {signer}, {contents.digest}")


def _judge(bundle: Path, contents: "Contents", folder: Path) -> None:
    from tessera.cli.bundle.judged import members_of, refuse_not_allowed
    from tessera.federation.bundle import bundle_manifest
    from tessera.files.lineage import write_sources
    from tessera.files.summaries import SummaryFolder
    from tessera.summary.lineage import sources_of

    summary = SummaryFolder(folder)
    refuse_not_allowed(summary)
    told = dict(contents.manifest)
    sources = sources_of(told["sources"])
    expected = bundle_manifest(told["node"], told["dataset"], summary.raw, members_of(summary), sources)
    differ = [name for name in expected if expected[name] != told[name]]
    if differ:
        raise refuse(
            str(bundle), f"bundle.json tells another {', '.join(differ)} than its summary", "what the summary holds",
            PACK_AGAIN,
        )  # fmt: skip
    _refuse_odd(bundle, sources, sum(summary.manifest.people.values()))
    write_sources(folder, sources)


def _refuse_odd(bundle: Path, sources: "Sources", people: int) -> None:
    """Every person of a summary that was sent is of one source."""
    from tessera.summary.lineage import odd_sources

    odd = odd_sources(sources, people)
    named = sum(source.people for source in sources)
    if named < people:
        odd.append(f"the sources have {named:,} of the {people:,} people counted")
    if odd:
        raise InputError([Problem(str(bundle), said, "each person of one source", PACK_AGAIN) for said in odd])
