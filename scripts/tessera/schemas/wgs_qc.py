"""The sixteen metrics of GA4GH WGS Quality Control, version 1: names, types and precision; and the JSON Schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tessera.schemas.document import Schema
from tessera.schemas.table import markdown_table


@dataclass(frozen=True)
class Metric:
    """One metric of the standard: the page that defines it, its unit, and the decimals it is reported with."""

    section: str
    unit: str
    decimals: int
    meaning: str

    @property
    def type(self) -> str:
        """What JSON Schema calls a value."""
        return "number" if self.decimals else "integer"


ALIGNMENT_METRICS = {
    "yield_bp_q30": Metric("bases-q30", "bases", 0, "bases of quality 30 or more"),
    "mean_insert_size": Metric("mean-insert-size", "bases", 1, "mean insert size"),
    "insert_size_std_deviation": Metric("insert-size-standard-deviation", "bases", 1, "its standard deviation"),
    "pct_reads_mapped": Metric("percent-reads-mapped", "%", 2, "share of the reads that are aligned"),
    "pct_reads_properly_paired": Metric(
        "percent-reads-properly-paired", "%", 2, "share of the reads that are aligned as a proper pair"
    ),
    "mean_autosome_coverage": Metric(
        "mean-autosome-coverage",
        "reads",
        2,
        "mean depth of the autosomes without gaps: base and mapping quality 20, no duplicates, overlaps once",
    ),
    "mad_autosome_coverage": Metric(
        "genome-coverage-uniformity", "reads", 0, "median absolute deviation of the same depth"
    ),
    "pct_autosomes_15x": Metric(
        "percent-autosomes-covered-15-x", "%", 2, "share of the same bases with a depth of 15 or more"
    ),
    "cross_contamination_rate": Metric(
        "cross-contamination", "fraction", 4, "share of the reads that are somebody else's"
    ),
}
VARIANT_METRICS = {
    "count_snvs": Metric("count-snvs", "records", 0, "records with an SNV that the person carries"),
    "count_insertions": Metric(
        "count-insertions", "records", 0, "records with one ALT that the person carries, an insertion below 50 bases"
    ),
    "count_deletions": Metric("count-deletions", "records", 0, "the same of deletions"),
    "ratio_heterozygous_homzygous_snv": Metric(
        "ratio-heterozygous-homozygous-snvs", "ratio", 2, "heterozygous by homozygous records with an SNV"
    ),
    "ratio_heterozygous_homzygous_indel": Metric(
        "ratio-heterozygous-homozygous-indels", "ratio", 2, "the same of insertions and deletions"
    ),
    "ratio_insertion_deletion": Metric("ratio-insertions-deletions", "ratio", 2, "count_insertions by count_deletions"),
    "ratio_transitions_transversions_snv": Metric(
        "ratio-transitions-transversions-ti-tv", "ratio", 2, "transitions by transversions of bi-allelic SNVs"
    ),
}
METRICS = ALIGNMENT_METRICS | VARIANT_METRICS
#: where the standard's text leaves a choice: what, here, elsewhere
CHOICES = (
    (
        "high quality reads",
        "not flagged as failed by the instrument (0x200), in every metric",
        "samtools stats counts them in, unless told otherwise",
    ),
    (
        "qualities",
        "30 to 93; reads without qualities have no base of Q30",
        "samtools stats lists them under 255",
    ),
    (
        "primary alignments",
        "supplementary alignments count in coverage, as in Picard, and not among reads",
        "",
    ),
    (
        "gaps",
        "bases that are N in the run's reference, as Picard CollectWgsMetrics passes over N within the intervals",
        "UCSC's table of gaps, which are N in hg38",
    ),
    (
        "overlapping bases",
        "counted once, by the first mate: where that one is below quality 20, the second is not asked "
        "(`samtools depth -s`)",
        "Picard asks the second: it would be 28 bases in a million more in NA12878 at 7.5x",
    ),
    (
        "unpaired reads, depth above 250",
        "counted",
        "Picard leaves out reads whose mate is not aligned, and cuts depth at 250",
    ),
    (
        "properly paired",
        "two decimals of the ratio",
        "the reference implementation has the one decimal that samtools prints",
    ),
    (
        "high quality variants",
        "FILTER is PASS or `.`, on autosomes; the mask of the count plays no part",
        "`bcftools view -f PASS` refuses `.`",
    ),
    (
        "records",
        "a record's ALTs are those the person carries; half-calls count nowhere",
        "`tessera count --sample-counts` counts variants, under the mask",
    ),
    (
        "people of a cohort VCF",
        "all seven metrics of calls: each record as if it stood in a file of that person alone",
        "a joint caller's records and FILTER are of everybody, so a person called alone may have other numbers",
    ),
    (
        "insertions, deletions",
        "records with one ALT, below 50 bases, told by htslib's rules: neither complex alleles nor MNPs",
        "",
    ),
)


def rounded(metric: str, value: float | None) -> float | None:
    """A value as the standard reports that metric; what could not be measured stays None."""
    if value is None:
        return None
    decimals = METRICS[metric].decimals
    return round(value, decimals) if decimals else round(value)


def _group(metrics: Mapping[str, Metric], doc: str) -> Schema:
    return {
        "type": "object",
        "description": doc,
        "x-expected": f"a mapping of {', '.join(metrics)}",
        "additionalProperties": False,
        "required": list(metrics),
        "properties": {name: _value(metric) for name, metric in metrics.items()},
    }


def _value(metric: Metric) -> Schema:
    bounds: dict[str, Any] = {"minimum": 0}
    if metric.unit in ("%", "fraction"):
        bounds["maximum"] = 100 if metric.unit == "%" else 1
    told = f"{metric.meaning}; {metric.unit}, {metric.decimals} decimals. Section {metric.section}."
    kind = "a whole number" if metric.type == "integer" else "a number"
    return {"type": [metric.type, "null"], **bounds, "description": told, "x-expected": f"{kind}, or null"}


SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "GA4GH WGS Quality Control metrics, version 1, of one sample",
    "description": "null is what could not be measured. A sample without alignments has variant_metrics alone.",
    "type": "object",
    "x-expected": "a mapping with biosample and wgs_qc_metrics",
    "additionalProperties": False,
    "required": ["biosample", "wgs_qc_metrics"],
    "properties": {
        "biosample": {
            "type": "object",
            "description": "The sample.",
            "x-expected": "a mapping with id",
            "additionalProperties": False,
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "minLength": 1, "description": "Its name.", "x-expected": "text"},
            },
        },
        "wgs_qc_metrics": {
            "type": "object",
            "description": "Its metrics.",
            "x-expected": "a mapping with aln_metrics, variant_metrics or both",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                "aln_metrics": _group(ALIGNMENT_METRICS, "Metrics of its alignments."),
                "variant_metrics": _group(VARIANT_METRICS, "Metrics of its calls."),
            },
        },
    },
}


def markdown() -> str:
    """The sixteen metrics as a table."""
    rows = [(f"`{name}`", m.unit, str(m.decimals), f"`{m.section}`", m.meaning) for name, m in METRICS.items()]
    return markdown_table(("metric", "unit", "decimals", "section", "meaning"), rows)
