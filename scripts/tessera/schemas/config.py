"""The configuration: its JSON Schema, from which checks, defaults and documentation come; its typed form."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tessera.errors import Problem
from tessera.schemas.bundle import DATASET
from tessera.schemas.catalogue import CATALOGUE, Entry, build_entry, check_entries
from tessera.schemas.consent import PERMISSIONS, PERMITTING
from tessera.schemas.document import Schema, check_document
from tessera.schemas.mask import ADJ, FRACTION, HIGHEST, WHOLE, Mask, is_fraction, mask_of

NAMED_BUILDS = ("GRCh37", "GRCh38")
ALIGNERS = ("minimap2", "bwa", "bwa-mem2")
TOOLS = ("path", "wheels")
#: names of the formats of `tessera export`
EXPORTS = ("vcf", "gdi-parquet", "beacon", "va-spec", "gnomad", "sites")


def _key(key: str, description: str, expected: str, **keywords: Any) -> Schema:
    """A key's schema; `key` is the top-level key under which the documentation tells of it."""
    remedy = f"See config/README.md#key-{key}."
    return {**keywords, "description": description, "x-expected": expected, "x-remedy": remedy}


def _path(key: str, description: str, expected: str, **keywords: Any) -> Schema:
    return _key(key, description, expected, type="string", minLength=1, **keywords)


def _optional_path(key: str, description: str, expected: str, **keywords: Any) -> Schema:
    more = {"type": ["string", "null"], "minLength": 1, "default": None}
    return _key(key, description, expected, **more, **keywords)


def _mapping(key: str, description: str, expected: str, properties: Schema, **keywords: Any) -> Schema:
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return _key(key, description, expected, **shape, **keywords)


def _threshold(name: str, description: str) -> Schema:
    more = {"minimum": 0, "default": asdict(ADJ)[name]}
    if name == "min_ab":
        return _key("mask", description, FRACTION, type="number", maximum=1, **more)
    return _key("mask", description, WHOLE, type="integer", maximum=HIGHEST, **more)


_NODE = _mapping(
    "nodes",
    "A node.",
    "a mapping such as {samples: samples.tsv}",
    {
        "samples": _path("nodes", "Sample sheet of the node, a TSV.", "the path of a sample sheet"),
        "callable": _path(
            "nodes",
            "BED of the regions in which the cohort VCFs would have shown a variant: everybody is called at "
            "a base in it that no record covers, and AN is reported as declared. Only for nodes with cohort "
            "VCFs, and used for those alone.",
            "the path of a BED file",
        ),
    },
    required=["samples"],
)

#: folders of the results that are no node's
_RESERVED = "federation|reference|logs"
_NODE_NAME = "lower-case letters, digits and '-', the first a letter; and not federation, reference or logs"
_NODES = _key(
    "nodes",
    "The nodes whose people are counted here, by name; usually one, your own.",
    "a mapping of at least one node name to its samples",
    type="object",
    minProperties=1,
    additionalProperties=_NODE,
    propertyNames={
        **_key("nodes", "", _NODE_NAME, pattern=rf"^(?!(?:{_RESERVED})\Z)[a-z][a-z0-9-]*\Z"),
        "x-found": "a node named",
    },
)

_MASK_EXPECTED = "adj, none, or a mapping of thresholds"
_MASK = _key(
    "mask",
    "Which genotypes are believed, judged once per sample and position, before multi-allelic records are "
    "split. `adj` is gnomAD's filter; `none` believes every called genotype; a threshold left out of a "
    "mapping takes adj's value. Summaries merge only under the same mask.",
    _MASK_EXPECTED,
    **{
        "default": "adj",
        "if": {"type": "object"},
        "then": _mapping(
            "mask",
            "Thresholds.",
            _MASK_EXPECTED,
            {
                "min_gq": _threshold("min_gq", "Lowest GQ, on the Phred scale."),
                "min_dp": _threshold("min_dp", "Lowest depth, in reads, where two alleles are expected."),
                "min_dp_haploid": _threshold("min_dp_haploid", "Lowest depth, in reads, where one is."),
                "min_ab": _threshold("min_ab", "Lowest share of a heterozygote's reads with the allele."),
            },
        ),
        "else": _key("mask", "A name.", _MASK_EXPECTED, enum=["adj", "none"]),
    },
)

_CONSENT = _key(
    "consent",
    "DUO codes that permit the release; by default no restriction, health or biomedical research, general "
    "research. A sample with another code is processed, not counted, and listed.",
    "a list of different DUO codes, at least one",
    type="array",
    minItems=1,
    uniqueItems=True,
    items=_key("consent", "", f"a DUO code that permits: one of {', '.join(PERMISSIONS)}", enum=list(PERMISSIONS)),
    default=list(PERMITTING),
)

_FEDERATION = _mapping(
    "federation",
    "What joins our own summaries, and the formats in which the sum is written.",
    "a mapping such as {summaries: [], exports: [vcf]}",
    {
        "summaries": _key(
            "federation",
            "Folders of summaries that other nodes sent.",
            "a list of different folders",
            type="array",
            uniqueItems=True,
            items=_path("federation", "", "the path of a summary"),
            default=[],
        ),
        "sign": _optional_path(
            "federation",
            "Private key that signs (`sign.sec`). With it the summary of each node is packed as "
            "`results/federation/sent/NODE.tar.c4gh`.",
            "the path of a private signing key, or null",
        ),
        "recipients": _key(
            "federation",
            "Public keys of who may read our bundles (`crypt4gh.pub`).",
            "a list of different key files",
            type="array",
            uniqueItems=True,
            items=_path("federation", "", "the path of a public Crypt4GH key"),
            default=[],
        ),
        "bundles": _key(
            "federation",
            "Bundles that came from other nodes: `file`, `signer` (the `sign.pub` that is expected), and `key` (our "
            "`crypt4gh.sec`). They are opened, and join the sum.",
            "a list of different mappings such as {file: birch.tar.c4gh, signer: birch.pub, key: keys/crypt4gh.sec}",
            type="array",
            uniqueItems=True,
            items=_mapping(
                "federation",
                "A bundle.",
                "a mapping with file, signer and key",
                {
                    "file": _path("federation", "The bundle.", "the path of a bundle"),
                    "signer": _path("federation", "Who signed it.", "the path of a public signing key"),
                    "key": _path("federation", "What opens it.", "the path of a private Crypt4GH key"),
                },
                required=["file", "signer", "key"],
            ),
            default=[],
        ),
        "passphrase_file": _optional_path(
            "federation",
            "File of one line (mode 0600), the passphrase of the private keys; none where they have none.",
            "the path of a file, or null",
        ),
        "exports": _key(
            "federation",
            "Formats of `tessera export` in which the sum is written; see "
            "[federation](../docs/federation.md#exports). Where AN is an interval, `sites` alone is.",
            f"a list of different formats among {', '.join(EXPORTS)}",
            type="array",
            uniqueItems=True,
            items=_key("federation", "", f"one of {', '.join(EXPORTS)}", enum=list(EXPORTS)),
            default=["vcf"],
        ),
        "dataset": _key(
            "federation",
            "Id of the data set in the Genome of Europe or GDI, for the exports that name one.",
            DATASET["x-expected"],
            type=["string", "null"],
            pattern=DATASET["pattern"],
            default=None,
        ),
        "source": _key(
            "federation",
            "Name of the study whose frequencies they are; Beacon asks for it.",
            "a name, or null",
            type=["string", "null"],
            minLength=1,
            default=None,
        ),
        "source_reference": _key(
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

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Configuration of Tessera",
    "type": "object",
    "additionalProperties": False,
    "required": ["build", "nodes"],
    "x-expected": "a mapping of keys to values",
    "properties": {
        "reference": _optional_path(
            "reference",
            "FASTA of the reference: reads are aligned to it, calls are checked and left-aligned on it.",
            "the path of a FASTA file",
            **{"x-default-text": "none; needed unless `assume_normalised` is true"},
        ),
        "build": _path(
            "build",
            "Contigs, their lengths and the pseudoautosomal regions: a build that comes with Tessera, or a YAML file "
            "with `name`, `contigs` (a list of `{name: chr1, kind: autosome, length: 248956422}`; kind is autosome, x, "
            "y or mt) and `par` (a list of `{name: PAR1, x: [start, end], y: [start, end]}`, 0-based, half-open). "
            "Contigs that are not listed are not counted. A contig may have `digests`, a list of refget identifiers "
            "(`SQ.`) and MD5s of its sequence: by them a reference that spells it otherwise (`1` for `chr1`) is known, "
            "see [counting](../docs/counting.md#contigs).",
            f"{', '.join(NAMED_BUILDS)}, or the path of a build file",
        ),
        "assume_normalised": _key(
            "assume_normalised",
            "True says that the VCFs are split and left-aligned already: no FASTA is needed, REF is not "
            "checked and nothing is left-aligned.",
            "true or false",
            type="boolean",
            default=False,
        ),
        "results": _path("results", "Folder of all results.", "the path of a folder", default="results"),
        "nodes": _NODES,
        "mask": _MASK,
        "consent": _CONSENT,
        "qc_policy": _path(
            "qc_policy",
            "What quality a sample needs to be counted, see [QC policy](#qc-policy).",
            "the path of a policy file",
            default="config/policies/qc.yaml",
        ),
        "contamination_panel": _optional_path(
            "contamination_panel",
            "Markers by which contamination of reads is estimated: a panel of VerifyBamID2 on the build of the "
            "reference, given as the path of its files without `.bed`, `.mu` and `.UD`. Without one it is not "
            "measured, nor below 500 markers with reads.",
            "the path that PANEL.bed, PANEL.mu and PANEL.UD begin with, or null",
        ),
        "relatives_markers": _optional_path(
            "relatives_markers",
            "Common SNVs far apart, ten thousand or so, by which people of a node who are related or there twice are "
            "found: a BED with contig, start, end, REF and ALT, such as the .bed of a contamination panel. Without it "
            "nobody looks for them.",
            "the path of a BED file, or null",
        ),
        "aligner": _key(
            "aligner",
            "Program that aligns reads.",
            f"one of {', '.join(ALIGNERS)}",
            enum=list(ALIGNERS),
            default="minimap2",
        ),
        "tools": _key(
            "tools",
            "Where native tools come from: `path` finds them on PATH (or by Snakemake's `--sdm`), `wheels` takes "
            "samtools, bcftools, minimap2 and cutadapt out of Python wheels; bwa and bwa-mem2 are always of PATH.",
            f"one of {', '.join(TOOLS)}",
            enum=list(TOOLS),
            default="path",
        ),
        "federation": _FEDERATION,
        "catalogue": CATALOGUE,
        "truth": _optional_path(
            "truth",
            "Folder of expected counts, with which the run is compared number by number; for data whose "
            "counts are known.",
            "the path of a folder, or null",
        ),
    },
}


@dataclass(frozen=True)
class NodeConfig:
    """A node: its sample sheet, and the BED in which its cohort VCFs are complete."""

    samples: Path
    callable: Path | None = None


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


@dataclass(frozen=True)
class Config:
    """A valid configuration; each field is the key of the same name (config/README.md)."""

    reference: Path | None
    build: str
    assume_normalised: bool
    results: Path
    nodes: Mapping[str, NodeConfig]
    mask: Mask
    consent: tuple[str, ...]
    qc_policy: Path
    contamination_panel: Path | None
    relatives_markers: Path | None
    aligner: str
    tools: str
    federation: FederationConfig
    catalogue: Mapping[str, Entry]
    truth: Path | None


def check_config(document: object, *, where: str) -> list[Problem]:
    """Everything the schema refuses, and a reference that is needed and not given."""
    problems = check_document(document, SCHEMA, where=where)
    if isinstance(document, Mapping):
        problems += [*check_entries(document, where=where), *_odd_balance(document, where)]
        problems += _half_of_packing(document, where)
    problems += _missing_for_exports(document, where)
    if not isinstance(document, Mapping) or document.get("reference") or document.get("assume_normalised"):
        return problems
    if any(problem.remedy == 'Did you mean "reference"?' for problem in problems):
        return problems
    expected = "a FASTA file, or assume_normalised: true"
    remedy = "Calls are left-aligned on it, see config/README.md#key-reference."
    return [*problems, Problem(f"{where} reference", "no reference is given", expected, remedy)]


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


def _odd_balance(document: object, where: str) -> Iterator[Problem]:
    """A balance of more decimals than are applied, or NaN; JSON Schema cannot tell in binary fractions."""
    match document:
        case {"mask": {"min_ab": float(balance)}} if not (balance < 0 or balance > 1 or is_fraction(balance)):
            yield Problem(f"{where} mask.min_ab", f"found {balance}", FRACTION, "See config/README.md#key-mask.")


def _half_of_packing(document: object, where: str) -> Iterator[Problem]:
    """A signing key without recipients, or the other way round: nothing would be packed, or nobody could read it."""
    match document:
        case {"federation": dict(federation)} if bool(federation.get("sign")) != bool(federation.get("recipients")):
            given, other = ("sign", "recipients") if federation.get("sign") else ("recipients", "sign")
            yield Problem(
                f"{where} federation", f"{given} is given, and no {other}", "both, or none of them",
                "See config/README.md#key-federation.",
            )  # fmt: skip


def build_config(document: Mapping[str, Any]) -> Config:
    """The typed form of a document in which `check_config` found nothing; defaults are filled in."""
    keys = SCHEMA["properties"].items()
    full = {key: below["default"] for key, below in keys if "default" in below} | dict(document)
    return Config(
        reference=_maybe(full["reference"]),
        build=full["build"],
        assume_normalised=full["assume_normalised"],
        results=Path(full["results"]),
        nodes={name: _node(node) for name, node in full["nodes"].items()},
        mask=mask_of(full["mask"]),
        consent=tuple(full["consent"]),
        qc_policy=Path(full["qc_policy"]),
        contamination_panel=_maybe(full["contamination_panel"]),
        relatives_markers=_maybe(full["relatives_markers"]),
        aligner=full["aligner"],
        tools=full["tools"],
        federation=_federation(full["federation"]),
        catalogue={name: build_entry(entry) for name, entry in full["catalogue"].items()},
        truth=_maybe(full["truth"]),
    )


def _node(node: Mapping[str, str]) -> NodeConfig:
    return NodeConfig(Path(node["samples"]), _maybe(node.get("callable")))


def _federation(given: Mapping[str, Any]) -> FederationConfig:
    full = {key: below["default"] for key, below in _FEDERATION["properties"].items()} | dict(given)
    bundles = [{name: Path(path) for name, path in bundle.items()} for bundle in full["bundles"]]
    return FederationConfig(
        summaries=tuple(map(Path, full["summaries"])),
        exports=tuple(full["exports"]),
        **{name: full[name] for name in ("dataset", "source", "source_reference")},
        sign=_maybe(full["sign"]),
        recipients=tuple(map(Path, full["recipients"])),
        bundles=tuple(BundleConfig(**bundle) for bundle in bundles),
        passphrase_file=_maybe(full["passphrase_file"]),
    )


def _maybe(value: str | None) -> Path | None:
    return None if value is None else Path(value)
