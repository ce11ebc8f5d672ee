"""`tessera export vcf`: allele frequencies for the Genome of Europe and GDI."""

from pathlib import Path

import click

from tessera.cli.export.exported import check_name, opened
from tessera.cli.options import FILE, FOLDER, check_not_in_grpmax, not_in_grpmax_option


@click.command(name="vcf")
@click.argument("summary", type=FOLDER)
@click.option("--total", "total_only", is_flag=True, help="Totals only; population names may then be anything.")
@click.option(
    "--statistics", is_flag=True, help="Add Hardy-Weinberg tests, filtering frequencies and grpmax; not for importers."
)
@not_in_grpmax_option
@click.option("--out", type=FILE, required=True, help="File to write, .vcf.gz; its .tbi lies beside it.")
def command(summary: Path, total_only: bool, statistics: bool, not_in_grpmax: tuple[str, ...], out: Path) -> None:
    """Write SUMMARY as an allele-frequency VCF of the Genome of Europe and GDI.

    One record for each variant that somebody carries: AF, AC, AN, and AC by zygosity, for everybody, by sex,
    by population and by both. These are exact counts, not a public release.
    --statistics adds HWE, ExcHet, inbreeding_coeff, faf95 and faf99 of the same groups, and grpmax and fafmax: names
    that importers of the Genome of Europe and GDI do not know.
    """
    from tessera.federation import allele_frequency_vcf as form
    from tessera.federation.groups import groups
    from tessera.files.bgzf import write_indexed_vcf

    check_name(out, ".vcf.gz")
    folder = opened(summary)
    people = folder.manifest.people
    if not total_only:
        form.check_populations(folder.manifest)
    check_not_in_grpmax(not_in_grpmax, people, asked=statistics)
    by = groups(people)[: 1 if total_only else None]
    if statistics:
        records = (lines for some in folder.cells() for lines in form.records_with_statistics(some, by, not_in_grpmax))
    else:
        records = (lines for some in folder.cells() for lines in form.records(some, by))
    write_indexed_vcf(out, form.header(folder.manifest, by, statistics=statistics), records)
