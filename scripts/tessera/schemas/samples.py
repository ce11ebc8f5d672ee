"""The sample sheet: its columns and the accepted spellings."""

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
    return Column(name, "String", doc, example=example, required=required)


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
        Column("line", "Int64", "Line of the sheet; the header is line 1."),
        Column("sample", "String", "Name of the sample."),
        Column("sex", "String", "Sex karyotype: XX, XY, X0, XXY, XYY, XXX or NA."),
        Column("sex_stratum", "String", "F for XX, M for XY, U for every other karyotype."),
        Column("population", "String", "Population."),
        Column("stratum", "String", "Leaf stratum: population and sex stratum.", example="EE_F"),
        Column("batch", "String", "Batch."),
        Column("consent", "String", "DUO code or `withdrawn`; null where not stated."),
        Column("consent_stated", "Boolean", "Whether the sheet has a consent column."),
        Column("withdrawn", "Boolean", "Whether consent was withdrawn."),
        Column("kind", "String", "fastq, bam, cram, gvcf or vcf; null without input."),
        Column("read_group", "String", "Name of the lane; null unless the row is FASTQ."),
        *(Column(name, "String", "Path, or null.") for name in INPUT_COLUMNS),
    ),
)
