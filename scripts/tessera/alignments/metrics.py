"""Quality metrics of one sample's alignments, out of `samtools stats` and `samtools depth`."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.errors import InputError, Problem, refuse
from tessera.genome.build import Build, Contig, RegionKind
from tessera.schemas.wgs_qc import rounded

Counts = npt.NDArray[np.int64]

#: summary numbers of `samtools stats` that the metrics need
STATS_KEYS = (
    "sequences",
    "reads mapped",
    "reads properly paired",
    "insert size average",
    "insert size standard deviation",
)
#: qualities counted: samtools stats gives reads without qualities (`*`) a column of 255, beyond what SAM can state
Q30, Q_HIGHEST = 30, 93
#: bases of the reference looked at in one go
WINDOW = 1 << 16

SEX_AND_MT: tuple[RegionKind, ...] = ("x", "y", "mt")
#: copies seen (X, Y) -> karyotype; any other pair is "ambiguous"
KARYOTYPES = {(2, 0): "XX", (1, 1): "XY", (1, 0): "X0", (2, 1): "XXY", (1, 2): "XYY", (3, 0): "XXX"}
#: what twice the depth relative to the autosomes may be for 0, 1, 2 and 3 copies. Much of Y takes no read
#: at mapping quality 20, so one copy of Y may look like less; reads astray from X give an XX a trace of Y.
COPIES_OF_X = ((0.0, 0.2), (0.7, 1.3), (1.7, 2.3), (2.6, 3.4))
COPIES_OF_Y = ((0.0, 0.2), (0.4, 1.3), (1.4, 2.3), (2.6, 3.4))


@dataclass
class DepthTally:
    """How many bases have which depth, by kind of region: `bases[kind][depth]`, all depths, PAR apart."""

    bases: dict[RegionKind, Counts] = field(default_factory=dict)

    def add(self, kind: RegionKind, depths: npt.NDArray[np.integer[Any]]) -> None:
        """Count the depths of some bases of that kind of region."""
        new = np.bincount(depths).astype(np.int64)
        old = self.bases.get(kind, np.zeros(0, np.int64))
        longer, shorter = (new, old) if len(new) >= len(old) else (old, new)
        longer[: len(shorter)] += shorter
        self.bases[kind] = longer

    def drop_gaps(self, kind: RegionKind, gaps: int) -> None:
        """Take away the bases that are N in the reference; no read aligns there, so their depth is 0."""
        if kind in self.bases and len(self.bases[kind]):
            self.bases[kind][0] = max(0, self.bases[kind][0] - gaps)


def parse_stats(text: str, where: str) -> dict[str, float]:
    """The five summary numbers of `samtools stats` in STATS_KEYS, and `bases q30`.

    `bases q30` sums the columns of Q 30 to 93 in the FFQ and LFQ rows; `sequences` are the reads that were not filtered
    out. Raises InputError when a number is missing or none, or there are no reads.
    """
    found: dict[str, float] = {"bases q30": 0}
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        kind, _, rest = line.partition("\t")
        key, _, value = rest.partition(":\t")
        try:
            if kind == "SN" and key in STATS_KEYS:
                found[key] = _not_negative(value.partition("\t")[0])
            elif kind in ("FFQ", "LFQ"):
                found["bases q30"] += sum([int(count) for count in rest.split("\t")][1 + Q30 : 2 + Q_HIGHEST])
        except ValueError:
            problems.append(Problem(f"{where} line {number}", repr(line[:60]), "numbers as samtools stats writes them"))
            found.setdefault(key, 0)
    expected = "the summary numbers (SN) of samtools stats"
    problems += [Problem(where, f"no line {key!r}", expected) for key in STATS_KEYS if key not in found]
    if problems:
        raise InputError(problems)
    if not found["sequences"]:
        raise refuse(where, "no reads", "at least one read that passed the instrument's filter")
    return found


def _not_negative(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def tally_depth(blocks: Iterable[pl.DataFrame], build: Build, where: str) -> DepthTally:
    """Count bases by depth and kind of region, out of blocks of `samtools depth -aa` (contig, pos, depth).

    `pos` is 1-based; contigs that the build does not list are passed over. Raises InputError when a contig
    of the build is not covered base for base: the table was cut short, or is of another reference.
    """
    tally = DepthTally()
    seen = {contig.name: 0 for contig in build.contigs}
    for block in blocks:
        for (name,), rows in block.group_by("contig", maintain_order=True):
            contig = build.contig(str(name))
            if contig:
                _refuse_gap(rows["pos"].to_numpy(), seen[contig.name], f"{where} {contig.name}")
                seen[contig.name] += rows.height
                _tally_contig(tally, build, contig, rows)
    problems = [
        Problem(where, f"{seen[contig.name]} bases of {contig.name}", f"{contig.length}, as the build says")
        for contig in build.contigs
        if seen[contig.name] != contig.length
    ]
    if problems:
        raise InputError(problems)
    return tally


def _refuse_gap(positions: npt.NDArray[np.int64], before: int, where: str) -> None:
    odd = np.flatnonzero(positions != np.arange(before + 1, before + 1 + len(positions)))
    if len(odd):
        found, expected = positions[odd[0]], before + 1 + odd[0]
        raise refuse(where, f"position {found:,}", f"{expected:,}, the next", "Give samtools depth -aa all contigs.")


def _tally_contig(tally: DepthTally, build: Build, contig: Contig, rows: pl.DataFrame) -> None:
    positions, depths = rows["pos"].to_numpy(), rows["depth"].to_numpy()
    for region in build.regions(contig):
        first, last = np.searchsorted(positions, [region.start + 1, region.end + 1])
        if first < last:
            tally.add(region.kind, depths[first:last])


def count_gaps(bases: Callable[[str, int, int], str], build: Build) -> dict[RegionKind, int]:
    """How many bases of each kind of region are N; `bases(contig, start, end)` gives them in upper case."""
    gaps: dict[RegionKind, int] = {}
    for contig in build.contigs:
        for region in build.regions(contig):
            for start in range(region.start, region.end, WINDOW):
                window = bases(contig.name, start, min(start + WINDOW, region.end))
                gaps[region.kind] = gaps.get(region.kind, 0) + window.count("N")
    return gaps


def measure(
    sample: str, stats: Mapping[str, float], tally: DepthTally, contamination: float | None = None
) -> dict[str, Any]:
    """The metrics document of a sample: `biosample`, `wgs_qc_metrics` and `tessera`.

    `wgs_qc_metrics.aln_metrics` has the names, definitions and roundings of GA4GH WGS QC v1. Under `tessera`
    stand `depth_ratio_x`, `depth_ratio_y` (without PAR) and `depth_ratio_mt`, mean depth over that of the
    autosomes, and the `sex_karyotype` that depth tells. What there is nothing to measure of is None.
    """
    autosomes = tally.bases.get("autosome", np.zeros(0, np.int64))
    standard = {
        "yield_bp_q30": yield_bp_q30(stats),
        "mean_insert_size": mean_insert_size(stats),
        "insert_size_std_deviation": insert_size_std_deviation(stats),
        "pct_reads_mapped": pct_reads_mapped(stats),
        "pct_reads_properly_paired": pct_reads_properly_paired(stats),
        "mean_autosome_coverage": mean_autosome_coverage(autosomes),
        "mad_autosome_coverage": mad_autosome_coverage(autosomes),
        "pct_autosomes_15x": pct_autosomes_15x(autosomes),
        "cross_contamination_rate": contamination,
    }
    standard = {name: rounded(name, value) for name, value in standard.items()}
    own = {
        **{f"depth_ratio_{kind}": _rounded(depth_ratio(tally, kind)) for kind in SEX_AND_MT},
        "sex_karyotype": infer_karyotype(depth_ratio(tally, "x"), depth_ratio(tally, "y")),
    }
    return {"biosample": {"id": sample}, "wgs_qc_metrics": {"aln_metrics": standard}, "tessera": own}


def yield_bp_q30(stats: Mapping[str, float]) -> float:
    """bases-q30.md: "The number of bases in [...] high quality reads, primary alignments, achieving a base quality
    score of 30 or greater [...]. Duplicated reads and clipped bases are included."
    """
    return stats["bases q30"]


def mean_insert_size(stats: Mapping[str, float]) -> float:
    """mean-insert-size.md: "The mean insert size of [...] high quality reads, primary alignments [...]. Duplicated
    reads and clipped bases are included. No minimum mapping quality is imposed", as samtools stats measures it.
    """
    return stats["insert size average"]


def insert_size_std_deviation(stats: Mapping[str, float]) -> float:
    """insert-size-standard-deviation.md: "The insert size standard deviation", of the same reads."""
    return stats["insert size standard deviation"]


def pct_reads_mapped(stats: Mapping[str, float]) -> float:
    """percent-reads-mapped.md: "The percentage of [...] high quality reads, primary alignments, mapped"."""
    return 100 * stats["reads mapped"] / stats["sequences"]


def pct_reads_properly_paired(stats: Mapping[str, float]) -> float:
    """percent-reads-properly-paired.md: "The percentage of [...] high quality, properly paired reads"."""
    return 100 * stats["reads properly paired"] / stats["sequences"]


def mean_autosome_coverage(bases: Counts) -> float | None:
    """mean-autosome-coverage.md: "The mean sequencing coverage derived from [...] high quality, non duplicated reads,
    primary alignments, achieving a base quality score of 20 or greater and mapping quality of 20 or greater, in
    autosomes non gap regions [...]. Overlapping bases are counted only once."

    `bases` is the histogram of that depth.
    """
    return mean_depth(bases)


def mad_autosome_coverage(bases: Counts) -> int | None:
    """genome-coverage-uniformity.md: "The median absolute deviation of sequencing coverage", of the same bases.

    Picard's MAD_COVERAGE; None without bases.
    """
    if not bases.sum():
        return None
    deviations = np.abs(np.arange(len(bases)) - _median(bases))
    return _median(np.bincount(deviations, weights=bases).astype(np.int64))


def pct_autosomes_15x(bases: Counts) -> float | None:
    """percent-autosomes-covered-15-x.md: "The percentage of bases attaining at least 15X sequencing coverage"."""
    return float(100 * bases[15:].sum() / bases.sum()) if bases.sum() else None


def mean_depth(bases: Counts) -> float | None:
    """Mean of a histogram of depths; None when it holds no base."""
    return float(np.arange(len(bases)) @ bases / bases.sum()) if bases.sum() else None


def depth_ratio(tally: DepthTally, kind: RegionKind) -> float | None:
    """Mean depth of a kind of region over that of the autosomes; None without bases or depth."""
    own, autosomes = (mean_depth(tally.bases.get(k, np.zeros(0, np.int64))) for k in (kind, "autosome"))
    return own / autosomes if own is not None and autosomes else None


def infer_karyotype(ratio_x: float | None, ratio_y: float | None) -> str | None:
    """XX, XY, X0, XXY, XYY, XXX or "ambiguous" from the depth of X and Y relative to the autosomes.

    None when a ratio is None: the build has no X or no Y, or nothing aligned to the autosomes.
    """
    if ratio_x is None or ratio_y is None:
        return None
    copies = (_copies(2 * ratio_x, COPIES_OF_X), _copies(2 * ratio_y, COPIES_OF_Y))
    return KARYOTYPES.get(copies, "ambiguous")


def _copies(value: float, ranges: tuple[tuple[float, float], ...]) -> int:
    return next((copies for copies, (low, high) in enumerate(ranges) if low <= value <= high), -1)


def _median(bases: Counts) -> int:
    return int(np.searchsorted(np.cumsum(bases), (bases.sum() + 1) // 2))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
