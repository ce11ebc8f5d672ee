"""Who is counted: the decisions and what each rests on. Private tables, one person per row."""

from tessera.schemas.qc_policy import METRICS
from tessera.schemas.table import Column, Table

#: why a person is not counted; reasons are counted in the manifest, which leaves the node
REASONS = ("consent", *(f"qc:{metric}" for metric in sorted(METRICS)), "withdrawn")

DECISIONS = Table(
    "decisions.tsv",
    1,
    (
        Column("sample", "String", "Name of the sample, each once."),
        Column("counted", "Boolean", "Whether the sample is counted."),
        Column("reason", "String", "Why it is not, codes joined by `;` in alphabetical order; else empty."),
    ),
)
DETAILS = Table(
    "decisions.details.tsv",
    1,
    (
        Column("sample", "String", "Name of the sample."),
        Column(
            "rule",
            "String",
            "What was judged: `withdrawn`, `consent` or `qc:METRIC`; to review: `duplicate_of`, `relative`.",
        ),
        Column("value", "String", "What was found; empty where there was nothing to measure."),
        Column("threshold", "String", "What is counted."),
        Column("passed", "Boolean", "Whether the rule lets the sample be counted."),
        Column("policy", "String", "Digest of the QC policy file that was applied."),
    ),
)


def is_reason(text: str) -> bool:
    """Whether a text is codes of REASONS, each once, joined by `;` in alphabetical order."""
    codes = text.split(";")
    return set(codes) <= set(REASONS) and codes == sorted(set(codes))
