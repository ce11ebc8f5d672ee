"""The allele-frequency VCF of the Genome of Europe and GDI: names and values as their importers expect them."""

from collections.abc import Iterator, Sequence
from functools import cache

import polars as pl

from tessera.errors import InputError, Problem
from tessera.federation.groups import Counted, Group, populations
from tessera.federation.grpmax import NAME, highest
from tessera.federation.pieces import told
from tessera.federation.vcf_lines import COLUMNS, fields_of, header_lines, info, lines
from tessera.schemas.exports import COUNTRY
from tessera.summary.cells import Cells
from tessera.summary.manifest import Manifest

ZYGOSITIES = {"Het": "heterozygous", "Hom": "homozygous", "Hemi": "hemizygous"}
#: statistics of a group -> meaning; names as bcftools and gnomAD write them
TESTS = {
    "HWE": "Exact test of Hardy-Weinberg proportions (PMID:15789306), two-sided p",
    "ExcHet": "Exact test of an excess of heterozygotes, one-sided p",
    "inbreeding_coeff": "1 - observed / expected heterozygotes",
    "faf95": "Filtering allele frequency (Poisson, 95% confidence)",
    "faf99": "Filtering allele frequency (Poisson, 99% confidence)",
}
#: statistics over populations; AC, AN and AF of the grpmax population stand under its own name
HIGHEST = {
    "grpmax": ("String", "Population with the highest allele frequency"),
    "fafmax_faf95_max": ("Float", "Highest faf95 of a population"),
    "fafmax_faf95_max_gen_anc": ("String", "Population with the highest faf95"),
    "fafmax_faf99_max": ("Float", "Highest faf99 of a population"),
    "fafmax_faf99_max_gen_anc": ("String", "Population with the highest faf99"),
}
#: what is highest -> fields of the population in which it is
OF_HIGHEST = {
    "AF": {"grpmax": NAME},
    "faf95": {"fafmax_faf95_max": pl.col("faf95"), "fafmax_faf95_max_gen_anc": NAME},
    "faf99": {"fafmax_faf99_max": pl.col("faf99"), "fafmax_faf99_max_gen_anc": NAME},
}


def is_country(population: str) -> bool:
    """Whether a population's name can be an INFO tag: two capital letters."""
    return COUNTRY.fullmatch(population) is not None


def check_populations(manifest: Manifest) -> None:
    """Raise InputError when a population cannot be an INFO tag of this VCF."""
    problems = [
        Problem(f"population {name}", f"{len(name)} characters", "two capital letters, as in EE",
                "Name populations so in the sample sheet, or export with --total.")
        for name in populations(manifest.people)
        if not is_country(name)
    ]  # fmt: skip
    if problems:
        raise InputError(problems)


def header(manifest: Manifest, groups: Sequence[Group], *, statistics: bool = False) -> list[str]:
    """The header lines, without line ends; contigs of the build, INFO lines of every group."""
    lines = header_lines(manifest)
    for group in groups:
        suffix = group.suffix
        who = f"in {group.name.replace('_', ', ')}" if group.name else "in all people counted"
        lines.append(info(f"AF{suffix}", "A", "Float", f"Allele frequency {who}"))
        lines.append(info(f"AC{suffix}", "A", "Integer", f"Allele count {who}"))
        lines.append(info(f"AN{suffix}", "1", "Integer", f"Called alleles {who}"))
        for zygosity, word in ZYGOSITIES.items():
            text = f"Alleles in {word} genotypes {who}"
            lines.append(info(f"AC{suffix}_{zygosity}", "A", "Integer", text))
        if statistics:
            lines += [info(f"{name}{suffix}", "A", "Float", f"{text} {who}") for name, text in TESTS.items()]
    if statistics:
        lines += [info(name, "A", kind, text) for name, (kind, text) in HIGHEST.items()]
    return [*lines, COLUMNS]


def records(cells: Cells, groups: Sequence[Group]) -> Iterator[bytes]:
    """The VCF lines of variants that somebody carries, with line ends.

    AC = AC_Hom + AC_Het + AC_Hemi, where AC_Hom counts alleles; on MT, heteroplasmic people are AC_Het.
    """
    counted = Counted(cells.carried())
    return lines(counted.cells, [told(counted.of(group), _fields(group.suffix, statistics=False)) for group in groups])


def records_with_statistics(
    cells: Cells, groups: Sequence[Group], not_in_grpmax: Sequence[str] = ()
) -> Iterator[bytes]:
    """The lines of `records` with TESTS of each group, and HIGHEST over all populations but `not_in_grpmax`."""
    # scipy takes a quarter of a second to load
    from tessera.summary.statistics import with_filtering_frequencies, with_hardy_weinberg

    counted = Counted(cells.carried(), lambda table: with_filtering_frequencies(with_hardy_weinberg(table)))
    infos = [told(counted.of(group), _fields(group.suffix, statistics=True)) for group in groups]
    infos += [highest(counted, key, told_of, not_in_grpmax) for key, told_of in OF_HIGHEST.items()]
    return lines(counted.cells, infos)


@cache
def _fields(suffix: str, *, statistics: bool) -> pl.Expr:
    """The fields of one group: AF, AC, AN and AC by zygosity, and TESTS."""
    columns = [pl.col("n_het"), 2 * pl.col("n_homalt"), pl.col("n_hemi")]
    fields = {f"{name}{suffix}": pl.col(name) for name in ("AF", "AC", "AN")}
    fields |= {f"AC{suffix}_{name}": column for name, column in zip(ZYGOSITIES, columns, strict=True)}
    return fields_of(fields | {f"{name}{suffix}": pl.col(name) for name in (TESTS if statistics else ())})
