"""Who is called at a record: by hand, and each cell of genotype x region x karyotype x mask by a plain rule."""

from itertools import product

import numpy as np
import pytest

from tessera.cohort.genotypes import Reason, judge
from tessera.files.vcf import ABSENT, MISSING, Record
from tessera.schemas.mask import ADJ, NO_MASK, Mask

NONE = -(2**31)  # how htslib says that a number is missing

Genotype = tuple[int, int]

# allele numbers: 0 A, 1 C, 2 *, 3 <NON_REF>
GENOTYPES: dict[str, Genotype] = {
    "0": (0, ABSENT), "1": (1, ABSENT), "2": (2, ABSENT), "3": (3, ABSENT), ".": (MISSING, ABSENT),
    "0/0": (0, 0), "0/1": (0, 1), "1/0": (1, 0), "1/1": (1, 1), "1/2": (1, 2), "2/2": (2, 2), "0/2": (0, 2),
    "0/3": (0, 3), "3/3": (3, 3), "./.": (MISSING, MISSING), "./1": (MISSING, 1), "1/.": (1, MISSING),
    "./0": (MISSING, 0), "0/.": (0, MISSING),
}  # fmt: skip

# copies by hand: autosome, X, PAR of X, Y, PAR of Y, MT
COPIES = {
    "XX": (2, 2, 2, 0, 0, 1), "XY": (2, 1, 2, 1, 0, 1), "X0": (2, 0, 0, 0, 0, 1), "XXY": (2, 0, 0, 0, 0, 1),
    "XYY": (2, 0, 0, 0, 0, 1), "XXX": (2, 0, 0, 0, 0, 1), "NA": (2, 0, 0, 0, 0, 1),
}  # fmt: skip
REGIONS = ("autosome", "x", "x_par", "y", "y_par", "mt")

GQS = (19, 20, NONE)
DPS = (4, 5, 9, 10, 30, NONE)
#: reads of C and of *, out of 30: 6 are the fifth that is needed
READS = ((6, 6), (5, 6), (6, 5), (NONE, NONE))


def record(cells: list[tuple[Genotype, int, int, tuple[int, int]]], *, passes: bool = True) -> Record:
    """One record with a sample for each cell: genotype, GQ, DP, reads of C and of `*`."""
    gts, gqs, dps, reads = zip(*cells, strict=True)
    ad = np.array([(20, *counts, 0) for counts in reads], dtype=np.int32)
    return Record(
        "chr1", 9, 9, "A", ["C", "*", "<NON_REF>"], passes,
        np.array(gts, dtype=np.int16), np.array(gqs, dtype=np.int32), np.array(dps, dtype=np.int32), None, ad,
    )  # fmt: skip


def is_called(gt: Genotype, copies: int, gq: int, dp: int, reads: tuple[int, int], mask: Mask, mt: bool) -> bool:
    """The rules in the words of docs/counting.md, one person at a time."""
    alleles = [allele for allele in gt if allele != ABSENT]
    if copies == 0 or MISSING in alleles or 3 in alleles:
        return False
    if copies == 2 and len(alleles) == 1:
        return False
    if copies == 1 and len(set(alleles)) == 2 and not mt:
        return False
    if mask is NO_MASK:
        return True
    if gq < 20 or dp < (5 if copies == 1 else 10):
        return False
    if copies == 2 and len(set(alleles)) == 2:
        return all(reads[allele - 1] / dp >= 0.2 for allele in alleles if allele)
    return True


@pytest.mark.parametrize("mask", [ADJ, NO_MASK], ids=["adj", "none"])
@pytest.mark.parametrize("karyotype", COPIES)
@pytest.mark.parametrize("region", REGIONS)
def test_every_genotype_is_called_or_not_by_the_plain_rule(region: str, karyotype: str, mask: Mask) -> None:
    copies = COPIES[karyotype][REGIONS.index(region)]
    cells = list(product(GENOTYPES.values(), GQS, DPS, READS))
    given = np.full(len(cells), copies, dtype=np.int8)
    reasons = judge(record(cells), given, mask, mitochondrial=region == "mt")
    expected = [is_called(*cell[:1], copies, *cell[1:], mask, region == "mt") for cell in cells]
    wrong = [cell for cell, reason, right in zip(cells, reasons, expected, strict=True) if (reason == 0) != right]
    assert wrong == []
    assert any(expected) is (copies > 0)


GOOD = (20, 30, (6, 6))


@pytest.mark.parametrize(
    ("genotype", "copies", "cell", "reason"),
    [
        ("0/1", 2, GOOD, Reason.CALLED),
        ("1/2", 2, GOOD, Reason.CALLED),
        ("1/1", 2, (20, 10, (NONE, NONE)), Reason.CALLED),  # balance is asked of hets alone
        ("1/1", 1, (20, 5, (NONE, NONE)), Reason.CALLED),  # a diploid writing of one copy
        ("1", 1, GOOD, Reason.CALLED),
        ("2/2", 2, GOOD, Reason.CALLED),  # the deletion is called, and is not this ALT
        ("0/1", 0, GOOD, Reason.NO_COPY_HERE),
        ("./.", 0, GOOD, Reason.NO_COPY_HERE),
        ("./.", 2, GOOD, Reason.MISSING),
        (".", 1, GOOD, Reason.MISSING),
        ("./1", 2, GOOD, Reason.HALF_CALL),
        ("1/.", 1, GOOD, Reason.HALF_CALL),
        ("0/3", 2, GOOD, Reason.NON_REF_CALL),
        ("3", 1, GOOD, Reason.NON_REF_CALL),
        ("1", 2, GOOD, Reason.HAPLOID_CALL_OF_DIPLOID),
        ("0/1", 1, GOOD, Reason.HET_CALL_OF_HAPLOID),
        ("0/1", 2, (19, 30, (6, 6)), Reason.LOW_GQ),
        ("0/0", 2, (NONE, 30, (6, 6)), Reason.LOW_GQ),
        ("0/1", 2, (20, 9, (6, 6)), Reason.LOW_DP),
        ("1/1", 1, (20, 4, (6, 6)), Reason.LOW_DP),
        ("0/0", 2, (20, NONE, (6, 6)), Reason.LOW_DP),
        ("0/1", 2, (20, 30, (5, 6)), Reason.LOW_ALLELE_BALANCE),
        ("1/2", 2, (20, 30, (6, 5)), Reason.LOW_ALLELE_BALANCE),
        ("0/1", 2, (20, 30, (6, 0)), Reason.CALLED),  # reads of an allele that is not in the genotype do not matter
    ],
)
def test_the_reason_is_the_first_that_applies(
    genotype: str, copies: int, cell: tuple[int, int, tuple[int, int]], reason: Reason
) -> None:
    found = judge(record([(GENOTYPES[genotype], *cell)]), np.array([copies], dtype=np.int8), ADJ, mitochondrial=False)
    assert Reason(found[0]) is reason


def test_a_het_of_mt_is_called_whatever_the_share_of_its_reads() -> None:
    found = judge(record([((0, 1), 20, 30, (1, 0))]), np.array([1], dtype=np.int8), ADJ, mitochondrial=True)
    assert Reason(found[0]) is Reason.CALLED


def test_nobody_is_called_where_filter_names_something() -> None:
    people = [((0, 1), *GOOD), ((0, 0), *GOOD), ((MISSING, MISSING), *GOOD)]
    found = judge(record(people, passes=False), np.array([2, 2, 0], dtype=np.int8), NO_MASK, mitochondrial=False)
    assert [Reason(r) for r in found] == [Reason.FILTER, Reason.FILTER, Reason.NO_COPY_HERE]


def block(gq: int | None, dp: int | None, min_dp: int | None) -> Record:
    def one(value: int | None) -> np.ndarray | None:  # type: ignore[type-arg]
        return None if value is None else np.array([value], dtype=np.int32)

    gt = np.array([[0, 0]], dtype=np.int16)
    return Record("chr1", 9, 90, "A", ["<NON_REF>"], True, gt, one(gq), one(dp), one(min_dp), None)


@pytest.mark.parametrize(
    ("gq", "dp", "min_dp", "reason"),
    [
        (20, 30, 10, Reason.CALLED),
        (20, 30, 9, Reason.LOW_DP),  # MIN_DP, not DP, is the depth of a block
        (20, 9, 10, Reason.CALLED),
        (20, 10, None, Reason.CALLED),
        (20, 9, None, Reason.LOW_DP),
        (20, 30, NONE, Reason.LOW_DP),
        (19, 30, 30, Reason.LOW_GQ),
        (NONE, 30, 30, Reason.LOW_GQ),
        (None, 30, 10, Reason.CALLED),  # bcftools writes no GQ there: depth alone
        (None, 30, 9, Reason.LOW_DP),
        (20, None, None, Reason.LOW_DP),
    ],
)
def test_a_reference_block_is_judged_by_gq_and_min_dp(
    gq: int | None, dp: int | None, min_dp: int | None, reason: Reason
) -> None:
    found = judge(block(gq, dp, min_dp), np.array([2], dtype=np.int8), ADJ, mitochondrial=False)
    assert Reason(found[0]) is reason


def test_a_variant_record_without_gq_is_low_where_the_header_declares_it() -> None:
    some = record([((0, 1), *GOOD)])
    some.gq = None
    assert Reason(judge(some, np.array([2], dtype=np.int8), ADJ, mitochondrial=False)[0]) is Reason.LOW_GQ


@pytest.mark.parametrize(
    ("formats", "mask"),
    [
        ({"GT", "GQ", "DP", "AD"}, ADJ),
        ({"GT"}, NO_MASK),
        ({"GT", "GQ"}, Mask(20, None, None, None)),
        ({"GT", "DP"}, Mask(None, 10, 5, None)),
        ({"GT", "AD"}, NO_MASK),  # a share needs DP
        ({"GT", "DP", "AD"}, Mask(None, 10, 5, 0.2)),
    ],
)
def test_a_threshold_applies_where_the_header_declares_its_field(formats: set[str], mask: Mask) -> None:
    assert ADJ.for_fields(frozenset(formats)) == mask


@pytest.mark.parametrize(
    ("reads", "depth", "called"), [(3, 20, True), (2, 20, False), (15, 100, True), (14, 100, False)]
)
def test_allele_balance_is_exact_at_its_edge(reads: int, depth: int, called: bool) -> None:
    """0.15 is no binary fraction: 3 of 20 must pass."""
    mask = Mask(0, 0, 0, 0.15)
    found = judge(record([((0, 1), 20, depth, (reads, 0))]), np.array([2], dtype=np.int8), mask, mitochondrial=False)
    assert (Reason(found[0]) is Reason.CALLED) is called


def test_gq_as_float_is_missing_when_it_is_nan() -> None:
    some = record([((0, 1), *GOOD), ((0, 1), *GOOD), ((0, 1), *GOOD)])
    some.gq = np.array([20.0, 19.99, np.nan])
    found = judge(some, np.full(3, 2, dtype=np.int8), ADJ, mitochondrial=False)
    assert [Reason(r) for r in found] == [Reason.CALLED, Reason.LOW_GQ, Reason.LOW_GQ]
