"""What other nodes sent, as folders and as bundles, as far as a run asks about it before it begins."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tessera.errors import Gathered, InputError, Problem
from tessera.schemas.config import Config
from tessera.schemas.federation import BundleConfig
from tessera.summary.manifest import Manifest


@dataclass(frozen=True)
class ReceivedBundle:
    """A bundle that another node sent; `people` (stratum -> people) and `is_exact` as its signed manifest says."""

    config: BundleConfig
    people: Mapping[str, int]
    is_exact: bool


def received_summaries(config: Config) -> tuple[tuple[Manifest, ...], list[Problem]]:
    """The manifests of `federation.summaries`, and what is wrong with them."""
    if not config.federation.summaries:
        return (), []
    from tessera.files.summaries import SummaryFolder  # Parquet is slow to load, and most runs receive nothing

    manifests: list[Manifest] = []
    problems: list[Problem] = []
    for path in config.federation.summaries:
        try:
            manifests.append(SummaryFolder(path).manifest)
        except InputError as error:
            problems += error.problems
    return tuple(manifests), problems


def received_bundles(config: Config) -> tuple[dict[str, ReceivedBundle], list[Problem]]:
    """The bundles of the configuration by the node that sent each, and what is wrong with them and with keys."""
    federation = config.federation
    if not federation.bundles and federation.sign is None:
        return {}, []
    from tessera.files.bundles import read_contents  # cryptography is slow to load, and most runs have no bundles
    from tessera.files.keys import decryption_key, read_passphrase, recipient_key, signer_key, signing_key

    found: dict[str, ReceivedBundle] = {}
    gathered = Gathered([])
    with gathered.trying():
        words = read_passphrase(federation.passphrase_file) if federation.passphrase_file else None
        passphrase = None if words is None else (lambda _: words)
        if federation.sign is not None:
            with gathered.trying():
                signing_key(federation.sign, passphrase)
        for path in federation.recipients:
            with gathered.trying():
                recipient_key(path)
        for bundle in federation.bundles:
            with gathered.trying():
                key, signer = decryption_key(bundle.key, passphrase), signer_key(bundle.signer)
                told = read_contents(bundle.file, key, [signer]).manifest
                exact = "variant_only" not in told["an_basis"]
                gathered.problems.extend(_node_twice(told["node"], bundle, found, config))
                found[told["node"]] = ReceivedBundle(bundle, told["strata"], exact)
    return found, gathered.problems


def _node_twice(
    node: str, bundle: BundleConfig, others: Mapping[str, ReceivedBundle], config: Config
) -> Iterator[Problem]:
    remedy = "A person would be counted twice."
    if node in others:
        found = f"a bundle of node {node}, as is {others[node].config.file}"
        yield Problem(str(bundle.file), found, "one bundle of each node", remedy)
    elif node in config.nodes:
        found = f"a bundle of node {node}, which is a node of this configuration"
        yield Problem(str(bundle.file), found, "bundles of other nodes", remedy)
