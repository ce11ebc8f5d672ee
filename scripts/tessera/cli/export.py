"""`tessera export`: a summary in the formats of others."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, FOLDER, check_not_in_grpmax, not_in_grpmax_option
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.files.summaries import SummaryFolder


@click.group(name="export")
def command() -> None:
    """Write a summary in the formats of others."""


@command.command(name="vcf")
@click.argument("summary", type=FOLDER)
@click.option("--total", "total_only", is_flag=True, help="Totals only; population names may then be anything.")
@click.option(
    "--statistics", is_flag=True, help="Add Hardy-Weinberg tests, filtering frequencies and grpmax; not for importers."
)
@not_in_grpmax_option
@click.option("--out", type=FILE, required=True, help="File to write, .vcf.gz; its .tbi lies beside it.")
def vcf(summary: Path, total_only: bool, statistics: bool, not_in_grpmax: tuple[str, ...], out: Path) -> None:
    """Write SUMMARY as an allele-frequency VCF of the Genome of Europe and GDI.

    One record for each variant that somebody carries: AF, AC, AN, and AC by zygosity, for everybody, by sex,
    by population and by both. These are exact counts, not a public release.
    --statistics adds HWE, ExcHet, inbreeding_coeff, faf95 and faf99 of the same groups, and grpmax and fafmax: names
    that importers of the Genome of Europe and GDI do not know.
    """
    from tessera.federation.allele_frequency_vcf import check_populations, groups, header
    from tessera.files.bgzf import write_indexed_vcf
    from tessera.files.summaries import SummaryFolder, refuse_altered

    if not out.name.endswith(".vcf.gz"):
        raise refuse("--out", str(out), "a name that ends in .vcf.gz")
    folder = SummaryFolder(summary)
    refuse_altered([folder])
    if not folder.manifest.is_exact:
        raise refuse(
            str(summary),
            "people of whom nothing is known where their file lists no variant (an_basis: variant_only)",
            "people whose callable bases are known",
            "AN would be too low: recount with gVCFs, or declare --callable regions.",
        )
    if not total_only:
        check_populations(folder.manifest)
    check_not_in_grpmax(not_in_grpmax, folder.manifest.people, asked=statistics)
    by = groups(folder.manifest, total_only=total_only)
    lines = _lines_with_statistics(folder, by, not_in_grpmax) if statistics else _lines(folder, by)
    write_indexed_vcf(out, chain(header(folder.manifest, list(by), statistics=statistics), lines))


def _lines(folder: "SummaryFolder", by: dict[str, list[str]]) -> Iterator[str]:
    from tessera.federation.allele_frequency_vcf import records

    for _, block in folder.blocks():
        yield from records(block, folder.manifest, by)


def _lines_with_statistics(
    folder: "SummaryFolder", by: dict[str, list[str]], not_in_grpmax: tuple[str, ...]
) -> Iterator[str]:
    from tessera.federation.allele_frequency_vcf import records_with_statistics

    for _, block in folder.blocks():
        yield from records_with_statistics(block, folder.manifest, by, not_in_grpmax)
