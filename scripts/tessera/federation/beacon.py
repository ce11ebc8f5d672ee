"""Beacon v2 genomicVariations, one JSON document for each variant: a LegacyVariation and its frequencies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from tessera.federation.gdi_parquet import SEVERAL, variant_types
from tessera.federation.groups import Counted, Group
from tessera.federation.json_lines import Value, array, called, label, members, quoted
from tessera.federation.pieces import Piece, joined, pieces, told
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
) -> Iterator[bytes]:
    """One line for each variant that somebody carries; with a reference, by its sequences and with VRS identifiers.

    A group in which nobody is called has no frequency, and is left out.
    """
    counted = Counted(cells.carried())
    carried = counted.cells
    sequence = f"{build}:{carried.contig}" if reference is None else f"ga4gh:{reference.refget(carried.contig)}"
    table = pl.DataFrame({"pos": carried.pos, "ref": carried.ref, "alt": carried.alt})
    table = table.with_columns(variant_types(carried.ref, carried.alt).replace({SEVERAL: "MNP"}).alias("type"))
    line: list[Piece] = [pieces(table.select(_about(build, carried.contig, sequence)).to_series())]
    if reference is not None:
        identifier = vrs_alleles(carried, reference).digest
        notes = b'","notes":"GA4GH VRS 2.0.1 Allele"}]}'
        line += [b',"identifiers":{"variantAlternativeIds":[{"id":"ga4gh:VA.', identifier, notes]
    frequencies = array([_frequency(counted, group) for group in groups])
    return joined(len(carried), [*line, b',"frequencyInPopulations":[{', _of(source), *frequencies, b"}]}\n"])


@cache
def _about(build: str, contig: str, sequence: str) -> pl.Expr:
    """The first members: an identifier, and a LegacyVariation, whose location is of VRS 1.3."""
    number = '{"type":"Number","value":'
    return pl.concat_str(
        pl.lit(f'{{"variantInternalId":"{build}:{contig}:'), pl.concat_str("pos", "ref", "alt", separator=":"),
        pl.lit('","variation":{"variantType":"'), pl.col("type"),
        pl.lit('","referenceBases":"'), pl.col("ref"),
        pl.lit('","alternateBases":"'), pl.col("alt"),
        pl.lit(f'","location":{{"type":"SequenceLocation","sequence_id":{quoted(sequence)},'
               f'"interval":{{"type":"SequenceInterval","start":{number}'), pl.col("pos") - 1,
        pl.lit(f'}},"end":{number}'), pl.col("pos") - 1 + pl.col("ref").str.len_bytes().cast(pl.Int64),
        pl.lit("}}}}"),
    )  # fmt: skip


def _of(source: Source) -> bytes:
    version = f',"version":{quoted(source.version)}' if source.version else ""
    text = f'"source":{quoted(source.name)},"sourceReference":{quoted(source.reference)}{version},"frequencies":'
    return text.encode()


def _frequency(counted: Counted, group: Group) -> Value:
    return Value([told(counted.of(group), _counts(label(group)))], called(counted, group))


@cache
def _counts(population: str) -> pl.Expr:
    return pl.concat_str(pl.lit(f'{{"population":{quoted(population)},'), members(COUNTS), pl.lit("}"))
