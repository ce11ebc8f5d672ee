"""One record's genotypes judged: who is called, who carries what, and why somebody is not counted."""

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from tessera.files.vcf import ABSENT, MISSING, Record
from tessera.schemas.mask import Mask

BoolArray = npt.NDArray[np.bool_]


class Reason(IntEnum):
    """Why a person is not called at a record; the first that applies, in this order."""

    CALLED = 0
    NO_COPY_HERE = 1
    FILTER = 2
    MISSING = 3
    HALF_CALL = 4
    NON_REF_CALL = 5
    HAPLOID_CALL_OF_DIPLOID = 6
    HET_CALL_OF_HAPLOID = 7
    LOW_GQ = 8
    LOW_DP = 9
    LOW_ALLELE_BALANCE = 10


def judge(record: Record, copies: npt.NDArray[np.int8], mask: Mask, *, mitochondrial: bool) -> npt.NDArray[np.uint8]:
    """(n,) Reason for each person at this record; `copies` is their expected ploidy.

    Half-calls are missing. Two equal alleles where one is expected are one; two different ones are missing,
    except on MT, where they are heteroplasmy. FILTER other than PASS or `.` leaves nobody called.
    """
    reasons = np.zeros(len(record.gt), dtype=np.uint8)
    everybody_is_reference = not record.gt.any()
    # the later a reason is written, the more it says: it overwrites the ones before
    if not everybody_is_reference:
        reasons[(copies == 2) & _is_het(record) & _low_balance(record, mask)] = Reason.LOW_ALLELE_BALANCE
    reasons[_low_dp(record, mask, copies)] = Reason.LOW_DP
    reasons[_low_gq(record, mask)] = Reason.LOW_GQ
    if not everybody_is_reference:
        _write_unusable(reasons, record, copies, mitochondrial=mitochondrial)
    if not record.passes_filter:
        reasons[:] = Reason.FILTER
    reasons[copies == 0] = Reason.NO_COPY_HERE
    return reasons


def _write_unusable(
    reasons: npt.NDArray[np.uint8], record: Record, copies: npt.NDArray[np.int8], *, mitochondrial: bool
) -> None:
    """Overwrite the reasons of people whose genotype is none, whatever its quality."""
    first, second = record.gt[:, 0], record.gt[:, 1]
    if not mitochondrial:
        reasons[(copies == 1) & _is_het(record)] = Reason.HET_CALL_OF_HAPLOID
    reasons[(copies == 2) & (second == ABSENT)] = Reason.HAPLOID_CALL_OF_DIPLOID
    reasons[_names_non_ref(record)] = Reason.NON_REF_CALL
    reasons[(first == MISSING) | (second == MISSING)] = Reason.HALF_CALL
    reasons[(first < 0) & (second < 0)] = Reason.MISSING


def _is_het(record: Record) -> BoolArray:
    """Two alleles that differ; a missing one differs from all."""
    first, second = record.gt[:, 0], record.gt[:, 1]
    return np.asarray((first != second) & (second != ABSENT), dtype=np.bool_)


def _names_non_ref(record: Record) -> BoolArray:
    named = [i for i, alt in enumerate(record.alts, start=1) if alt in ("<NON_REF>", "<*>")]
    return np.asarray(np.isin(record.gt, named).any(axis=1), dtype=np.bool_)


def _low_gq(record: Record, mask: Mask) -> BoolArray:
    """Below min_gq or missing. bcftools gives no GQ with reference records: their depth alone decides."""
    if mask.min_gq is None or (record.gq is None and record.is_reference):
        return np.zeros(len(record.gt), dtype=np.bool_)
    return _below(record.gq, mask.min_gq, len(record.gt))


def _low_dp(record: Record, mask: Mask, copies: npt.NDArray[np.int8]) -> BoolArray:
    """Below the depth for the expected copies, or missing; a reference block answers with its MIN_DP."""
    if mask.min_dp is None or mask.min_dp_haploid is None:
        return np.zeros(len(record.gt), dtype=np.bool_)
    depth = record.min_dp if record.is_reference and record.min_dp is not None else record.dp
    needed = np.where(copies == 1, mask.min_dp_haploid, mask.min_dp)
    return _below(depth, needed, len(record.gt))


def _below(values: npt.NDArray[Any] | None, limit: Any, n: int) -> BoolArray:
    """Missing (a large negative integer or NaN) is below every limit; so is a field the record lacks."""
    return np.ones(n, dtype=np.bool_) if values is None else ~(values >= limit)


def _low_balance(record: Record, mask: Mask) -> BoolArray:
    """True where an ALT of the genotype has less than min_ab of the reads (AD / DP; integers, no rounding)."""
    n = len(record.gt)
    if mask.min_ab is None:
        return np.zeros(n, dtype=np.bool_)
    if record.ad is None or record.dp is None or record.ad.shape[1] != 1 + len(record.alts):
        return np.ones(n, dtype=np.bool_)
    low = np.zeros(n, dtype=np.bool_)
    people = np.arange(n)
    needed = round(1000 * mask.min_ab) * record.dp.astype(np.int64)
    for allele in record.gt.T:
        reads = record.ad[people, np.maximum(allele, 0)].astype(np.int64)
        low |= (allele > 0) & (1000 * reads < needed)
    return low
