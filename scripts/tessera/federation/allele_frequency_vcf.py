"""The allele-frequency VCF of the Genome of Europe and GDI: names and values as their importers expect them."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from tessera.errors import InputError, Problem
from tessera.summary.blocks import Block
from tessera.summary.frequencies import AC, AF, AN, PEOPLE, VARIANT, leaf_counts
from tessera.summary.manifest import Manifest

#: a population tag of the Genome of Europe: two capital letters
COUNTRY = re.compile(r"[A-Z]{2}")
SEXES = ("F", "M")
ZYGOSITIES = {"Het": "heterozygous", "Hom": "homozygous", "Hemi": "hemizygous"}


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


def header(manifest: Manifest, suffixes: Sequence[str]) -> list[str]:
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
    return [*lines, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]


def records(block: Block, manifest: Manifest, by: Mapping[str, Sequence[str]]) -> list[str]:
    """The VCF lines of one block, without line ends: variants that somebody carries, written in bases.

    AC = AC_Hom + AC_Het + AC_Hemi, where AC_Hom counts alleles; on MT, heteroplasmic people are AC_Het.
    """
    rows = leaf_counts(block, sorted(manifest.people)).filter(pl.col("alt").str.contains(r"^[ACGTN]+$"))
    table = rows.select(VARIANT).unique(maintain_order=True)
    for suffix, strata in by.items():
        table = table.hstack(_counts(rows, suffix, strata))
    info = [_field(name) for suffix in by for name in _names(suffix)]
    columns = [pl.col("contig"), pl.col("pos"), pl.lit("."), pl.col("ref"), pl.col("alt"), pl.lit("."), pl.lit("PASS")]
    line = pl.concat_str(*columns, pl.concat_str(info, separator=";"), separator="\t")
    return table.filter(pl.col("AC") > 0).select(line).to_series().to_list()


def _names(suffix: str) -> list[str]:
    return [f"AF{suffix}", f"AC{suffix}", f"AN{suffix}", *(f"AC{suffix}_{zygosity}" for zygosity in ZYGOSITIES)]


def _counts(rows: pl.DataFrame, suffix: str, strata: Sequence[str]) -> pl.DataFrame:
    """The columns of one group, one row per variant, in the order of `rows`."""
    people = (
        rows.filter(pl.col("stratum").is_in(list(strata)))
        .group_by(VARIANT, maintain_order=True)
        .agg(pl.col(PEOPLE).cast(pl.Int64).sum())
    )
    columns = [AF, AC, AN, pl.col("n_het"), 2 * pl.col("n_homalt"), pl.col("n_hemi")]
    return people.select(column.alias(name) for column, name in zip(columns, _names(suffix), strict=True))


def _field(name: str) -> pl.Expr:
    """`NAME=value`; a frequency of nobody is `.`, and one of somebody has all its digits."""
    return pl.concat_str(pl.lit(f"{name}="), pl.col(name).cast(pl.String).fill_null("."))


def _info(name: str, number: str, kind: str, text: str) -> str:
    return f'##INFO=<ID={name},Number={number},Type={kind},Description="{text}">'
