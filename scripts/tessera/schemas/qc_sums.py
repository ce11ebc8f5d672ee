"""What the metrics of people come to: the units they are added in, and the edges of their histograms."""

from tessera.schemas.table import markdown_table
from tessera.schemas.wgs_qc import METRICS

#: name of their file
QC_SUMS = "qc_sums.json"
QC_SUMS_VERSION = 1

#: metric -> width of a bin in the metric's unit, and bins; the first begins at 0, what is at or above the highest edge
#: falls in one more, except for % and fractions, where the highest value belongs to the last
EDGES: dict[str, tuple[float, int]] = {
    "yield_bp_q30": (5_000_000_000, 100),
    "mean_insert_size": (20, 50),
    "insert_size_std_deviation": (10, 50),
    "pct_reads_mapped": (1, 100),
    "pct_reads_properly_paired": (1, 100),
    "mean_autosome_coverage": (1, 100),
    "mad_autosome_coverage": (1, 50),
    "pct_autosomes_15x": (1, 100),
    "cross_contamination_rate": (0.005, 200),
    "count_snvs": (100_000, 100),
    "count_insertions": (10_000, 100),
    "count_deletions": (10_000, 100),
    "ratio_heterozygous_homzygous_snv": (0.1, 50),
    "ratio_heterozygous_homzygous_indel": (0.1, 50),
    "ratio_insertion_deletion": (0.05, 40),
    "ratio_transitions_transversions_snv": (0.05, 80),
}


def unit_of(metric: str) -> int:
    """How many of the whole numbers that are added make one of the metric: 10 to the power of its decimals."""
    return int(10 ** METRICS[metric].decimals)


def width_of(metric: str) -> int:
    """The width of a bin, in the whole numbers that are added."""
    return round(EDGES[metric][0] * unit_of(metric))


def last_bin(metric: str) -> int:
    """The number of the last bin."""
    bins = EDGES[metric][1]
    return bins - 1 if METRICS[metric].unit in ("%", "fraction") else bins


def markdown() -> str:
    """Units and edges as a table."""
    rows = [(f"`{name}`", str(unit_of(name)), f"{width:g}", str(bins)) for name, (width, bins) in EDGES.items()]
    return markdown_table(("metric", "added as whole numbers of 1 /", "width of a bin", "bins"), rows)
