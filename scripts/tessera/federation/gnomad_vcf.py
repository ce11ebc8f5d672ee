"""A VCF of sites with the INFO names of gnomAD 4: `<metric>[_<population>][_<XX|XY>]`, faf, grpmax and fafmax."""

from collections.abc import Iterator, Sequence
from functools import cache

import polars as pl

from tessera.federation.groups import Counted, Group
from tessera.federation.grpmax import NAME, highest
from tessera.federation.pieces import told
from tessera.federation.vcf_lines import COLUMNS, fields_of, header_lines, info, lines
from tessera.summary.cells import Cells
from tessera.summary.manifest import Manifest

KARYOTYPES = {"F": "XX", "M": "XY"}
#: metric -> Number, Type, meaning, and where it is found; nhet and nhemi are not gnomAD's, which counts them nowhere
METRICS: dict[str, tuple[str, str, str, str]] = {
    "AC": ("A", "Integer", "Alternate allele count", "AC"),
    "AN": ("1", "Integer", "Total number of called alleles", "AN"),
    "AF": ("A", "Float", "Alternate allele frequency", "AF"),
    "nhomalt": ("A", "Integer", "Homozygous people", "n_homalt"),
    "nhet": ("A", "Integer", "Heterozygous people; on MT the heteroplasmic", "n_het"),
    "nhemi": ("A", "Integer", "Haploid people with the allele", "n_hemi"),
    "faf95": ("A", "Float", "Filtering allele frequency (Poisson, 95% confidence)", "faf95"),
    "faf99": ("A", "Float", "Filtering allele frequency (Poisson, 99% confidence)", "faf99"),
}
#: of filtering frequencies, as in gnomAD's files
DIGITS = 6


def _number(column: str) -> pl.Expr:
    return pl.col(column).round_sig_figs(DIGITS) if column.startswith("faf") else pl.col(column)


#: over all populations that take part
HIGHEST = {
    "grpmax": ("A", "String", "Population with the highest allele frequency"),
    "AC_grpmax": ("A", "Integer", "Alternate allele count of the grpmax population"),
    "AN_grpmax": ("A", "Integer", "Total number of called alleles of the grpmax population"),
    "AF_grpmax": ("A", "Float", "Alternate allele frequency of the grpmax population"),
    "nhomalt_grpmax": ("A", "Integer", "Homozygous people of the grpmax population"),
    "fafmax_faf95_max": ("A", "Float", "Highest faf95 of a population"),
    "fafmax_faf95_max_gen_anc": ("A", "String", "Population with the highest faf95"),
    "fafmax_faf99_max": ("A", "Float", "Highest faf99 of a population"),
    "fafmax_faf99_max_gen_anc": ("A", "String", "Population with the highest faf99"),
}
#: what is highest -> fields of the population in which it is
OF_HIGHEST = {
    "AF": {
        "grpmax": NAME,
        "AC_grpmax": pl.col("AC"),
        "AN_grpmax": pl.col("AN"),
        "AF_grpmax": pl.col("AF"),
        "nhomalt_grpmax": pl.col("n_homalt"),
    },
    "faf95": {"fafmax_faf95_max": _number("faf95"), "fafmax_faf95_max_gen_anc": NAME},
    "faf99": {"fafmax_faf99_max": _number("faf99"), "fafmax_faf99_max_gen_anc": NAME},
}


def header(manifest: Manifest, groups: Sequence[Group]) -> list[str]:
    """The header lines, without line ends."""
    found = header_lines(manifest)
    for group in groups:
        who = f"in {suffix(group).strip('_').replace('_', ', ')}" if group.name else "in all people counted"
        for name, (number, kind, text, _) in METRICS.items():
            found.append(info(f"{name}{suffix(group)}", number, kind, f"{text} {who}"))
    return [*found, *(info(name, *meta) for name, meta in HIGHEST.items()), COLUMNS]


def records(cells: Cells, groups: Sequence[Group], not_in_grpmax: Sequence[str] = ()) -> Iterator[bytes]:
    """The VCF lines of variants that somebody carries, with line ends."""
    # scipy takes a quarter of a second to load
    from tessera.summary.statistics import with_filtering_frequencies

    counted = Counted(cells.carried(), with_filtering_frequencies)
    infos = [told(counted.of(group), _fields(suffix(group))) for group in groups]
    infos += [highest(counted, key, told_of, not_in_grpmax) for key, told_of in OF_HIGHEST.items()]
    return lines(counted.cells, infos)


@cache
def _fields(suffix: str) -> pl.Expr:
    return fields_of({f"{name}{suffix}": _number(column) for name, (*_, column) in METRICS.items()})


def suffix(group: Group) -> str:
    """`_EE`, `_XX`, `_EE_XX`; empty for everybody."""
    parts = (group.population, KARYOTYPES.get(group.sex or ""))
    return "".join(f"_{part}" for part in parts if part)
