"""A sample sheet as a frame: its cells, and its tidy form."""

import polars as pl

from tessera.schemas.samples import (
    CALLED_KINDS,
    INPUT_COLUMNS,
    PERSONAL_COLUMNS,
    SAMPLE_ROWS,
    SAMPLES,
    SEX_SPELLINGS,
    SEX_STRATA,
    WITHDRAWN,
)


def normalise_samples(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a faultless sheet (see `check_samples`) as `SAMPLE_ROWS`, in the order of the sheet."""
    kinds = {"fastq_1": "fastq"} | {name: name for name in (*PERSONAL_COLUMNS, "vcf")}
    optional = [name for name in SAMPLES.names if name not in SAMPLES.required]
    rows = stripped(with_all_columns(rows)).with_columns(read_group=pl.when(is_fastq()).then(lane()))
    return (
        rows.with_columns(sex=karyotype(), withdrawn=is_withdrawn(), consent_stated=pl.col("consent").is_not_null())
        .with_columns(pl.when(given(name)).then(pl.col(name)).alias(name) for name in optional)
        .with_columns(
            kind=pl.coalesce(pl.when(given(name)).then(pl.lit(kind)) for name, kind in kinds.items()),
            sex_stratum=pl.col("sex").replace_strict(SEX_STRATA, default="U", return_dtype=pl.String),
            batch=pl.col("batch").fill_null("1"),
        )
        .with_columns(stratum=pl.col("population") + "_" + pl.col("sex_stratum"))
        .select(pl.col(name).cast(dtype) for name, dtype in SAMPLE_ROWS.schema.items())
    )


def each_person(samples: pl.DataFrame) -> pl.DataFrame:
    """One row per sample of tidy rows (`SAMPLE_ROWS`), without lanes and inputs, in sheet order."""
    person = [name for name in SAMPLE_ROWS.names if name not in ("line", "read_group", *INPUT_COLUMNS)]
    return samples.unique("sample", keep="first", maintain_order=True).select(person)


def measured_alone(people: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Samples, of one row per person, that alignments are measured of; and those with calls in a file of their own.

    Withdrawn people are not measured.
    """
    present = people.filter(~pl.col("withdrawn"))
    aligned = present.filter(pl.col("kind").is_in(CALLED_KINDS))["sample"].to_list()
    return aligned, present.filter(pl.col("kind") != "vcf")["sample"].to_list()


def with_all_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """A column the sheet does not have is null; an empty cell is an empty string, so the two stay apart."""
    absent = [name for name in SAMPLES.names if name not in rows.columns]
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)


def stripped(rows: pl.DataFrame) -> pl.DataFrame:
    """All cells without the blanks around them."""
    return rows.with_columns(pl.col(SAMPLES.names).str.strip_chars())


def given(name: str) -> pl.Expr:
    """Whether the row has a value in this column."""
    return (pl.col(name) != "").fill_null(value=False)


def is_fastq() -> pl.Expr:
    """Whether the row names a FASTQ file, or half a pair."""
    return given("fastq_1") | given("fastq_2")


def is_withdrawn() -> pl.Expr:
    """Whether consent was withdrawn."""
    return (pl.col("consent") == WITHDRAWN).fill_null(value=False)


def karyotype() -> pl.Expr:
    """The sex karyotype of any accepted spelling, else null."""
    spelt = pl.col("sex").str.to_lowercase()
    return spelt.replace_strict(SEX_SPELLINGS, default=None, return_dtype=pl.String)


def lane() -> pl.Expr:
    """The row's read group: as given, else its running number among the sample's rows."""
    number = pl.int_range(1, pl.len() + 1).over("sample").cast(pl.String)
    return pl.when(given("read_group")).then(pl.col("read_group")).otherwise(number)
