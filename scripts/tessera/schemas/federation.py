"""The `federation` key of the configuration: what joins our summaries, what is sent, and what the sum is written as."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tessera.errors import Problem
from tessera.schemas.bundle import DATASET
from tessera.schemas.config_keys import key, mapping, maybe_path, optional_path, path

#: names of the formats of `tessera export`
EXPORTS = ("vcf", "gdi-parquet", "beacon", "va-spec", "gnomad", "sites")

FEDERATION = mapping(
    "federation",
    "What joins our own summaries, and the formats in which the sum is written.",
    "a mapping such as {summaries: [], exports: [vcf]}",
    {
        "summaries": key(
            "federation",
            "Folders of summaries that other nodes sent.",
            "a list of different folders",
            type="array",
            uniqueItems=True,
            items=path("federation", "", "the path of a summary"),
            default=[],
        ),
        "sign": optional_path(
            "federation",
            "Private key that signs (`sign.sec`). With it the summary of each node is packed as "
            "`results/federation/sent/NODE.tar.c4gh`.",
            "the path of a private signing key, or null",
        ),
        "recipients": key(
            "federation",
            "Public keys of who may read our bundles (`crypt4gh.pub`).",
            "a list of different key files",
            type="array",
            uniqueItems=True,
            items=path("federation", "", "the path of a public Crypt4GH key"),
            default=[],
        ),
        "bundles": key(
            "federation",
            "Bundles that came from other nodes: `file`, `signer` (the `sign.pub` that is expected), and `key` (our "
            "`crypt4gh.sec`). They are opened, and join the sum.",
            "a list of different mappings such as {file: birch.tar.c4gh, signer: birch.pub, key: keys/crypt4gh.sec}",
            type="array",
            uniqueItems=True,
            items=mapping(
                "federation",
                "A bundle.",
                "a mapping with file, signer and key",
                {
                    "file": path("federation", "The bundle.", "the path of a bundle"),
                    "signer": path("federation", "Who signed it.", "the path of a public signing key"),
                    "key": path("federation", "What opens it.", "the path of a private Crypt4GH key"),
                },
                required=["file", "signer", "key"],
            ),
            default=[],
        ),
        "passphrase_file": optional_path(
            "federation",
            "File of one line (mode 0600), the passphrase of the private keys; none where they have none.",
            "the path of a file, or null",
        ),
        "exports": key(
            "federation",
            "Formats of `tessera export` in which the sum is written; see "
            "[federation](../docs/federation.md#exports). Where AN is an interval, `sites` alone is.",
            f"a list of different formats among {', '.join(EXPORTS)}",
            type="array",
            uniqueItems=True,
            items=key("federation", "", f"one of {', '.join(EXPORTS)}", enum=list(EXPORTS)),
            default=["vcf"],
        ),
        "dataset": key(
            "federation",
            "Id of the data set in the Genome of Europe or GDI, for the exports that name one.",
            DATASET["x-expected"],
            type=["string", "null"],
            pattern=DATASET["pattern"],
            default=None,
        ),
        "source": key(
            "federation",
            "Name of the study whose frequencies they are; Beacon asks for it.",
            "a name, or null",
            type=["string", "null"],
            minLength=1,
            default=None,
        ),
        "source_reference": key(
            "federation",
            "Where the study is told of; Beacon asks for it.",
            "a URL, or null",
            type=["string", "null"],
            minLength=1,
            default=None,
        ),
    },
    default={"summaries": [], "exports": ["vcf"]},
)


@dataclass(frozen=True)
class BundleConfig:
    """A bundle that came, who must have signed it, and the private key that opens it."""

    file: Path
    signer: Path
    key: Path


@dataclass(frozen=True)
class FederationConfig:
    """Summaries of other nodes, folders; exports of the sum, and what they say of it; how ours are packed, and bundles
    that others packed.
    """

    summaries: tuple[Path, ...]
    exports: tuple[str, ...]
    dataset: str | None = None
    source: str | None = None
    source_reference: str | None = None
    sign: Path | None = None
    recipients: tuple[Path, ...] = ()
    bundles: tuple[BundleConfig, ...] = ()
    passphrase_file: Path | None = None

    @property
    def files(self) -> dict[str, Path | None]:
        """Key of the configuration -> file that it names."""
        found = {"sign": self.sign, "passphrase_file": self.passphrase_file}
        found |= {f"recipients[{i}]": path for i, path in enumerate(self.recipients)}
        for i, bundle in enumerate(self.bundles):
            found |= {f"bundles[{i}].{name}": path for name, path in vars(bundle).items()}
        return {f"federation.{key}": path for key, path in found.items()}


def check_federation(document: Any, *, where: str) -> Iterator[Problem]:
    """What no schema can say: what belongs together, and what an export needs."""
    yield from _missing_for_exports(document, where)
    yield from _half_of_packing(document, where)


def _missing_for_exports(document: Any, where: str) -> Iterator[Problem]:
    """What an export that is asked for needs, and is not given."""
    remedy = "See config/README.md#key-federation."
    match document:
        case {"federation": {"exports": [*forms], **federation}}:
            for key in ("source", "source_reference") if "beacon" in forms else ():
                if not federation.get(key):
                    yield Problem(f"{where} federation.{key}", "none is given", "one, for the export beacon", remedy)
            if "va-spec" in forms and not document.get("reference"):
                yield Problem(f"{where} reference", "none is given", "one, for the export va-spec", remedy)


def _half_of_packing(document: object, where: str) -> Iterator[Problem]:
    """A signing key without recipients, or the other way round: nothing would be packed, or nobody could read it."""
    match document:
        case {"federation": dict(federation)} if bool(federation.get("sign")) != bool(federation.get("recipients")):
            given, other = ("sign", "recipients") if federation.get("sign") else ("recipients", "sign")
            yield Problem(
                f"{where} federation", f"{given} is given, and no {other}", "both, or none of them",
                "See config/README.md#key-federation.",
            )  # fmt: skip


def build_federation(given: Mapping[str, Any]) -> FederationConfig:
    """The typed form, with defaults."""
    full = {key: below["default"] for key, below in FEDERATION["properties"].items()} | dict(given)
    bundles = [{name: Path(path) for name, path in bundle.items()} for bundle in full["bundles"]]
    return FederationConfig(
        summaries=tuple(map(Path, full["summaries"])),
        exports=tuple(full["exports"]),
        **{name: full[name] for name in ("dataset", "source", "source_reference")},
        sign=maybe_path(full["sign"]),
        recipients=tuple(map(Path, full["recipients"])),
        bundles=tuple(BundleConfig(**bundle) for bundle in bundles),
        passphrase_file=maybe_path(full["passphrase_file"]),
    )
