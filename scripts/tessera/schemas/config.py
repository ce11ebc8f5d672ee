"""The configuration: its JSON Schema, from which checks, defaults and documentation come; its typed form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tessera.errors import Problem
from tessera.schemas.build import NAMED_BUILDS
from tessera.schemas.catalogue import CATALOGUE, Entry, build_entry, check_entries
from tessera.schemas.config_keys import key, mapping, maybe_path, optional_path, path
from tessera.schemas.consent import PERMISSIONS, PERMITTING
from tessera.schemas.document import Schema, check_document
from tessera.schemas.federation import FEDERATION, FederationConfig, build_federation, check_federation
from tessera.schemas.mask import ADJ, FRACTION, HIGHEST, NAMED, WHOLE, Mask, is_fraction, mask_of

ALIGNERS = ("minimap2", "bwa", "bwa-mem2")
TOOLS = ("path", "wheels")


def _threshold(name: str, description: str) -> Schema:
    more = {"minimum": 0, "default": ADJ.thresholds[name]}
    if name == "min_ab":
        return key("mask", description, FRACTION, type="number", maximum=1, **more)
    return key("mask", description, WHOLE, type="integer", maximum=HIGHEST, **more)


_NODE = mapping(
    "nodes",
    "A node.",
    "a mapping such as {samples: samples.tsv}",
    {
        "samples": path("nodes", "Sample sheet of the node, a TSV.", "the path of a sample sheet"),
        "callable": path(
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
_NODES = key(
    "nodes",
    "The nodes whose people are counted here, by name; usually one, your own.",
    "a mapping of at least one node name to its samples",
    type="object",
    minProperties=1,
    additionalProperties=_NODE,
    propertyNames={
        **key("nodes", "", _NODE_NAME, pattern=rf"^(?!(?:{_RESERVED})\Z)[a-z][a-z0-9-]*\Z"),
        "x-found": "a node named",
    },
)

_MASK_EXPECTED = "adj, none, genotypes, or a mapping of thresholds"
_MASK = key(
    "mask",
    "Which genotypes are believed, judged once per sample and position, before multi-allelic records are "
    "split. `adj` is gnomAD's filter; `none` believes every called genotype, and so does `genotypes`, "
    "which reads nothing else ([counting](../docs/counting.md#genotypes-alone)); a threshold left out of a "
    "mapping takes adj's value. Summaries merge only under the same mask.",
    _MASK_EXPECTED,
    **{
        "default": "adj",
        "if": {"type": "object"},
        "then": mapping(
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
        "else": key("mask", "A name.", _MASK_EXPECTED, enum=list(NAMED)),
    },
)

_CONSENT = key(
    "consent",
    "DUO codes that permit the release; by default no restriction, health or biomedical research, general "
    "research. A sample with another code is processed, not counted, and listed.",
    "a list of different DUO codes, at least one",
    type="array",
    minItems=1,
    uniqueItems=True,
    items=key("consent", "", f"a DUO code that permits: one of {', '.join(PERMISSIONS)}", enum=list(PERMISSIONS)),
    default=list(PERMITTING),
)

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Configuration of Tessera",
    "type": "object",
    "additionalProperties": False,
    "required": ["build", "nodes"],
    "x-expected": "a mapping of keys to values",
    "properties": {
        "reference": optional_path(
            "reference",
            "FASTA of the reference: reads are aligned to it, calls are checked and left-aligned on it.",
            "the path of a FASTA file",
            **{"x-default-text": "none; needed unless `assume_normalised` is true"},
        ),
        "build": path(
            "build",
            "Contigs, their lengths and the pseudoautosomal regions: a build that comes with Tessera, or a YAML file "
            "with `name`, `contigs` (a list of `{name: chr1, kind: autosome, length: 248956422}`; kind is autosome, x, "
            "y or mt) and `par` (a list of `{name: PAR1, x: [start, end], y: [start, end]}`, 0-based, half-open). "
            "Contigs that are not listed are not counted. A contig may have `digests`, a list of refget identifiers "
            "(`SQ.`) and MD5s of its sequence: by them a reference that spells it otherwise (`1` for `chr1`) is known, "
            "see [counting](../docs/counting.md#contigs).",
            f"{', '.join(NAMED_BUILDS)}, or the path of a build file",
        ),
        "assume_normalised": key(
            "assume_normalised",
            "True says that the VCFs are split and left-aligned already: no FASTA is needed, REF is not "
            "checked and nothing is left-aligned.",
            "true or false",
            type="boolean",
            default=False,
        ),
        "results": path("results", "Folder of all results.", "the path of a folder", default="results"),
        "nodes": _NODES,
        "mask": _MASK,
        "consent": _CONSENT,
        "qc_policy": path(
            "qc_policy",
            "What quality a sample needs to be counted, see [QC policy](#qc-policy).",
            "the path of a policy file",
            default="config/policies/qc.yaml",
        ),
        "contamination_panel": optional_path(
            "contamination_panel",
            "Markers by which contamination of reads is estimated: a panel of VerifyBamID2 on the build of the "
            "reference, given as the path of its files without `.bed`, `.mu` and `.UD`. Without one it is not "
            "measured, nor below 500 markers with reads.",
            "the path that PANEL.bed, PANEL.mu and PANEL.UD begin with, or null",
        ),
        "relatives_markers": optional_path(
            "relatives_markers",
            "Common SNVs far apart, ten thousand or so, by which people of a node who are related or there twice are "
            "found: a BED with contig, start, end, REF and ALT, such as the .bed of a contamination panel. Without it "
            "nobody looks for them.",
            "the path of a BED file, or null",
        ),
        "aligner": key(
            "aligner",
            "Program that aligns reads.",
            f"one of {', '.join(ALIGNERS)}",
            enum=list(ALIGNERS),
            default="minimap2",
        ),
        "tools": key(
            "tools",
            "Where native tools come from: `path` finds them on PATH (or by Snakemake's `--sdm`), `wheels` takes "
            "samtools, bcftools, minimap2 and cutadapt out of Python wheels; bwa and bwa-mem2 are always of PATH.",
            f"one of {', '.join(TOOLS)}",
            enum=list(TOOLS),
            default="path",
        ),
        "federation": FEDERATION,
        "catalogue": CATALOGUE,
        "truth": optional_path(
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
    problems += check_federation(document, where=where)
    if not isinstance(document, Mapping) or document.get("reference") or document.get("assume_normalised"):
        return problems
    if any(problem.remedy == 'Did you mean "reference"?' for problem in problems):
        return problems
    expected = "a FASTA file, or assume_normalised: true"
    remedy = "Calls are left-aligned on it, see config/README.md#key-reference."
    return [*problems, Problem(f"{where} reference", "no reference is given", expected, remedy)]


def _odd_balance(document: object, where: str) -> Iterator[Problem]:
    """A balance of more decimals than are applied, or NaN; JSON Schema cannot tell in binary fractions."""
    match document:
        case {"mask": {"min_ab": float(balance)}} if not (balance < 0 or balance > 1 or is_fraction(balance)):
            yield Problem(f"{where} mask.min_ab", f"found {balance}", FRACTION, "See config/README.md#key-mask.")


def build_config(document: Mapping[str, Any]) -> Config:
    """The typed form of a document in which `check_config` found nothing; defaults are filled in."""
    keys = SCHEMA["properties"].items()
    full = {key: below["default"] for key, below in keys if "default" in below} | dict(document)
    return Config(
        reference=maybe_path(full["reference"]),
        build=full["build"],
        assume_normalised=full["assume_normalised"],
        results=Path(full["results"]),
        nodes={name: _node(node) for name, node in full["nodes"].items()},
        mask=mask_of(full["mask"]),
        consent=tuple(full["consent"]),
        qc_policy=Path(full["qc_policy"]),
        contamination_panel=maybe_path(full["contamination_panel"]),
        relatives_markers=maybe_path(full["relatives_markers"]),
        aligner=full["aligner"],
        tools=full["tools"],
        federation=build_federation(full["federation"]),
        catalogue={name: build_entry(entry) for name, entry in full["catalogue"].items()},
        truth=maybe_path(full["truth"]),
    )


def _node(node: Mapping[str, str]) -> NodeConfig:
    return NodeConfig(Path(node["samples"]), maybe_path(node.get("callable")))
