"""What each ALT of a batch is: a variant in its normal form, one that came before, or none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tessera.cohort.sites import Bytes, IntArray, Sites
from tessera.cohort.tally import CLASSES, COUNTED, NON_REF_ALLELE, NOT_COUNTED
from tessera.errors import refuse
from tessera.genome.alleles import TRANSITIONS, concrete, cut, is_sequence, normalise

#: how far left-alignment may carry a variant; a longer repeat is refused, not cut
LOOKBACK = 10_000
#: (contig, start, end) -> bases, or None when alleles are taken as they are
ReferenceBases = Callable[[str, int, int], str] | None
Key = tuple[int, str, str]
Numbers = npt.NDArray[np.int32]

_BASES = np.zeros(256, np.bool_)
_BASES[[ord(base) for base in "ACGTN"]] = True
TRANSITION, TRANSVERSION, INSERTION, DELETION, OTHER = range(len(CLASSES))
_SNV_KIND = np.full((256, 256), TRANSVERSION, np.uint8)
for _pair in TRANSITIONS:
    _SNV_KIND[ord(_pair[0]), ord(_pair[1])] = TRANSITION


class Words:
    """Texts of alleles by number: a letter by its code, a longer text by the number that it got when it came."""

    def __init__(self) -> None:
        self._texts = [chr(code) for code in range(256)]
        self._numbers = {text: code for code, text in enumerate(self._texts)}

    def number(self, text: str) -> int:
        """The number of a text."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self._texts)
            self._texts.append(text)
        return found

    def in_order(self, numbers: Numbers) -> tuple[list[str], Numbers]:
        """The texts among these, sorted, and the place of each of these among them."""
        used = sorted(self._occurring(numbers), key=self._texts.__getitem__)
        places = np.zeros(len(self._texts), np.int32)
        places[used] = np.arange(len(used))
        return [self._texts[number] for number in used] or [""], places[numbers]

    def keep(self, *held: Numbers) -> list[Numbers]:
        """Forget all other texts than these; gives their new numbers."""
        kept, texts = Words(), self._texts
        new = np.arange(len(texts), dtype=np.int32)
        for number in self._occurring(np.concatenate(held)):
            new[number] = kept.number(texts[number])
        self._texts, self._numbers = kept._texts, kept._numbers
        return [new[numbers] for numbers in held]

    def _occurring(self, numbers: Numbers) -> list[int]:
        occurs = np.zeros(len(self._texts), np.bool_)
        occurs[numbers] = True
        return np.flatnonzero(occurs).tolist()


def in_groups(placed: IntArray) -> npt.NDArray[np.bool_]:
    """Which of these sorted positions are there more than once."""
    same = np.zeros(len(placed) + 1, np.bool_)
    same[1:-1] = placed[1:] == placed[:-1]
    return same[1:] | same[:-1]


@dataclass
class BatchKeys:
    """By ALT of a batch: `use` and `kind` as the engines read them, `pos` of the variant (0: none), its `ref` and `alt`
    as numbers of Words, `again` where it came before, `symbolic` where it is not written in bases; by record: `low` and
    `high`, how far its variants reach (1-based)."""

    use: Bytes
    kind: Bytes
    pos: IntArray
    ref: Numbers
    alt: Numbers
    again: npt.NDArray[np.bool_]
    symbolic: npt.NDArray[np.bool_]
    low: IntArray
    high: IntArray


@dataclass(frozen=True)
class _Seen:
    """Variants, in file order."""

    pos: IntArray
    ref: Numbers
    alt: Numbers

    def and_of(self, keys: BatchKeys, alts: IntArray) -> "_Seen":
        """These, and those of some ALTs of a batch."""
        return _Seen(
            np.concatenate([self.pos, keys.pos[alts]]),
            np.concatenate([self.ref, keys.ref[alts]]),
            np.concatenate([self.alt, keys.alt[alts]]),
        )

    def since(self, pos: int) -> "_Seen":
        """Those from `pos` on."""
        kept = self.pos >= pos
        return _Seen(self.pos[kept], self.ref[kept], self.alt[kept])

    def repeated(self) -> list[int]:
        """Which of them came before."""
        order = np.argsort(self.pos, kind="stable")
        some = np.sort(order[in_groups(self.pos[order])])
        seen: set[tuple[int, int, int]] = set()
        found = []
        keys = zip(self.pos[some].tolist(), self.ref[some].tolist(), self.alt[some].tolist(), strict=True)
        for at, key in zip(some.tolist(), keys, strict=True):
            if key in seen:
                found.append(at)
            seen.add(key)
        return found


class Keys:
    """The variants of one contig, record by record in file order; remembers those that may come again."""

    def __init__(self, contig: str, bases: ReferenceBases) -> None:
        self._contig, self._bases = contig, bases
        self.words = Words()
        self._seen = _Seen(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))

    def forget_but(self, ref: Numbers, alt: Numbers) -> tuple[Numbers, Numbers]:
        """Forget the words that occur neither here nor among those that may come again; gives the new numbers."""
        ref, alt, seen_ref, seen_alt = self.words.keep(ref, alt, self._seen.ref, self._seen.alt)
        self._seen = _Seen(self._seen.pos, seen_ref, seen_alt)
        return ref, alt

    def of(self, sites: Sites, start: int, stop: int, placed: npt.NDArray[np.bool_]) -> BatchKeys:
        """The keys of records [start, stop); those not `placed` (stop - start,) have none."""
        records, alts = len(sites.pos), len(sites.alt_length)
        owner = np.repeat(np.arange(records), np.diff(sites.first))
        keys = BatchKeys(
            np.zeros(alts, np.uint8), np.zeros(alts, np.uint8), np.zeros(alts, np.int64),
            sites.ref_base[owner].astype(np.int32), sites.alt_base.astype(np.int32), np.zeros(alts, np.bool_),
            np.zeros(alts, np.bool_), sites.pos.copy(), sites.pos.copy(),
        )  # fmt: skip
        chosen = np.arange(sites.first[start], sites.first[stop])
        chosen = chosen[placed[owner[chosen] - start]]
        snv = (sites.ref_length[owner[chosen]] == 1) & (sites.alt_length[chosen] == 1) & _BASES[sites.alt_base[chosen]]
        simple = chosen[snv]
        self._refuse_ref_as_alt(sites, owner, simple)
        keys.pos[simple] = sites.pos[owner[simple]]
        keys.use[simple] = COUNTED
        keys.kind[simple] = _SNV_KIND[keys.ref[simple], keys.alt[simple]]
        keys.use[chosen[sites.non_ref[chosen]]] = NON_REF_ALLELE
        others = chosen[~(snv | sites.non_ref[chosen])]
        self._write(sites, keys, owner[others], others)
        self._find_again(keys, chosen, int(sites.pos[stop - 1]))
        return keys

    def _refuse_ref_as_alt(self, sites: Sites, owner: IntArray, simple: IntArray) -> None:
        for alt in simple[sites.alt_base[simple] == sites.ref_base[owner[simple]]]:
            raise self._is_ref(int(sites.pos[owner[alt]]), sites.alts(np.array([alt]))[0])

    def _is_ref(self, pos: int, alt: str) -> Exception:
        return refuse(f"{self._contig}:{pos} ALT", f"{cut(alt)}, which is REF", "an allele that is not REF")

    def _write(self, sites: Sites, keys: BatchKeys, records: IntArray, alts: IntArray) -> None:
        """The keys of ALTs that are not an SNV as they stand."""
        number = self.words.number
        written = []
        texts = zip(sites.pos[records].tolist(), sites.refs(records), sites.alts(alts), strict=True)
        for at, (pos, ref, alt) in enumerate(texts):
            if alt == "*":
                continue
            if not alt.isascii():
                raise refuse(f"{self._contig}:{pos} ALT", cut(alt), "an allele in ASCII")
            if not is_sequence(alt):
                keys.symbolic[alts[at]] = True
                continue
            pos, ref, alt = self._normal(pos, ref, alt)
            written.append((at, pos, number(ref), number(alt), _kind(ref, alt)))
        if written:
            of, pos, ref, alt, kind = np.array(written, np.int64).T
            owner, of = records[of], alts[of]
            keys.use[of], keys.kind[of] = COUNTED, kind
            keys.pos[of], keys.ref[of], keys.alt[of] = pos, ref, alt
            np.minimum.at(keys.low, owner, pos)
            np.maximum.at(keys.high, owner, pos)

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

    def _find_again(self, keys: BatchKeys, chosen: IntArray, last_pos: int) -> None:
        """Mark the ALTs whose variant came before. `last_pos`: no record comes before it any more."""
        variants = chosen[keys.use[chosen] == COUNTED]
        before = len(self._seen.pos)
        seen = self._seen.and_of(keys, variants)
        again = variants[[at - before for at in seen.repeated() if at >= before]]
        keys.again[again], keys.use[again] = True, NOT_COUNTED
        self._seen = seen.since(last_pos if self._bases is None else last_pos - LOOKBACK)


def _kind(ref: str, alt: str) -> int:
    if len(ref) != len(alt):
        return INSERTION if len(alt) > len(ref) else DELETION
    if len(ref) > 1:
        return OTHER
    return TRANSITION if ref + alt in TRANSITIONS else TRANSVERSION
