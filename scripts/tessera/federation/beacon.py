"""Beacon v2 genomicVariations, one JSON document for each variant: a LegacyVariation and its frequencies."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tessera.federation.gdi_parquet import SEVERAL, variant_types
from tessera.federation.groups import Group
from tessera.federation.json_lines import array, label, members, quoted, told
from tessera.federation.vrs_alleles import Sequences, vrs_alleles
from tessera.summary.cells import Cells

#: the model that documents are written for
MODEL = "ga4gh-beacon-variant-v2.1.0"
#: an unknown count is left out, never 0; those by zygosity are of alleles
COUNTS = {
    "alleleFrequency": pl.col("AF"),
    "alleleCount": pl.col("AC"),
    "alleleNumber": pl.col("AN"),
    "alleleCountHomozygous": 2 * pl.col("n_homalt"),
    "alleleCountHeterozygous": pl.col("n_het"),
    "alleleCountHemizygous": pl.col("n_hemi"),
}


@dataclass(frozen=True)
class Source:
    """Whose frequencies they are: a study, where it is told of, and the version of its data, where it has one."""

    name: str
    reference: str
    version: str | None = None


def documents(
    cells: Cells, groups: Sequence[Group], build: str, source: Source, reference: Sequences | None = None
) -> pl.Series:
    """One line for each variant that somebody carries; with a reference, by its sequences and with VRS identifiers.

    A group in which nobody is called has no frequency, and is left out.
    """
    carried = cells.carried()
    parts = [told(carried, group, COUNTS).alias(f"of{number}") for number, group in enumerate(groups)]
    table = pl.DataFrame([pl.Series("pos", carried.pos), carried.ref.alias("ref"), carried.alt.alias("alt"), *parts])
    types = variant_types(carried.ref, carried.alt).replace({SEVERAL: "MNP"})
    table = table.with_columns(types.alias("type"))
    sequence = f"{build}:{carried.contig}"
    if reference is not None:
        table = table.with_columns(vrs_alleles(carried, reference)["VA"])
        sequence = f"ga4gh:{reference.refget(carried.contig)}"
    fields = {"variantInternalId": _internal_id(build, carried.contig), "variation": _variation(sequence)}
    if reference is not None:
        fields["identifiers"] = _identifiers()
    fields["frequencyInPopulations"] = _frequencies(groups, source)
    return table.select(pl.concat_str(pl.lit("{"), members(fields), pl.lit("}\n"))).to_series()


def _internal_id(build: str, contig: str) -> pl.Expr:
    parts = [pl.lit(build), pl.lit(contig), pl.col("pos"), pl.col("ref"), pl.col("alt")]
    return pl.concat_str(pl.lit('"'), pl.concat_str(parts, separator=":"), pl.lit('"'))


def _variation(sequence: str) -> pl.Expr:
    """A LegacyVariation; its location is of VRS 1.3."""
    number = '{"type":"Number","value":'
    return pl.concat_str(
        pl.lit('{"variantType":"'), pl.col("type"),
        pl.lit('","referenceBases":"'), pl.col("ref"),
        pl.lit('","alternateBases":"'), pl.col("alt"),
        pl.lit(f'","location":{{"type":"SequenceLocation","sequence_id":{quoted(sequence)},'
               f'"interval":{{"type":"SequenceInterval","start":{number}'), pl.col("pos") - 1,
        pl.lit(f'}},"end":{number}'), pl.col("pos") - 1 + pl.col("ref").str.len_bytes().cast(pl.Int64),
        pl.lit("}}}}"),
    )  # fmt: skip


def _identifiers() -> pl.Expr:
    notes = '","notes":"GA4GH VRS 2.0.1 Allele"'
    return pl.concat_str(pl.lit('{"variantAlternativeIds":[{"id":"ga4gh:VA.'), pl.col("VA"), pl.lit(f"{notes}}}]}}"))


def _frequencies(groups: Sequence[Group], source: Source) -> pl.Expr:
    version = f',"version":{quoted(source.version)}' if source.version else ""
    head = f'[{{"source":{quoted(source.name)},"sourceReference":{quoted(source.reference)}{version},"frequencies":'
    each = [
        pl.concat_str(pl.lit(f'{{"population":{quoted(label(group))},'), pl.col(f"of{number}"), pl.lit("}"))
        for number, group in enumerate(groups)
    ]
    return pl.concat_str(pl.lit(head), array(each), pl.lit("}]"))
