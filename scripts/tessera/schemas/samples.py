"""The sample sheet: its columns, the accepted spellings, and its tidy form."""

import polars as pl

from tessera.schemas.table import Column, Table

KARYOTYPES = ("XX", "XY", "X0", "XXY", "XYY", "XXX", "NA")

#: accepted spelling, in lower case -> sex karyotype
SEX_SPELLINGS = {
    **{karyotype.lower(): karyotype for karyotype in KARYOTYPES},
    **dict.fromkeys(("f", "female", "2"), "XX"),
    **dict.fromkeys(("m", "male", "1"), "XY"),
    **dict.fromkeys(("0", "unknown", "u"), "NA"),
}

#: sex karyotype -> sex stratum; every karyotype that is not named here is U
SEX_STRATA = {"XX": "F", "XY": "M"}

WITHDRAWN = "withdrawn"
DUO_PATTERN = r"^DUO:[0-9]{7}$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
POPULATION_PATTERN = r"^[A-Za-z0-9]{1,16}$"

FASTQ_COLUMNS = ("fastq_1", "fastq_2")
#: one file is one person's; a cohort VCF alone may be named by many samples
PERSONAL_COLUMNS = ("bam", "cram", "gvcf")
INPUT_COLUMNS = (*FASTQ_COLUMNS, *PERSONAL_COLUMNS, "vcf")
#: kinds of input from which genotypes are still to be called
CALLED_KINDS = ("fastq", "bam", "cram")
#: a sample's rows must agree in these
PERSON_COLUMNS = ("sex", "population", "batch", "consent")


def _text(name: str, doc: str, example: str = "", *, required: bool = False) -> Column:
    return Column(name, pl.String(), doc, example=example, required=required)


SAMPLES = Table(
    "samples.tsv",
    1,
    (
        _text(
            "sample",
            "Name of the sample: letters, digits, `.`, `_` and `-`, the first a letter or digit. In a gVCF "
            "or VCF the sample has the same name. A sample stands on several rows only where each is a "
            "FASTQ lane; such rows agree in sex, population, batch and consent.",
            "AL0001",
            required=True,
        ),
        _text(
            "sex",
            "Sex karyotype: XX, XY, X0, XXY, XYY, XXX, or NA for unknown. Accepted as well, in capitals or "
            "not: F, female, 2 (XX); M, male, 1 (XY); U, unknown, 0 (NA). Ploidy on X and Y comes from the "
            "karyotype and the PAR of the build, never from the calls. XX is counted in stratum F, XY in "
            "M, all others in U.",
            "XX",
            required=True,
        ),
        _text(
            "population",
            "Population the sample is counted in: 1 to 16 letters or digits. The Genome of Europe wants "
            "two capital letters.",
            "EE",
            required=True,
        ),
        _text(
            "batch",
            "Samples that were processed together, spelt as a sample's name; `1` if empty.",
            "2026-03",
        ),
        _text(
            "consent",
            "DUO code of the person's consent, or `withdrawn`: such a sample is not processed at all, and "
            "its files may be gone. Without this column everybody is counted, reported as consent not "
            "stated; with it no cell may be empty.",
            "DUO:0000042",
        ),
        _text(
            "read_group",
            "Name of a FASTQ lane, spelt as a sample's name; if empty, the row's running number within its sample.",
            "L001",
        ),
        _text("fastq_1", "First reads of the pairs.", "reads/AL0001_1.fastq.gz"),
        _text("fastq_2", "Second reads of the pairs, in the same order.", "reads/AL0001_2.fastq.gz"),
        _text("bam", "Aligned reads of this sample.", "AL0001.bam"),
        _text("cram", "Aligned reads of this sample, on the reference of the configuration.", "AL0001.cram"),
        _text("gvcf", "Calls and reference blocks of this sample alone.", "AL0001.g.vcf.gz"),
        _text(
            "vcf",
            "A cohort VCF or BCF that holds this sample and others.",
            "2025.vcf.gz",
        ),
    ),
)

SAMPLE_ROWS = Table(
    "sample rows",
    1,
    (
        Column("line", pl.Int64(), "Line of the sheet; the header is line 1."),
        Column("sample", pl.String(), "Name of the sample."),
        Column("sex", pl.String(), "Sex karyotype: XX, XY, X0, XXY, XYY, XXX or NA."),
        Column("sex_stratum", pl.String(), "F for XX, M for XY, U for every other karyotype."),
        Column("population", pl.String(), "Population."),
        Column("stratum", pl.String(), "Leaf stratum: population and sex stratum.", example="EE_F"),
        Column("batch", pl.String(), "Batch."),
        Column("consent", pl.String(), "DUO code or `withdrawn`; null where not stated."),
        Column("consent_stated", pl.Boolean(), "Whether the sheet has a consent column."),
        Column("withdrawn", pl.Boolean(), "Whether consent was withdrawn."),
        Column("kind", pl.String(), "fastq, bam, cram, gvcf or vcf; null without input."),
        Column("read_group", pl.String(), "Name of the lane; null unless the row is FASTQ."),
        *(Column(name, pl.String(), "Path, or null.") for name in INPUT_COLUMNS),
    ),
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
        .select(pl.col(column.name).cast(column.dtype) for column in SAMPLE_ROWS.columns)
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
