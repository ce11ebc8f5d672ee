"""What each ALT of a batch is: a variant in its normal form, one that came before, or none."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from tessera.cohort.sites import Bytes, IntArray, Sites
from tessera.cohort.tally import CLASSES, COUNTED, NON_REF_ALLELE, NOT_COUNTED
from tessera.errors import refuse
from tessera.genome.alleles import concrete, is_sequence, normalise

#: how far left-alignment may carry a variant; a longer repeat is refused, not cut
LOOKBACK = 10_000
#: (contig, start, end) -> bases, or None when alleles are taken as they are
ReferenceBases = Callable[[str, int, int], str] | None
Key = tuple[int, str, str]
Texts = npt.NDArray[np.object_]

LETTERS = np.array([chr(code) for code in range(256)], np.object_)
_BASES = np.zeros(256, np.bool_)
_BASES[[ord(base) for base in "ACGTN"]] = True
_TRANSITIONS = {"AG", "GA", "CT", "TC"}
_SNV_KIND = np.full((256, 256), CLASSES.index("transversion"), np.uint8)
for _pair in _TRANSITIONS:
    _SNV_KIND[ord(_pair[0]), ord(_pair[1])] = CLASSES.index("transition")


@dataclass
class BatchKeys:
    """By ALT of a batch: `use` and `kind` as the engines read them, `pos` of the variant (0: none), `again` where it
    came before, `symbolic` where it is not written in bases; by record: `low` and `high`, how far its variants reach
    (1-based)."""

    use: Bytes
    kind: Bytes
    pos: IntArray
    again: npt.NDArray[np.bool_]
    symbolic: npt.NDArray[np.bool_]
    low: IntArray
    high: IntArray
    ref_base: Bytes
    alt_base: Bytes
    written: dict[int, Key]

    def refs(self, alts: IntArray) -> Texts:
        """REF of these ALTs' variants."""
        return self._texts(alts, self.ref_base, 1)

    def alts(self, alts: IntArray) -> Texts:
        """ALT of these ALTs' variants."""
        return self._texts(alts, self.alt_base, 2)

    def _texts(self, alts: IntArray, bases: Bytes, part: int) -> Texts:
        texts = LETTERS[bases[alts]]
        is_written = np.zeros(len(bases), np.bool_)
        is_written[list(self.written)] = True
        for at in np.flatnonzero(is_written[alts]).tolist():
            texts[at] = str(self.written[int(alts[at])][part])
        return texts


class Keys:
    """The variants of one contig, record by record in file order; remembers those that may come again."""

    def __init__(self, contig: str, bases: ReferenceBases) -> None:
        self._contig, self._bases = contig, bases
        self._seen: set[Key] = set()
        self._last_pos = 0

    def of(self, sites: Sites, start: int, stop: int, placed: npt.NDArray[np.bool_]) -> BatchKeys:
        """The keys of records [start, stop); those not `placed` (stop - start,) have none."""
        records, alts = len(sites.pos), len(sites.alt_length)
        owner = np.repeat(np.arange(records), np.diff(sites.first))
        keys = BatchKeys(
            np.zeros(alts, np.uint8), np.zeros(alts, np.uint8), np.zeros(alts, np.int64), np.zeros(alts, np.bool_),
            np.zeros(alts, np.bool_), sites.pos.copy(), sites.pos.copy(), sites.ref_base[owner], sites.alt_base, {},
        )  # fmt: skip
        chosen = np.arange(sites.first[start], sites.first[stop])
        chosen = chosen[placed[owner[chosen] - start]]
        snv = (sites.ref_length[owner[chosen]] == 1) & (sites.alt_length[chosen] == 1) & _BASES[sites.alt_base[chosen]]
        simple = chosen[snv]
        self._refuse_ref_as_alt(sites, owner, simple)
        keys.pos[simple] = sites.pos[owner[simple]]
        keys.use[simple] = COUNTED
        keys.kind[simple] = _SNV_KIND[keys.ref_base[simple], keys.alt_base[simple]]
        keys.use[chosen[sites.non_ref[chosen]]] = NON_REF_ALLELE
        for alt in chosen[~(snv | sites.non_ref[chosen])].tolist():
            self._write(sites, keys, int(owner[alt]), alt)
        self._find_again(sites, keys, owner, chosen, start, stop)
        self._last_pos = int(sites.pos[stop - 1])
        return keys

    def _refuse_ref_as_alt(self, sites: Sites, owner: IntArray, simple: IntArray) -> None:
        for alt in simple[sites.alt_base[simple] == sites.ref_base[owner[simple]]]:
            raise self._is_ref(int(sites.pos[owner[alt]]), sites.alt(int(alt)))

    def _is_ref(self, pos: int, alt: str) -> Exception:
        return refuse(f"{self._contig}:{pos} ALT", f"{alt}, which is REF", "an allele that is not REF")

    def _write(self, sites: Sites, keys: BatchKeys, record: int, alt: int) -> None:
        """The key of an ALT that is not an SNV as it stands."""
        text = sites.alt(alt)
        if text == "*":
            return
        if not text.isascii():
            raise refuse(f"{self._contig}:{sites.pos[record]} ALT", ascii(text), "an allele in ASCII")
        if not is_sequence(text):
            keys.symbolic[alt] = True
            return
        pos, ref, text = key = self._normal(int(sites.pos[record]), sites.ref(record), text)
        keys.written[alt], keys.pos[alt], keys.use[alt] = key, pos, COUNTED
        keys.low[record], keys.high[record] = min(keys.low[record], pos), max(keys.high[record], pos)
        keys.kind[alt] = CLASSES.index(_kind(ref, text))

    def _normal(self, pos: int, ref: str, alt: str) -> Key:
        bases = self._bases
        if alt == ref:
            raise self._is_ref(pos, alt)
        if bases is None:
            return pos, ref, alt
        key = normalise(pos, ref, alt, lambda *span: concrete(bases(self._contig, *span)))
        if pos - key[0] > LOOKBACK:
            raise refuse(
                f"{self._contig}:{pos}", f"left-alignment moves it by {pos - key[0]:,} bases", f"at most {LOOKBACK:,}"
            )
        return key

    def _find_again(
        self, sites: Sites, keys: BatchKeys, owner: IntArray, chosen: IntArray, start: int, stop: int
    ) -> None:
        """Mark the ALTs whose variant came before. SNVs that share their position with nothing cannot."""
        pos = sites.pos[start:stop]
        shared = np.zeros(stop - start, np.bool_)
        shared[1:] = pos[1:] == pos[:-1]
        shared[:-1] |= shared[1:]
        shared[0] |= pos[0] == self._last_pos
        shared[pos == pos[-1]] = True
        variants = chosen[keys.use[chosen] == COUNTED]
        several = np.bincount(owner[variants] - start, minlength=stop - start) > 1
        moved = np.fromiter((key[0] for key in chain(self._seen, keys.written.values())), np.int64)
        plain = ~(shared | several)[owner[variants] - start] & ~np.isin(keys.pos[variants], moved)
        self._seen = {key for key in self._seen if key[0] > int(pos[0]) - LOOKBACK - 1}
        for alt in variants[~plain].tolist():
            as_it_stands = int(keys.pos[alt]), LETTERS[keys.ref_base[alt]], LETTERS[keys.alt_base[alt]]
            key = keys.written.get(alt, as_it_stands)
            if key in self._seen:
                keys.again[alt], keys.use[alt] = True, NOT_COUNTED
            self._seen.add(key)


def _kind(ref: str, alt: str) -> str:
    if len(ref) == len(alt) > 1:
        return "other"
    if len(ref) == len(alt):
        return "transition" if ref + alt in _TRANSITIONS else "transversion"
    return "insertion" if len(alt) > len(ref) else "deletion"


def texts_in_order(pos: IntArray, refs: Texts, alts: Texts) -> npt.NDArray[np.intp]:
    """The order of variants by position, REF and ALT."""
    order = np.argsort(pos, kind="stable")
    placed = pos[order]
    again = np.flatnonzero(placed[1:] == placed[:-1])
    groups = np.split(again, np.flatnonzero(np.diff(again) > 1) + 1) if len(again) else []
    for group in groups:
        some = slice(int(group[0]), int(group[-1]) + 2)
        order[some] = sorted(order[some], key=lambda i: (refs[i], alts[i]))
    return order
