"""The rules a summary is counted by: everything that must agree before two summaries add up."""

from collections.abc import Mapping, Sequence
from typing import Any

from tessera.genome.build import Build, Contig, Par
from tessera.genome.digests import seqcol
from tessera.schemas.histograms import EDGES


def counting_rules(
    build: Build, *, sequences: Sequence[str | None] | None, mask: Mapping[str, float | None]
) -> dict[str, Any]:
    """The rules in words and numbers, for manifest and fingerprint.

    `sequences` are the refget identifiers of the build's contigs, None for one that the reference does not hold; None
    for all says that no reference was at hand and alleles were taken as written. `mask` holds the thresholds that were
    applied, null where a threshold was not.
    """
    return {
        "build": {"name": build.name, "contigs": _contigs(build), "par": _pars(build)},
        "reference": reference_digest([contig.name for contig in build.contigs], sequences),
        "sequences": None if sequences is None else list(sequences),
        "normalisation": "assumed" if sequences is None else "split, left-aligned, trimmed; REF checked",
        "mask": dict(mask),
        "mask_scope": "once per person and record, before splitting; reference records without GQ by depth alone",
        "half_call": "missing",
        "ploidy": "sex karyotype and PAR; MT haploid, its hets heteroplasmic; other karyotypes not on X and Y",
        "filter": "PASS or missing; elsewhere nobody is called",
        "anchor": "POS; own record, else variant before reference, else the latest start",
        "duplicate_record": "the first counts",
        "symbolic_alleles": "not counted; their records answer for AN",
        "regions": "all contigs of the build",
        "strata": "population x sex (F = XX, M = XY, U = other)",
        "histogram_edges": {metric: list(edges) for metric, edges in EDGES.items()},
    }


def reference_digest(names: Sequence[str], sequences: Sequence[str | None] | None) -> str | None:
    """GA4GH's seqcol digest of the contigs that the reference holds, in the build's order; decoys do not change it."""
    if sequences is None:
        return None
    held = [(name, sequence) for name, sequence in zip(names, sequences, strict=True) if sequence is not None]
    return seqcol([name for name, _ in held], [sequence for _, sequence in held])


def counted_build(rules: Mapping[str, Any]) -> Build:
    """The build that rules were made with."""
    build = rules["build"]
    pars = tuple(Par(par["name"], tuple(par["x"]), tuple(par["y"])) for par in build["par"])
    return Build(build["name"], tuple(Contig(**contig) for contig in build["contigs"]), pars)


def _contigs(build: Build) -> list[dict[str, Any]]:
    return [{"name": contig.name, "kind": contig.kind, "length": contig.length} for contig in build.contigs]


def _pars(build: Build) -> list[dict[str, Any]]:
    return [{"name": par.name, "x": list(par.x), "y": list(par.y)} for par in build.par]
