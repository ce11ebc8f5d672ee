"""GA4GH VA-Spec CohortAlleleFrequencyStudyResult, one JSON document for each variant, about a VRS Allele."""

from collections.abc import Sequence

import polars as pl

from tessera.federation.groups import Group
from tessera.federation.json_lines import array, label, members, quoted, told
from tessera.federation.vrs_alleles import Sequences, vrs_alleles
from tessera.summary.cells import Cells

COUNTS = {
    "focusAlleleCount": pl.col("AC"),
    "locusAlleleCount": pl.col("AN"),
    "focusAlleleFrequency": pl.col("AF"),
    "ancillaryResults": pl.concat_str(
        pl.lit("{"),
        members({"homozygotes": pl.col("n_homalt"), "heterozygotes": pl.col("n_het"), "hemizygotes": pl.col("n_hemi")}),
        pl.lit("}"),
    ),
}


def documents(cells: Cells, groups: Sequence[Group], dataset: str | None, reference: Sequences) -> pl.Series:
    """One line for each variant that somebody carries; populations, and sexes within them, are its subcohorts.

    Results of zygosity are numbers of people. A group in which nobody is called has no frequency, and is left out.
    """
    carried = cells.carried()
    parts = [told(carried, group, COUNTS).alias(_column(group)) for group in groups]
    site = [pl.Series("pos", carried.pos), carried.ref.alias("ref"), carried.alt.alias("alt")]
    table = pl.DataFrame([*parts, *site]).hstack(vrs_alleles(carried, reference))
    whole = next(group for group in groups if not group.name)
    subcohorts = [_result(group, _allele_id(), _within(group, groups)) for group in groups if _is_below(group, whole)]
    focus = _allele(reference.refget(carried.contig), carried.contig.removeprefix("chr"))
    more = [pl.lit(f',"sourceDataSet":{{"type":"DataSet","id":{quoted(dataset)}}}')] if dataset else []
    line = pl.concat_str(_result(whole, focus, subcohorts, more), pl.lit("\n"))
    return table.select(line).to_series()


def _column(group: Group) -> str:
    return f"of{group.suffix}"


def _is_below(group: Group, of: Group) -> bool:
    """Whether one is a part of the other by one more criterion: a population of everybody, a sex of a population."""
    if of.population:
        return group.population == of.population and group.sex is not None and of.sex is None
    return bool(group.name) and not (group.population and group.sex)


def _within(group: Group, groups: Sequence[Group]) -> list[pl.Expr]:
    if not group.population or group.sex:
        return []
    return [_result(other, _allele_id(), []) for other in groups if _is_below(other, group)]


def _result(group: Group, focus: pl.Expr, subcohorts: Sequence[pl.Expr], more: Sequence[pl.Expr] = ()) -> pl.Expr:
    """A result; null where the group has none."""
    name = quoted(label(group))
    cohort = f',"cohort":{{"type":"StudyGroup","id":{name},"name":{name},"memberCount":{group.people}}}'
    parts = [pl.lit('{"type":"CohortAlleleFrequencyStudyResult","focusAllele":'), focus, pl.lit(",")]
    parts += [pl.col(_column(group)), pl.lit(cohort), *more]
    if subcohorts:
        parts += [pl.lit(',"subCohortFrequency":'), array(subcohorts)]
    return pl.concat_str([*parts, pl.lit("}")])


def _allele_id() -> pl.Expr:
    return pl.concat_str(pl.lit('"ga4gh:VA.'), pl.col("VA"), pl.lit('"'))


def _allele(refget: str, chromosome: str) -> pl.Expr:
    """The Allele with its location and state; VCF's own key is an expression of it."""
    sequence = f'{{"type":"SequenceReference","refgetAccession":"{refget}"}}'
    key = pl.concat_str([pl.lit(chromosome), pl.col("pos"), pl.col("ref"), pl.col("alt")], separator="-")
    return pl.concat_str(
        pl.lit('{"id":"ga4gh:VA.'), pl.col("VA"), pl.lit('","type":"Allele","digest":"'), pl.col("VA"),
        pl.lit('","expressions":[{"syntax":"gnomad","value":"'), key,
        pl.lit('"}],"location":{"id":"ga4gh:SL.'), pl.col("SL"),
        pl.lit('","type":"SequenceLocation","digest":"'), pl.col("SL"),
        pl.lit(f'","sequenceReference":{sequence},"start":'), pl.col("start"),
        pl.lit(',"end":'), pl.col("end"), pl.lit('},"state":'), pl.col("state"), pl.lit("}"),
    )  # fmt: skip
