"""Write the pages, and the JSON Schema, that follow from the schemas; with `--check` only say which are stale."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.cohort_ledger import ENVELOPE, EVENTS, LEDGER_VERSION, RECEIPT, RECEIPT_VERSION
from tessera.schemas.config import SCHEMA as CONFIG
from tessera.schemas.document import document_markdown, keys_markdown
from tessera.schemas.histograms import EDGES, HISTOGRAMS
from tessera.schemas.qc_policy import METRICS
from tessera.schemas.qc_policy import SCHEMA as QC_POLICY
from tessera.schemas.qc_sums import QC_SUMS_VERSION
from tessera.schemas.qc_sums import markdown as qc_edges_markdown
from tessera.schemas.samples import INPUT_COLUMNS, SAMPLES
from tessera.schemas.table import markdown_table
from tessera.schemas.variants import VARIANTS
from tessera.schemas.wgs_qc import CHOICES
from tessera.schemas.wgs_qc import SCHEMA as WGS_QC
from tessera.schemas.wgs_qc import markdown as wgs_qc_markdown
from tessera.summary.blocks import BLOCK_SIZE, GROUP_ROWS
from tessera.summary.manifest import SCHEMA_VERSION

ROOT = Path(__file__).resolve().parent.parent

CONFIG_PAGE = """\
<!-- Made by scripts/write_docs.py from the schemas in scripts/tessera/schemas; edit those, then `make
docs`. -->

# Configuration

A run reads one YAML file and, for each node, one sample sheet. Copy [config.yaml](config.yaml) and
[samples.tsv](samples.tsv), edit the copies, and ask before anything runs:

    tessera check --config my/config.yaml

It lists everything that is wrong at once, each with its place, what was found, what is expected and what
to do, and ends with exit code 2; or it tells how many samples there are. Several `--config` merge as
Snakemake's `--configfile` does: within mappings, the later file wins key by key.

Unknown keys and columns are refused. In paths `$NAME` and `${{NAME}}` are variables of the environment;
one that is not set is an error. Relative paths in the configuration start at the working directory,
those in a sample sheet at the folder of the sheet.

## Keys of the configuration

{keys}

## Columns of the sample sheet

Text in UTF-8, cells separated by tabs, a header, any order of columns. An empty cell is not given; a
line without any cell filled is skipped. No blanks around a value, and quotes mean nothing.

{columns}

### inputs

Each row has exactly one input: `fastq_1` with `fastq_2`, or one of `bam`, `cram`, `gvcf`, `vcf`. A sheet
may mix them; each sample enters the flow at its own stage. Every file must exist, except those of
withdrawn samples, whose rows need no input at all. A FASTQ file stands in one cell only, a BAM, CRAM or gVCF
is of one sample, and a sample of a cohort VCF is in one node, over all sheets of a run and whatever links lead
to a file: a person is counted once. Names may repeat between nodes. `tessera count --samples` reads the
sample, sex and population of a sheet and leaves its inputs alone.

| input | enters at | several rows for a sample |
| --- | --- | --- |
| `fastq_1`, `fastq_2` | alignment | yes, lanes, each with a read group of its own |
| `bam`, `cram` | alignment QC, then calling | no |
| `gvcf` | counting; its reference blocks tell where the sample is called | no |
| `vcf` | counting; called at listed sites only, or where `callable` says | no |

## QC policy

`qc_policy` names a YAML file; ours is [policies/qc.yaml](policies/qc.yaml). {policy}

{rules}

{metrics}
"""


DATA_MODEL_PAGE = """\
<!-- Made by scripts/write_docs.py from the schemas in scripts/tessera/schemas; edit those, then `make
docs`. -->

# The summary on disk

    manifest.json                    what it is about
    variants/<contig>.parquet        the leaf table
    an_track/<contig>.parquet        who is called at each base
    histograms/<contig>.parquet      quality and depth of carriers, and of all called
    qc_sums.json                     what was measured of the people, in sums; where something was

Schema {version}. In each Parquet file one row group is one block of {block:,} bases; a block of more than {group:,}
rows is cut into row groups of so many. Rows are sorted by their first columns, those of the AN track within a row group
by stratum and start. Text is stored as dictionaries, numbers as BYTE_STREAM_SPLIT, start and end of the AN track as
DELTA_BINARY_PACKED, all of it compressed by zstd. Nothing else lies in the folder, and no column beside those below
may. The same people counted by the same rules give the same bytes.

## variants

One row per variant and leaf stratum in which somebody's own record lists the variant; of every other stratum the
AN track at `pos` says who is called. Everything else is derived:

    AC = n_het + 2 n_homalt + n_hemi        AN = 2 n_dip + n_hap        AF = AC / AN

{variants}

## an_track

Runs of equal bases; runs of zeros are not stored, equal neighbours are one run, blocks are cut apart. Most runs end
where the next begins, which is not told twice; the file alone says all ends, in polars by

    pl.col("end").fill_null(pl.col("start").shift(-1).over("stratum", order_by="start"))

{an_track}

## histograms

{histograms}

{edges}

A value at or above the highest edge of GQ and DP falls in one more bin (20); a share of 1 in the last.

## qc_sums.json

`schema` is {qc_version}; `strata` is leaf stratum -> metric -> sums over its people of whom the metric was measured:

| key | meaning |
| --- | --- |
| `n` | how many they are |
| `sum`, `sum_squares` | of the values as whole numbers: 30.02 with its two decimals is 3002 |
| `bins` | number of a bin, from 0 -> people |

Mean and standard deviation follow, exactly: `tessera show --qc` prints them. The metrics are those of the
[GA4GH standard](quality.md). `sum_squares` may be beyond 2^53 (of a million people, 10^28), where readers of JSON that
know floating point alone round it.

{qc_edges}

The first bin begins at 0. What is at or above the highest edge falls in one more bin; a share of 1, or 100 %, in the
last. The text has one form: keys in this order, strata, metrics and bins sorted, nothing else.

## manifest.json

| key | meaning |
| --- | --- |
| `schema` | version of this page |
| `rules` | how people were counted: build, seqcol and refget digests, mask, all of [counting](counting.md) |
| `fingerprint` | sha256 of the canonical JSON (RFC 8785) of `rules`; summaries add up when it is equal |
| `people` | leaf stratum -> people counted |
| `an_basis` | `gvcf`, `declared`, `variant_only` -> people |
| `consent` | DUO code, or `not stated` -> people counted |
| `not_counted` | reason -> people who were processed and not counted |
| `ledger` | carriers: in, counted, dropped by reason |
| `members` | file -> sha256 |

Every number in it is a sum over people, so manifests add and subtract like the tables. `tessera count` writes tools,
arguments and numbers of records to `<folder>.provenance.json`, beside the summary: it is private, as paths are.

A summary that came in a bundle, or was merged with one, holds `lineage.json` as well: the
[nodes](federation.md#lineage) of which it is made. It is no member, and no digest depends on it.
"""


QUALITY_PAGE = """\
<!-- Made by scripts/write_docs.py from the schemas in scripts/tessera/schemas; edit those, then `make
docs`. -->

# What a sample is worth

`private/qc/metrics/SAMPLE.metrics.json` holds the sixteen metrics of the
[GA4GH WGS Quality Control standard](https://ga4gh.github.io/quality-control-wgs/), version 1, under its names
(`homzygous` is its spelling), with its decimals and in its shape;
[wgs-qc-metrics.schema.json](wgs-qc-metrics.schema.json) is the JSON Schema. `null` is what could not be measured.

{metrics}

`multiqc results/mynode/private/qc` shows the same as a table, out of `metrics/ga4gh_wgs_qc_mqc.json`, beside its own
pages of samtools stats and cutadapt; Tessera does not need MultiQC.

A section is a page of the standard's metric definitions; the docstring of each metric's function quotes it.

## Where a definition leaves a choice

{choices}

## Contamination

`cross_contamination_rate` is measured where `contamination_panel` names a panel of VerifyBamID2 for the build of the
reference (`resource/1000g.phase3.100k.b38.vcf.gz.dat` of its repository is the standard's), and 500 of its markers have
reads. The model is VerifyBamID2's, with four principal components that tell the ancestry from the reads themselves, and
one ancestry for both people. At 10,000 markers and 30x it finds 0, 1, 2, 5 and 10 % within half a percent, at most
within 10 % of itself when the other person is of another continent. Markers are taken to be independent: those of a
tiny genome, or close to each other, mislead it. Bases count from quality 13, at any mapping quality, as the standard
has it; VerifyBamID2 alone asks for a mapping quality of 2.

## Whose it is

A disagreement is a reason why a person is not counted (`qc:METRIC`), never corrected: not the sheet, not the calls.

- `sex_karyotype`: XX, XY, X0, XXY, XYY or XXX by the depth of X and Y (outside the PARs) relative to the autosomes,
  else `ambiguous`; against the sheet's.
- `x_heterozygosity`: the share of SNVs on X outside the PARs that are heterozygous, 0.2 or more where the sheet's
  karyotype has two copies of X, less where it has one. It needs no reads, so it holds for gVCFs as well, not
  for people of a cohort VCF; where X is called with one allele it tells nothing.
- `max_kinship`: the highest KING-robust kinship with anybody else of the node. `tessera find-relatives` lists pairs
  of the third degree and closer, over the markers of a BED (that of a panel of VerifyBamID2 will do) and all gVCFs
  and cohort VCFs that it is given, or over what `tessera measure-variants --copies` drew from them.

Where `relatives_markers` names such a BED, the workflow draws each person's genotypes at the markers while it measures
the person's calls, and compares everybody of the node once: `private/relatives.tsv`. Of each pair both have a line in
`decisions.details.tsv`, `duplicate_of` (kinship from 0.354 on: one person, or twins) or `relative`, to `review`; the
report tells pairs by degree. This stops nobody from being counted: a decision then depends on the person alone, and
which of two to keep is for the node to say, in the sheet. A rule `{{metric: max_kinship, max: 0.354}}` keeps both out;
then decisions of all are made again when somebody joins.

Two samples that were swapped show where their karyotypes or copies of X differ from the sheet's, or where one is
somebody's relative who should be none. Two strangers of one sex who were swapped look right: only another assay of
the same people would tell.

## Of everybody together

A [summary](data-model.md#qc_sumsjson) holds n, sum, sum of squares and a histogram of each of the sixteen metrics by
population and sex, over the people who are counted: those of whom the metric was measured, and nobody else. They add
up and come apart as counts do, so a federation knows how its samples were sequenced. Of a stratum of one or two people
they are [those people's own numbers](federation.md#what-is-in-a-summary-and-what-that-means-for-people).

    tessera show results/federation/summary --qc --by population

The workflow gives each person's metrics to the count, and says n, mean and standard deviation of every node in
`report.json`; by hand it is `tessera count --alignments --variants`, or `tessera cohort add` with the same options.
Of people who came as calls it has the metrics of calls alone, of summaries of earlier versions none: `n` says of how
many people a mean is. It is the mean of values as the standard rounds them.

## Other thresholds

    tessera try-thresholds results/mynode/private/decisions.details.tsv
    tessera try-thresholds results/mynode/private/decisions.details.tsv --bound mean_autosome_coverage min 20

show how many people would be counted, newly or no more, if a bound of the [QC policy](../config/README.md#qc-policy)
were another, all other rules as they are.

## The other measurements

The other measurements (`call_rate`, `het_hom_ratio` under the mask, depth of X, Y and MT) are in
`private/qc/alignments` and `private/qc/variants`. All of this is of persons and stays in the node.
"""


LEDGER_PAGE = """\
<!-- Made by scripts/write_docs.py from the schemas in scripts/tessera/schemas; edit those, then `make
docs`. -->

# The ledger of a cohort

`ledger.jsonl` of a cohort ([what it is for](cohort.md)), version {ledger}. A line is canonical JSON (RFC 8785) and a
line end; digests of lines are of the JSON alone. It names people and paths, and is private. Every line has

{envelope}

and, by its event,

{events}

## The receipt of a withdrawal

`receipts/LINE-SAMPLE.json`, version {receipt}; private, about one person.

{keys}
"""


def ledger_page() -> str:
    """docs/cohort-ledger.md: every key of a ledger's lines and of a receipt."""
    return LEDGER_PAGE.format(
        ledger=LEDGER_VERSION,
        receipt=RECEIPT_VERSION,
        envelope=keys_markdown({"properties": ENVELOPE}),
        events="\n\n".join(f"## {event}\n\n{keys_markdown({'properties': keys})}" for event, keys in EVENTS.items()),
        keys=keys_markdown(RECEIPT),
    )


def quality_page() -> str:
    """docs/quality.md: every metric of a sample."""
    return QUALITY_PAGE.format(
        metrics=wgs_qc_markdown(), choices=markdown_table(("what", "here", "elsewhere"), CHOICES)
    )


def quality_schema() -> str:
    """docs/wgs-qc-metrics.schema.json: the shape of a sample's metrics."""
    return json.dumps(WGS_QC, indent=2) + "\n"


def data_model_page() -> str:
    """docs/data-model.md: every column of a summary."""
    edges = [(f"`{metric}`", f"{low:g}", f"{width:g}", str(bins)) for metric, (low, width, bins) in EDGES.items()]
    return DATA_MODEL_PAGE.format(
        version=SCHEMA_VERSION,
        block=BLOCK_SIZE,
        group=GROUP_ROWS,
        variants=VARIANTS.markdown(),
        an_track=AN_TRACK.markdown(),
        histograms=HISTOGRAMS.markdown(),
        qc_version=QC_SUMS_VERSION,
        qc_edges=qc_edges_markdown(),
        edges=markdown_table(("metric", "lowest edge", "width", "bins"), edges),
    )


def config_page() -> str:
    """config/README.md: every key, column and QC metric."""
    columns = [
        f"### {c.name}\n\n{'Required. ' if c.required else ''}{c.doc} Example: `{c.example}`."
        + (" See [inputs](#inputs)." if c.name in INPUT_COLUMNS else "")
        for c in SAMPLES.columns
    ]
    rules = QC_POLICY["properties"]["rules"]
    keys = rules["items"]["properties"].items()
    return CONFIG_PAGE.format(
        keys=document_markdown(CONFIG, anchor="Key"),
        columns="\n\n".join(columns),
        policy=f"{rules['description']} Each rule has these keys:",
        rules=markdown_table(("key", "meaning"), [(f"`{key}`", below["description"]) for key, below in keys]),
        metrics=markdown_table(("metric", "unit", "meaning"), [(f"`{name}`", *told) for name, told in METRICS.items()]),
    )


#: page -> what makes it
PAGES: dict[str, Callable[[], str]] = {
    "config/README.md": config_page,
    "docs/cohort-ledger.md": ledger_page,
    "docs/data-model.md": data_model_page,
    "docs/quality.md": quality_page,
    "docs/wgs-qc-metrics.schema.json": quality_schema,
}


def stale_pages() -> list[str]:
    """The pages that are not what the schemas say."""
    return [page for page, make in PAGES.items() if _read(ROOT / page) != make()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def main(arguments: list[str]) -> int:
    """Write the pages; with `--check` write nothing and exit with 1 if one is stale."""
    stale = stale_pages()
    if "--check" in arguments:
        print("\n".join(f"{page} is stale: run make docs" for page in stale) or "pages are up to date")
        return 1 if stale else 0
    for page in stale:
        (ROOT / page).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / page).write_text(PAGES[page](), encoding="utf-8")
        print(f"wrote {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
