"""The allele-frequency VCF of the Genome of Europe and GDI: names and values as their importers expect them."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from tessera.errors import InputError, Problem
from tessera.summary.blocks import Block
from tessera.summary.frequencies import AC, AF, AN, PEOPLE, VARIANT, leaf_counts, pooled
from tessera.summary.manifest import Manifest

#: a population tag of the Genome of Europe: two capital letters
COUNTRY = re.compile(r"[A-Z]{2}")
SEXES = ("F", "M")
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


def is_country(population: str) -> bool:
    """Whether a population's name can be an INFO tag: two capital letters."""
    return COUNTRY.fullmatch(population) is not None


def check_populations(manifest: Manifest) -> None:
    """Raise InputError when a population cannot be an INFO tag of this VCF."""
    names = sorted({stratum.rpartition("_")[0] for stratum in manifest.people})
    problems = [
        Problem(f"population {name}", f"{len(name)} characters", "two capital letters, as in EE",
                "Name populations so in the sample sheet, or export with --total.")
        for name in names
        if not is_country(name)
    ]  # fmt: skip
    if problems:
        raise InputError(problems)


def groups(manifest: Manifest, *, total_only: bool) -> dict[str, list[str]]:
    """Tag suffix -> leaf strata: everybody, then by sex, by population, and by both; U is in totals alone."""
    strata = sorted(manifest.people)
    found: dict[str, list[str]] = {"": strata}
    if total_only:
        return found
    for sex in SEXES:
        found[f"_{sex}"] = [s for s in strata if s.endswith(f"_{sex}")]
    for population in sorted({s.rpartition("_")[0] for s in strata}):
        mine = [s for s in strata if s.rpartition("_")[0] == population]
        found[f"_{population}"] = mine
        for sex in SEXES:
            found[f"_{population}_{sex}"] = [s for s in mine if s.endswith(f"_{sex}")]
    return {suffix: members for suffix, members in found.items() if members}


def header(manifest: Manifest, suffixes: Sequence[str], *, statistics: bool = False) -> list[str]:
    """The header lines, without line ends; contigs of the build, INFO lines of every group."""
    build = manifest.rules["build"]
    lines = ["##fileformat=VCFv4.3", f"##reference=seqcol:{manifest.rules['reference'] or 'not checked'}"]
    lines.append('##FILTER=<ID=PASS,Description="All filters passed">')
    lines += [f"##contig=<ID={c['name']},length={c['length']},assembly={build['name']}>" for c in build["contigs"]]
    for suffix in suffixes:
        who = f"in {suffix.strip('_').replace('_', ', ')}" if suffix else "in all people counted"
        lines.append(_info(f"AF{suffix}", "A", "Float", f"Allele frequency {who}"))
        lines.append(_info(f"AC{suffix}", "A", "Integer", f"Allele count {who}"))
        lines.append(_info(f"AN{suffix}", "1", "Integer", f"Called alleles {who}"))
        for zygosity, word in ZYGOSITIES.items():
            text = f"Alleles in {word} genotypes {who}"
            lines.append(_info(f"AC{suffix}_{zygosity}", "A", "Integer", text))
        if statistics:
            lines += [_info(f"{name}{suffix}", "A", "Float", f"{text} {who}") for name, text in TESTS.items()]
    if statistics:
        lines += [_info(name, "A", kind, text) for name, (kind, text) in HIGHEST.items()]
    return [*lines, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]


def records(block: Block, manifest: Manifest, by: Mapping[str, Sequence[str]]) -> list[str]:
    """The VCF lines of one block, without line ends: variants that somebody carries, written in bases.

    AC = AC_Hom + AC_Het + AC_Hemi, where AC_Hom counts alleles; on MT, heteroplasmic people are AC_Het.
    """
    rows = _rows(block, manifest)
    table = rows.select(VARIANT).unique(maintain_order=True)
    for suffix, strata in by.items():
        table = table.hstack(_counts(_people(rows, strata), suffix))
    return _lines(table)


def records_with_statistics(
    block: Block, manifest: Manifest, by: Mapping[str, Sequence[str]], not_in_grpmax: Sequence[str] = ()
) -> list[str]:
    """The lines of `records` with TESTS of each group, and HIGHEST over all populations but `not_in_grpmax`."""
    # scipy takes a quarter of a second to load
    from tessera.summary.statistics import grpmax, with_filtering_frequencies, with_hardy_weinberg

    rows = _rows(block, manifest)
    table = rows.select(VARIANT).unique(maintain_order=True)
    for suffix, strata in by.items():
        people = _people(rows, strata)
        counted = people.with_columns(AC.alias("AC"), AN.alias("AN"), pl.col("an_unknown").alias("AN_unknown"))
        tested = with_filtering_frequencies(with_hardy_weinberg(counted))
        tests = tested.select(pl.col(name).alias(f"{name}{suffix}") for name in TESTS)
        table = table.hstack(_counts(people, suffix)).hstack(tests)
    highest = grpmax(with_filtering_frequencies(pooled(rows, ("population",))), (), not_in_grpmax)
    return _lines(table.join(highest.select(*VARIANT, *HIGHEST), on=VARIANT, how="left", maintain_order="left"))


def _rows(block: Block, manifest: Manifest) -> pl.DataFrame:
    return leaf_counts(block, sorted(manifest.people)).filter(pl.col("alt").str.contains(r"^[ACGTN]+$"))


def _people(rows: pl.DataFrame, strata: Sequence[str]) -> pl.DataFrame:
    """The people of one group, one row per variant, in the order of `rows`."""
    inside = rows.filter(pl.col("stratum").is_in(list(strata)))
    return inside.group_by(VARIANT, maintain_order=True).agg(pl.col([*PEOPLE, "an_unknown"]).cast(pl.Int64).sum())


def _counts(people: pl.DataFrame, suffix: str) -> pl.DataFrame:
    """The columns of one group: AF, AC, AN and AC by zygosity."""
    names = [f"AF{suffix}", f"AC{suffix}", f"AN{suffix}", *(f"AC{suffix}_{zygosity}" for zygosity in ZYGOSITIES)]
    columns = [AF, AC, AN, pl.col("n_het"), 2 * pl.col("n_homalt"), pl.col("n_hemi")]
    return people.select(column.alias(name) for column, name in zip(columns, names, strict=True))


def _lines(table: pl.DataFrame) -> list[str]:
    """One line for each variant that somebody carries; INFO is every column beside the variant's own."""
    info = [_field(name) for name in table.columns if name not in VARIANT]
    columns = [pl.col("contig"), pl.col("pos"), pl.lit("."), pl.col("ref"), pl.col("alt"), pl.lit("."), pl.lit("PASS")]
    line = pl.concat_str(*columns, pl.concat_str(info, separator=";"), separator="\t")
    return table.filter(pl.col("AC") > 0).select(line).to_series().to_list()


def _field(name: str) -> pl.Expr:
    """`NAME=value`; a frequency of nobody is `.`, and one of somebody has all its digits."""
    return pl.concat_str(pl.lit(f"{name}="), pl.col(name).cast(pl.String).fill_null("."))


def _info(name: str, number: str, kind: str, text: str) -> str:
    return f'##INFO=<ID={name},Number={number},Type={kind},Description="{text}">'
