"""What a batch of records adds up to, and the plain numpy engine that adds one record at a time.

The arrays of Counts are those of kernel.c: what is written here record by record is what the kernel writes, number for
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tessera.cohort.genotypes import Reason
from tessera.files.vcf import Record

IntArray = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]

#: what an ALT is to the count: no variant of its own (`*`, symbolic, or given before), a variant, or `<NON_REF>`
NOT_COUNTED, COUNTED, NON_REF_ALLELE = 0, 1, 2
#: histograms of a batch, by stratum; the share is AD / DP
METRICS = ("gq_alt", "dp_alt", "share_alt", "gq_all", "dp_all")
BINS = 21
#: class of an ALT in a person's tallies; transitions and transversions are SNVs
CLASSES = ("transition", "transversion", "insertion", "deletion", "other")
ZYGOSITIES = ("het", "homalt", "hemi")
TALLIES = (
    *(f"n_{kind}_{zygosity}" for kind in CLASSES for zygosity in ZYGOSITIES),
    "n_asked", "n_called", "n_gq", "sum_gq", "n_dp", "sum_dp",
)  # fmt: skip


@dataclass
class Counts:
    """R records with A ALTs, P columns of people (those not counted stay 0), S leaf strata.

    `n_dip`, `n_hap` (R, S) are those called; `called` (R, ceil(P/8)) the same as bits, lowest first; `n_het`,
    `n_homalt`, `n_hemi` (A, S) the counted carriers; `carriers` (A, reasons) all of them; `histograms`
    (S, METRICS, BINS) are sums over the batch, `tallies` over whatever was added to them: see `no_tallies`.
    """

    n_dip: npt.NDArray[np.int32]
    n_hap: npt.NDArray[np.int32]
    called: npt.NDArray[np.uint8]
    n_het: npt.NDArray[np.int32]
    n_homalt: npt.NDArray[np.int32]
    n_hemi: npt.NDArray[np.int32]
    carriers: npt.NDArray[np.int32]
    histograms: IntArray
    tallies: IntArray

    @classmethod
    def zeros(cls, records: int, alleles: int, columns: int, strata: int, tallies: IntArray) -> "Counts":
        """Nothing counted yet; each person's counts are to be added to `tallies`."""
        rows, alts = (records, strata), (alleles, strata)
        return cls(
            np.zeros(rows, np.int32),
            np.zeros(rows, np.int32),
            np.zeros((records, (columns + 7) // 8), np.uint8),
            np.zeros(alts, np.int32),
            np.zeros(alts, np.int32),
            np.zeros(alts, np.int32),
            np.zeros((alleles, len(Reason)), np.int32),
            np.zeros((strata, len(METRICS), BINS), np.int64),
            tallies,
        )

    @classmethod
    def joined(cls, parts: "Sequence[Counts]") -> "Counts":
        """Those of records that follow each other, added to the same tallies; histograms are sums over all."""
        if len(parts) == 1:
            return parts[0]
        names = ("n_dip", "n_hap", "called", "n_het", "n_homalt", "n_hemi", "carriers")
        rows = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**rows, histograms=np.sum([part.histograms for part in parts], axis=0), tallies=parts[0].tallies)


def no_tallies(columns: int) -> IntArray:
    """(columns of the file, TALLIES), the numbers of a tally side by side: nobody carries anything yet."""
    return np.zeros((len(TALLIES), columns), np.int64).T


@dataclass(frozen=True)
class Membership:
    """Which column of a file is whom: `columns` (n,) of the n counted people, `strata` (n,) their leaf strata.

    `width` columns in the file, `labels` strata.
    """

    columns: Indices
    strata: Indices
    width: int
    labels: int

    def by_stratum(self, who: Indices) -> npt.NDArray[np.int32]:
        """(S,) how many of these people belong to each stratum."""
        return np.bincount(self.strata[who], minlength=self.labels).astype(np.int32)


def tally_called(
    counts: Counts, row: int, reasons: npt.NDArray[np.uint8], copies: npt.NDArray[np.int8], members: Membership
) -> None:
    """Write who is called at record `row`."""
    called = reasons == Reason.CALLED
    counts.n_dip[row] = members.by_stratum(np.flatnonzero(called & (copies == 2)))
    counts.n_hap[row] = members.by_stratum(np.flatnonzero(called & (copies == 1)))
    bits = np.zeros(counts.called.shape[1] * 8, np.uint8)
    bits[members.columns[called]] = 1
    counts.called[row] = np.packbits(bits, bitorder="little")


def tally_asked(
    counts: Counts, record: Record, reasons: npt.NDArray[np.uint8], copies: npt.NDArray[np.int8], members: Membership
) -> None:
    """Add a record that passes FILTER, with a variant, to the tallies of the people who are asked there."""
    if not record.passes_filter:
        return
    called = reasons == Reason.CALLED
    add_to = counts.tallies[:, TALLIES.index("n_asked") :].T
    add_to[0][members.columns[copies > 0]] += 1
    add_to[1][members.columns[called]] += 1
    for at, values in ((2, record.gq), (4, record.dp)):
        if values is not None:
            known = called & (values >= 0)
            add_to[at][members.columns[known]] += 1
            add_to[at + 1][members.columns[known]] += values[known].astype(np.int64)


def tally_alt(
    counts: Counts,
    row: int,
    record: Record,
    allele: int,
    kind: int,
    reasons: npt.NDArray[np.uint8],
    copies: npt.NDArray[np.int8],
    members: Membership,
    *,
    use: int,
    mitochondrial: bool,
) -> None:
    """Add one ALT of a record: where its carriers went, and, when it is COUNTED, all it adds to the counts."""
    having = np.flatnonzero((record.gt == allele).any(axis=1))
    counts.carriers[row] += np.bincount(reasons[having], minlength=len(Reason)).astype(np.int32)
    if use != COUNTED:
        return
    counted = having[reasons[having] == Reason.CALLED]
    first, second = record.gt[counted].T
    one, het = copies[counted] == 1, (first != second) & (second >= 0)
    zygosity = np.where(het, 0, np.where(one, 2, 1))
    for at, table in enumerate((counts.n_het, counts.n_homalt, counts.n_hemi)):
        table[row] += members.by_stratum(counted[zygosity == at])
    np.add.at(counts.tallies, (members.columns[counted], kind * len(ZYGOSITIES) + zygosity), 1)
    everybody = np.flatnonzero(reasons == Reason.CALLED)
    for metric, values, who in (
        ("gq_alt", record.gq, counted), ("dp_alt", record.dp, counted),
        ("gq_all", record.gq, everybody), ("dp_all", record.dp, everybody),
    ):  # fmt: skip
        if values is not None:
            known = who[values[who] >= 0]
            _add(counts, metric, np.minimum(values[known].astype(np.int64) // 5, 20), known, members)
    if record.ad is not None and record.dp is not None and record.ad.shape[1] > allele:
        reads = record.ad[:, allele].astype(np.int64)
        # without reads there is no share; a missing DP is negative
        shown = counted[(record.dp[counted] > 0) & (reads[counted] >= 0) & (mitochondrial | (het & ~one))]
        share = 20 * reads[shown] // record.dp[shown].astype(np.int64)
        _add(counts, "share_alt", np.minimum(share, 19), shown, members)


def _add(counts: Counts, metric: str, bins: IntArray, who: Indices, members: Membership) -> None:
    np.add.at(counts.histograms[:, METRICS.index(metric)], (members.strata[who], bins), 1)
