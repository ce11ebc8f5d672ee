"""Where nodes differ more than chance lets them: allele counts and call rates of each variant, within strata."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import chdtrc

from tessera.genome.build import Build, ploidy
from tessera.schemas.discordance import ALPHA, CALL_RATE_APART, DISCORDANCE, EXPECTED
from tessera.schemas.samples import SEX_STRATA
from tessera.summary.algebra import key_order
from tessera.summary.an_track import Steps, place
from tessera.summary.columns import Array, Columns, joined, with_common_words

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Node:
    """A node: its name in the list, and stratum -> people counted."""

    name: str
    people: dict[str, int]


@dataclass
class Comparison:
    """Takes the variants part by part, and keeps those that may be discordant when all are known.

    The number of tests only grows, so what is above ALPHA over their number by now will be at the end: what is kept
    does not grow with the genome, but with what differs.
    """

    nodes: Sequence[Node]
    build: Build
    variants: int = 0
    tests: int = 0
    _kept: list[pl.DataFrame] = field(default_factory=list)

    def take(self, contig: str, variants: Sequence[Columns], tracks: Sequence[Columns]) -> None:
        """Compare the variants of a part of a contig; a table of each for every node."""
        strata = sorted({stratum for node in self.nodes for stratum in node.people})
        counts = _Counts.of(variants, tracks, strata)
        if not len(counts.rows):
            return
        sizes = self._people_with_copies(contig, strata, counts.rows["pos"] - 1)
        known = counts.unknown == 0
        alleles, called = np.where(known, counts.alleles, 0), np.where(known, counts.called, 0)
        ac, people = np.where(known, counts.carried, 0), np.where(known, sizes, 0)
        p_allele, p_rate = heterogeneity(ac, alleles), heterogeneity(called, people)
        frequency, rate = _shares(ac, alleles), _shares(called, people)
        self.variants += len(counts.rows)
        self.tests += int(np.isfinite(p_allele).sum() + np.isfinite(p_rate).sum())
        self._keep(contig, counts.rows, p_allele, p_rate, frequency, rate)

    def discordant(self) -> pl.DataFrame:
        """The list, by the number of all tests (Bonferroni); columns of DISCORDANCE."""
        found = pl.concat([DISCORDANCE.empty, *self._kept])
        return _flagged(found, self.threshold)

    @property
    def threshold(self) -> float:
        """p at which a test of this comparison is significant."""
        return ALPHA / max(1, self.tests)

    def _keep(
        self, contig: str, rows: Columns, p_allele: Floats, p_rate: Floats, frequency: Floats, rate: Floats
    ) -> None:
        columns: dict[str, object] = {"contig": [contig] * len(rows), "pos": rows["pos"]}
        columns |= {name: [rows.words[name][word] for word in rows[name]] for name in ("ref", "alt")}
        columns |= {"p_allele_counts": p_allele, "p_call_rate": p_rate}
        names = np.array([node.name for node in self.nodes])
        for what, shares in (("AF", frequency), ("call_rate", rate)):
            for end, infinite, pick in (("lowest", np.inf, np.argmin), ("highest", -np.inf, np.argmax)):
                node = pick(np.where(np.isnan(shares), infinite, shares), axis=0)
                columns[f"{end}_{what}"] = shares[node, np.arange(len(rows))]
                columns[f"{end}_{what}_node"] = names[node]
        frame = pl.DataFrame(columns).fill_nan(None).with_columns(node_discordant=pl.lit(""))
        self._kept.append(_flagged(frame.select(DISCORDANCE.names).cast(DISCORDANCE.schema), self.threshold))

    def _people_with_copies(self, contig: str, strata: Sequence[str], bases: Array) -> npt.NDArray[np.int64]:
        """(nodes, strata, n) people counted who have copies at 0-based bases."""
        facts = self.build.contig(contig)
        assert facts is not None, "a part lies on a contig of the build"
        karyotypes = {letter: karyotype for karyotype, letter in SEX_STRATA.items()}
        regions = self.build.regions(facts)
        region = np.searchsorted([one.start for one in regions], bases, side="right") - 1
        has = np.array([[ploidy(one.kind, karyotypes.get(s[-1], "NA")) > 0 for one in regions] for s in strata])
        people = np.array([[node.people.get(stratum, 0) for stratum in strata] for node in self.nodes])
        sizes: npt.NDArray[np.int64] = people[:, :, None] * has[None, :, region]
        return sizes


def heterogeneity(found: Array, of: Array) -> Floats:
    """p of the generalized Cochran-Mantel-Haenszel test that a share does not depend on the node, within strata.

    `found` and `of` are (nodes, strata, n) counts: of `of` trials `found` succeeded; gives (n,) p values. The sum over
    strata of found less expected is compared with its covariance under fixed margins (multivariate hypergeometric), by
    chi-square with the rank of the covariance as degrees of freedom (Agresti 2002, Categorical Data Analysis, 7.5.3).
    NaN where it is no test: fewer than two nodes can be compared, or a node of those expects less than EXPECTED
    successes or failures.
    """
    hits, trials = found.astype(np.float64), of.astype(np.float64)
    total, all_hits = trials.sum(axis=0), hits.sum(axis=0)
    # a stratum of one node, or of one outcome, tells nothing
    tells = ((trials > 0).sum(axis=0) > 1) & (all_hits > 0) & (all_hits < total)
    share = np.divide(all_hits, total, out=np.zeros_like(total), where=tells)
    expected = np.where(tells, trials * share, 0)
    failing = np.where(tells, trials * (1 - share), 0)
    takes_part = np.where(tells, trials, 0).sum(axis=1) > 0
    enough = (np.minimum(expected.sum(axis=1), failing.sum(axis=1)) >= EXPECTED) | ~takes_part
    tested = np.flatnonzero(enough.all(axis=0) & (takes_part.sum(axis=0) > 1))
    p = np.full(found.shape[2], np.nan)
    if len(tested):
        part = np.where(tells, trials, 0)[..., tested]
        off = (np.where(tells, hits, 0) - expected)[..., tested].sum(axis=1).T
        p[tested] = _chi_square(off, _covariance(part, share[:, tested]))
    return p


def _covariance(trials: Floats, share: Floats) -> Floats:
    """(n, nodes, nodes) of the nodes' successes, over strata; of fixed numbers of trials and of successes."""
    total = trials.sum(axis=0)
    scale = np.divide(share * (1 - share), total - 1, out=np.zeros_like(total), where=total > 1)
    diagonal = np.einsum("sn,ksn->nk", scale * total, trials)
    crossed: Floats = np.einsum("ksn,lsn,sn->nkl", trials, trials, scale)
    covariance: Floats = np.einsum("nk,kl->nkl", diagonal, np.eye(len(trials))) - crossed
    return covariance


def _chi_square(off: Floats, covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values[:, -1:] * 1e-9
    along = np.einsum("nkl,nk->nl", vectors, off)
    statistic = np.sum(np.divide(along**2, values, out=np.zeros_like(along), where=kept), axis=1)
    p: Floats = chdtrc(kept.sum(axis=1), statistic)
    return p


def _shares(found: Array, of: Array) -> Floats:
    """(nodes, n) over all strata; NaN where there is nothing."""
    hits, trials = found.sum(axis=1).astype(np.float64), of.sum(axis=1)
    shares: Floats = np.divide(hits, trials, out=np.full(hits.shape, np.nan), where=trials > 0)
    return shares


def _flagged(frame: pl.DataFrame, threshold: float) -> pl.DataFrame:
    apart = pl.col("highest_call_rate") - pl.col("lowest_call_rate") >= CALL_RATE_APART
    flags = {
        "allele_counts": pl.col("p_allele_counts") <= threshold,
        "call_rate": (pl.col("p_call_rate") <= threshold) & apart,
    }
    words = [pl.when(flag).then(pl.lit(name)) for name, flag in flags.items()]
    told = frame.with_columns(node_discordant=pl.concat_str(words, separator=";", ignore_nulls=True))
    return told.filter(pl.col("node_discordant") != "")


@dataclass(frozen=True)
class _Counts:
    """Of each distinct variant (n rows) by node and stratum: (nodes, strata, n) arrays."""

    rows: Columns
    carried: Array
    alleles: Array
    called: Array
    unknown: Array

    @classmethod
    def of(cls, variants: Sequence[Columns], tracks: Sequence[Columns], strata: Sequence[str]) -> "_Counts":
        also = {"stratum": strata}
        listed = with_common_words(variants, also)
        steps = [Steps.of(track) for track in with_common_words(tracks, also)]
        every = joined(listed)
        order, begins = key_order(every, by_stratum=False)
        number = np.empty(len(every), np.int64)
        number[order] = np.cumsum(np.isin(np.arange(len(every)), begins)) - 1
        rows = every.take(order[begins])
        shape = (len(variants), len(every.words["stratum"]), len(rows))
        # dip, hap, unknown as the tracks say, and as rows do where there is one
        said = np.stack([_answers(track, rows, shape[1]) for track in steps], axis=1)
        carried = np.zeros(shape, np.int64)
        ends = np.cumsum([len(part) for part in listed])
        for node, (part, end) in enumerate(zip(listed, ends, strict=True)):
            at = (node, part["stratum"], number[end - len(part) : end])
            carried[at] = part["n_het"].astype(np.int64) + 2 * part["n_homalt"].astype(np.int64) + part["n_hemi"]
            for row, name in zip(said, ("n_dip", "n_hap", "an_unknown"), strict=True):
                row[at] = part[name]
        dip, hap, unknown = said
        return cls(rows, carried, 2 * dip + hap, dip + hap, unknown)


def _answers(steps: Steps, rows: Columns, strata: int) -> Array:
    """(3, strata, n) what a track says of the variants' bases."""
    return np.stack(
        [steps.at(place(rows["pos"] - 1, np.full(len(rows), s, np.int64), strata)) for s in range(strata)], axis=1
    )
