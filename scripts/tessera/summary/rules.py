"""The rules a summary is counted by: everything that must agree before two summaries add up."""

from collections.abc import Mapping
from typing import Any

from tessera.genome.build import Build, Contig, Par
from tessera.schemas.histograms import EDGES


def counting_rules(build: Build, *, seqcol: str | None, mask: Mapping[str, float | None]) -> dict[str, Any]:
    """The rules in words and numbers, for manifest and fingerprint.

    `seqcol` is the reference's GA4GH digest; None says that no reference was at hand and alleles were taken
    as written. `mask` holds the thresholds that were applied, null where a threshold was not.
    """
    return {
        "build": {"name": build.name, "contigs": _contigs(build), "par": _pars(build)},
        "reference": seqcol,
        "normalisation": "assumed" if seqcol is None else "split, left-aligned, trimmed; REF checked",
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


def counted_build(rules: Mapping[str, Any]) -> Build:
    """The build that rules were made with."""
    build = rules["build"]
    pars = tuple(Par(par["name"], tuple(par["x"]), tuple(par["y"])) for par in build["par"])
    return Build(build["name"], tuple(Contig(**contig) for contig in build["contigs"]), pars)


def _contigs(build: Build) -> list[dict[str, Any]]:
    return [{"name": contig.name, "kind": contig.kind, "length": contig.length} for contig in build.contigs]


def _pars(build: Build) -> list[dict[str, Any]]:
    return [{"name": par.name, "x": list(par.x), "y": list(par.y)} for par in build.par]
