"""What is known about one person's calls at one node, before any file is written."""

from __future__ import annotations

from dataclasses import dataclass, field

Genotype = tuple[int | None, ...]
SEX_OF = {"XX": "F", "XY": "M"}


@dataclass(frozen=True)
class Contig:
    """A contig of the build; `kind` is autosome, x, y or mt; `length` in bases."""

    name: str
    kind: str
    length: int


@dataclass(frozen=True)
class Par:
    """A pseudoautosomal region: 0-based half-open on X and on Y."""

    name: str
    x: tuple[int, int]
    y: tuple[int, int]


@dataclass(frozen=True)
class Interval:
    """Bases [start, end) of a contig, 0-based half-open."""

    contig: str
    start: int
    end: int


@dataclass(frozen=True)
class Record:
    """One variant record as one sample has it: `pos` 1-based, `gt` allele indices (None = missing)."""

    contig: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    gt: Genotype
    ad: tuple[int, ...]
    dp: int | None
    gq: int | None
    filter: str = "PASS"


@dataclass(frozen=True)
class Block:
    """One reference block of one sample: bases [start, end), 0-based half-open."""

    contig: str
    start: int
    end: int
    gt: Genotype
    gq: int
    dp: int
    min_dp: int


@dataclass
class Member:
    """One sample of one node with all its calls; `declared` are bases called by the operator's word."""

    sample: str
    karyotype: str
    population: str
    reason: str = ""
    records: list[Record] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    declared: list[Interval] = field(default_factory=list)

    @property
    def counted(self) -> bool:
        """True when nothing speaks against counting the sample."""
        return self.reason == ""

    @property
    def stratum(self) -> str:
        """Leaf stratum, population and sex: XX is F, XY is M, everything else is U."""
        return f"{self.population}_{SEX_OF.get(self.karyotype, 'U')}"
