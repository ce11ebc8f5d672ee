"""GA4GH VA-Spec CohortAlleleFrequencyStudyResult, one JSON document for each variant, about a VRS Allele."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import polars as pl

from tessera.federation.groups import Counted, Group
from tessera.federation.json_lines import Value, array, called, label, members, quoted
from tessera.federation.pieces import Piece, joined, pieces, told
from tessera.federation.vrs_alleles import Sequences, VrsAlleles, vrs_alleles
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


def documents(cells: Cells, groups: Sequence[Group], dataset: str | None, reference: Sequences) -> Iterator[bytes]:
    """One line for each variant that somebody carries; populations, and sexes within them, are its subcohorts.

    Results of zygosity are numbers of people. A group in which nobody is called has no frequency, and is left out.
    """
    counted = Counted(cells.carried())
    carried = counted.cells
    alleles = vrs_alleles(carried, reference)
    results = _Results(counted, groups, [b'"ga4gh:VA.', alleles.digest, b'"'])
    whole = next(group for group in groups if not group.name)
    more = f',"sourceDataSet":{{"type":"DataSet","id":{quoted(dataset)}}}' if dataset else ""
    result = results.of(whole, _allele(alleles, carried, reference.refget(carried.contig)), more)
    return joined(len(carried), [*result.parts, b"\n"])


def _is_below(group: Group, of: Group) -> bool:
    """Whether one is a part of the other by one more criterion: a population of everybody, a sex of a population."""
    if of.population:
        return group.population == of.population and group.sex is not None and of.sex is None
    return not of.sex and bool(group.name) and not (group.population and group.sex)


@dataclass(frozen=True)
class _Results:
    """The results of groups; those of subcohorts name the allele by its identifier."""

    counted: Counted
    groups: Sequence[Group]
    identifier: Sequence[Piece]

    def of(self, group: Group, allele: Sequence[Piece], more: str = "") -> Value:
        """A result with those of its subcohorts; there is none where nobody of the group is called."""
        counts = told(self.counted.of(group), _counts(label(group), group.people, more))
        below = [self.of(other, self.identifier) for other in self.groups if _is_below(other, group)]
        subcohorts = [b',"subCohortFrequency":', *array(below)] if below else []
        head = b'{"type":"CohortAlleleFrequencyStudyResult","focusAllele":'
        return Value([head, *allele, counts, *subcohorts, b"}"], called(self.counted, group))


@cache
def _counts(name: str, people: int, more: str) -> pl.Expr:
    cohort = f'"cohort":{{"type":"StudyGroup","id":{quoted(name)},"name":{quoted(name)},"memberCount":{people}}}'
    return pl.concat_str(pl.lit(","), members(COUNTS), pl.lit(f",{cohort}{more}"))


def _allele(alleles: VrsAlleles, cells: Cells, refget: str) -> list[Piece]:
    """The Allele with its location and state; VCF's own key is an expression of it."""
    key = [pl.lit(cells.contig.removeprefix("chr")), "pos", "ref", "alt"]
    interval = [pl.lit('"start":'), "start", pl.lit(',"end":'), "end"]
    table = pl.DataFrame({"pos": cells.pos, "ref": cells.ref, "alt": cells.alt})
    table = table.with_columns(start=alleles.start, end=alleles.end)
    table = table.select(key=pl.concat_str(key, separator="-"), interval=pl.concat_str(interval))
    keys, intervals = map(pieces, table)
    sequence = f'"sequenceReference":{{"type":"SequenceReference","refgetAccession":"{refget}"}},'.encode()
    return [
        b'{"id":"ga4gh:VA.', alleles.digest, b'","type":"Allele","digest":"', alleles.digest,
        b'","expressions":[{"syntax":"gnomad","value":"', keys,
        b'"}],"location":{"id":"ga4gh:SL.', alleles.location,
        b'","type":"SequenceLocation","digest":"', alleles.location, b'",', sequence, intervals,
        b'},"state":', alleles.state, b"}",
    ]  # fmt: skip
