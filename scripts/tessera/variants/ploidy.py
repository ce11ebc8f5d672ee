"""The ploidy table that bcftools call reads: what to call in whom, by sex karyotype."""

from tessera.genome.build import Build, RegionKind, other_name, ploidy
from tessera.schemas.samples import KARYOTYPES


def ploidy_table(build: Build) -> str:
    """Lines `CONTIG FROM TO SEX PLOIDY` (1-based, both ends within) for `bcftools call --ploidy-file`.

    Autosomes have no lines: two copies are the rule, the last lines say so, and a build with another autosome asks
    nobody to be called again. Contigs are there in both spellings (chrX and X), for the reference may have the other.
    The "sexes" are karyotypes. MT is called diploid, so that a mixture shows as a het; where nobody of a
    karyotype is counted (aneuploids on X and Y) calls are diploid and the count leaves them out. XX has no Y.
    """
    lines = [
        f"{name} {region.start + 1} {region.end} {karyotype} {_called_copies(region.kind, karyotype)}"
        for contig in build.contigs
        if contig.kind != "autosome"
        for name in (contig.name, other_name(contig.name))
        for region in build.regions(contig)
        for karyotype in KARYOTYPES
    ]
    return "\n".join([*lines, *(f"* * * {karyotype} 2" for karyotype in KARYOTYPES)]) + "\n"


def _called_copies(kind: RegionKind, karyotype: str) -> int:
    if kind == "mt":
        return 2
    return ploidy(kind, karyotype) if karyotype in ("XX", "XY") else 2
