"""A genome build: its contigs, its pseudo-autosomal regions, and how many copies a karyotype has of each place."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

ContigKind = Literal["autosome", "x", "y", "mt"]
RegionKind = Literal["autosome", "x", "y", "mt", "x_par", "y_par"]

#: Copies of each kind of region a karyotype has; a karyotype that is not listed is aneuploid or unknown and
#: leaves the sex chromosomes, PAR included (docs/counting.md, "Copies").
SEX_CHROMOSOME_PLOIDY: dict[str, dict[RegionKind, int]] = {
    "XX": {"x": 2, "x_par": 2, "y": 0, "y_par": 0},
    "XY": {"x": 1, "x_par": 2, "y": 1, "y_par": 0},
}


@dataclass(frozen=True)
class Contig:
    """A contig that is counted; `length` in bases.

    `digests` are those of its sequence as references of the build hold it, refget (`SQ.…`) or MD5: they prove which
    contig a sequence is, and are no part of what is counted.
    """

    name: str
    kind: ContigKind
    length: int
    digests: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Par:
    """One pseudo-autosomal region, 0-based half-open on X and on Y."""

    name: str
    x: tuple[int, int]
    y: tuple[int, int]


@dataclass(frozen=True)
class Region:
    """A stretch of a contig, 0-based half-open, over which ploidy is one number per karyotype."""

    start: int
    end: int
    kind: RegionKind


@dataclass(frozen=True)
class Build:
    """A named set of contigs with their PARs; contigs that are not listed are not counted."""

    name: str
    contigs: tuple[Contig, ...]
    par: tuple[Par, ...] = ()

    def contig(self, name: str) -> Contig | None:
        """The contig of that name, or None when it is not one that is counted."""
        return next((contig for contig in self.contigs if contig.name == name), None)

    def regions(self, contig: Contig) -> list[Region]:
        """Cut a contig at its PAR borders; the regions cover it without gaps, in order."""
        if contig.kind in ("autosome", "mt"):
            return [Region(0, contig.length, contig.kind)]
        inside: RegionKind = "x_par" if contig.kind == "x" else "y_par"
        spans = sorted(par.x if contig.kind == "x" else par.y for par in self.par)
        regions, at = [], 0
        for start, end in spans:
            regions += [Region(at, start, contig.kind), Region(start, end, inside)]
            at = end
        regions.append(Region(at, contig.length, contig.kind))
        return [region for region in regions if region.start < region.end]

    def named_like(self, names: Iterable[str]) -> "Build":
        """The same build, its contigs spelt as in `names` (`chr1` or `1`, `chrM` or `MT`); what proves them to be the
        same is for the caller to ask.

        A contig that `names` has in neither spelling keeps its own, unless all others are spelt otherwise.
        """
        known, mine = set(names), {contig.name for contig in self.contigs}
        others = {name for name in mine - known if other_name(name) in known - mine}
        if others and mine.isdisjoint(known):
            others = mine
        spelt = (replace(c, name=other_name(c.name)) if c.name in others else c for c in self.contigs)
        return replace(self, contigs=tuple(spelt))


def ploidy(kind: RegionKind, karyotype: str) -> int:
    """Expected copies (0, 1 or 2) of a region of this kind in a person of this karyotype.

    Autosomes are diploid and MT haploid for everybody; XX has no Y (absent, not zero); the PAR of Y is
    counted on X, so nobody is counted there.
    """
    if kind == "autosome":
        return 2
    if kind == "mt":
        return 1
    return SEX_CHROMOSOME_PLOIDY.get(karyotype, {}).get(kind, 0)


def other_name(name: str) -> str:
    """The other spelling of a contig: chrX of X, MT of chrM, and the other way round."""
    if name.startswith("chr"):
        return "MT" if name == "chrM" else name.removeprefix("chr")
    return "chrM" if name == "MT" else f"chr{name}"
