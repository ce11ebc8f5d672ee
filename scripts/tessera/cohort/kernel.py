"""The compiled engine: how the kernel of kernel.c is called."""

import ctypes
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tessera.cohort.sites import Asked, Bytes, IntArray
from tessera.cohort.tally import BINS, Counts, Membership
from tessera.files.inflated import Inflated
from tessera.files.inflating import Libdeflate, inflater
from tessera.files.vcf import Record, upper
from tessera.genome.alleles import NON_REF

if TYPE_CHECKING:
    from tessera.cohort.gvcf import Blocks

LIBRARY = Path(__file__).with_name("libkernel.so")
#: records of a batch, and ALTs
RECORDS, ALTS = 8192, 16384
NO_VALUE, NOT_READ = -1, -2
#: blocks of a BGZF that are inflated in one call
BLOCKS_AT_ONCE = 256
SCANNED: tuple[tuple[str, type[np.generic]], ...] = (
    ("line", np.int64), ("line_end", np.int64), ("body", np.int64), ("ref", np.int64), ("format", np.int64),
    ("pos", np.int32), ("ref_length", np.int32), ("first_allele", np.int32), ("passes", np.int32),
    ("status", np.int32), ("end", np.int64), ("alt", np.int64), ("alt_length", np.int32),
)  # fmt: skip
#: the highest value that the kernel counts, ints of a person who is not 0/0, and cells of GQ by DP
MAX_VALUE, ODD, CELLS = 32766, 6, (BINS + 1) ** 2
#: people more than there are, for whom scratch of the kernel has room
SLACK = 8
RULE_ARRAYS = (
    "stratum", "copies", "present", "present_bits", "min_dp", "cell", "sizes", "gq", "dp", "min_depth", "ok", "odd",
    "places", "n_called", "n_gq", "sum_gq", "n_dp", "sum_dp", "pairs",
)  # fmt: skip
#: arrays of kernel_gvcf.h: of a batch's lines, and of the runs they come to
BLOCKS: tuple[tuple[str, type[np.generic]], ...] = (
    ("line", np.int64), ("other_line", np.int64), ("end", np.int64), ("pos", np.int32), ("gq", np.int32),
    ("depth", np.int32), ("kind", np.uint8), ("passes", np.uint8), ("ref", np.uint8),
)  # fmt: skip
RUNS: tuple[tuple[str, type[np.generic]], ...] = (
    ("start", np.int64), ("end", np.int64), ("since", np.int64), ("copies", np.uint8),
)  # fmt: skip
#: what a run of the AN track counts
TRACK_COUNTS = ("n_dip", "n_hap", "an_unknown")
#: field of Counts -> whether it has a row for each record (1), for each ALT (2), or neither
ROWS_OF = {
    "n_dip": 1, "n_hap": 1, "called": 1, "n_het": 2, "n_homalt": 2, "n_hemi": 2, "carriers": 2, "histograms": 0,
    "tallies": 0,
}  # fmt: skip


class _Scan(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("capacity", "allele_capacity", "records", "alleles", "consumed")),
        *((name, ctypes.c_void_p) for name, _ in SCANNED),
    ]


class _Rules(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_int32)
            for name in (
                "people",
                "strata",
                "mitochondrial",
                "min_gq",
                "min_ab",
                "asks_depth",
                "everybody_diploid",
                "by_record",
                "gq_key",
                "dp_key",
                "min_dp_key",
                "ad_key",
                "gt_key",
            )
        ),
        *((name, ctypes.c_void_p) for name in RULE_ARRAYS),
    ]


class _Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ROWS_OF]


class BlocksStruct(ctypes.Structure):
    """Blocks of kernel_gvcf.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in
          ("capacity", "other_capacity", "lines", "others", "consumed", "other_length")),
        *((name, ctypes.c_void_p) for name, _ in BLOCKS), ("other", ctypes.c_void_p),
    ]  # fmt: skip


class BlockRulesStruct(ctypes.Structure):
    """BlockRules of kernel_gvcf.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("start", "end", "regions")),
        *((name, ctypes.c_void_p) for name in ("borders", "copies")),
        *((name, ctypes.c_int32) for name in ("min_gq", "asks_depth", "min_dp", "min_dp_haploid")),
    ]


class BlockRunsStruct(ctypes.Structure):
    """BlockRuns of kernel_gvcf.h."""

    _fields_ = [*((name, ctypes.c_void_p) for name, _ in RUNS), ("runs", ctypes.c_int64)]


class TrackStruct(ctypes.Structure):
    """Track of kernel_track.h."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("strata", "rows", "end")),
        *((name, ctypes.c_void_p) for name in ("start", "until", "stratum", *TRACK_COUNTS, "open", "here")),
    ]


class OverlapStruct(ctypes.Structure):
    """OverlapState of kernel_gvcf.h."""

    _fields_ = [(name, ctypes.c_int64) for name in ("start", "end", "once", "twice", "none", "several")]


class _Inflation(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("capacity", "blocks", "consumed", "written")),
        *((name, ctypes.c_void_p) for name in ("from_", "to", "state", "decompress", "crc32")),
    ]


@cache
def library() -> ctypes.CDLL | None:
    """The kernel, or None where it was not built, or built from another source."""
    try:
        loaded = ctypes.CDLL(str(LIBRARY))
        names = "tessera_layout", "tessera_blocks_layout", "tessera_inflation_layout", "tessera_track_layout"
        layouts = [getattr(loaded, name) for name in names]
        for function in (*layouts, loaded.tessera_join_blocks):
            function.restype = ctypes.c_int64
        measured = [layout() for layout in layouts]
    except (OSError, AttributeError):
        return None
    blocks = BlocksStruct, BlockRulesStruct, BlockRunsStruct, OverlapStruct
    expected = (_Scan, _Rules, _Counts), blocks, (_Inflation,), (TrackStruct,)
    if measured != [sum(1000**i * ctypes.sizeof(of) for i, of in enumerate(structures)) for structures in expected]:
        return None
    loaded.tessera_use_avx2(1)
    return loaded


def kernel() -> ctypes.CDLL:
    """The kernel, where it was built."""
    loaded = library()
    assert loaded is not None
    return loaded


class BlockInflater:
    """Inflates many blocks of a BGZF in one call; see InflateMany."""

    def __init__(self, libdeflate: Libdeflate) -> None:
        self._libdeflate = libdeflate  # it holds what the addresses lead to
        self._places, self._starts = np.empty((2, BLOCKS_AT_ONCE), np.int64)
        arrays = (array.ctypes.data for array in (self._places, self._starts))
        self._state = _Inflation(BLOCKS_AT_ONCE, 0, 0, 0, *arrays, *libdeflate.addresses)

    def __call__(self, source: int, size: int, target: int, room: int, enough: int) -> Inflated | None:
        pointer, number, state = ctypes.c_void_p, ctypes.c_int64, self._state
        if not kernel().tessera_inflate(
            pointer(source), number(size), pointer(target), number(room), number(enough), ctypes.byref(state)
        ):
            return None
        blocks = slice(state.blocks)
        return Inflated(state.consumed, state.written, self._starts[blocks], self._places[blocks])


def block_inflater() -> BlockInflater | None:
    """What inflates many blocks in one call; None where libdeflate keeps its functions to itself."""
    one = inflater()
    return BlockInflater(one) if isinstance(one, Libdeflate) else None


class KernelRules:
    """The rules as the kernel reads them, made once for a region; they hold its scratch memory as well."""

    def __init__(self, members: Membership) -> None:
        self.members = members
        self._region: Asked | None = None

    def of(self, region: Asked, keys: Sequence[int]) -> _Rules:
        """The rules of a region; `keys` are the file's."""
        if self._region is not region:
            self._region = region
            self._rules, self._arrays = _rules(self.members, region, keys)
        return self._rules


class KernelSites(ABC):
    """Records that the kernel found in `held`, the inflated bytes of a file; `place` tells where in the file a byte
    lies. Text and BCF have this in common: the scanned columns, and the call of the kernel."""

    contig: str
    #: what kernel_gvcf.h took apart; `pos` and all else are then of the other records
    blocks: "Blocks | None" = None
    kernel_count = ""

    def __init__(self, rules: "KernelRules", held: Bytes, place: Callable[[int], int]) -> None:
        self._rules, self._held, self._place = rules, held, place
        self._scanned = {name: np.empty(ALTS if "alt" in name else RECORDS + 1, kind) for name, kind in SCANNED}
        self._scan = _Scan(RECORDS, ALTS, **{name: array.ctypes.data for name, array in self._scanned.items()})
        self.keys = [NO_VALUE] * 5

    def _take_scan(self) -> None:
        records, alts = self._scan.records, self._scan.alleles
        self.consumed: int = self._scan.consumed
        found = self._scanned
        self.pos = found["pos"][:records].astype(np.int64)
        self.end = found["end"][:records]
        self.first = found["first_allele"][: records + 1].astype(np.int64)
        self.ref_length = found["ref_length"][:records].astype(np.int64)
        self.ref_base = _upper(self._held[found["ref"][:records]])
        self.alt_length = found["alt_length"][:alts].astype(np.int64)
        self.alt_base = _upper(self._held[found["alt"][:alts]])
        self.non_ref = np.zeros(alts, np.bool_)
        for name in NON_REF:
            alike = np.flatnonzero((self.alt_length == len(name)) & (self.alt_base == ord("<")))
            letters = self._held[found["alt"][alike, None] + np.arange(len(name))]
            self.non_ref[alike] = (letters == np.frombuffer(name.encode(), np.uint8)).all(axis=1)

    @abstractmethod
    def record(self, record: int) -> Record:
        """A record, read again slowly."""

    @property
    def odd(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._scanned["status"][: len(self.pos)] != 0, np.bool_)

    @property
    def positions(self) -> IntArray:
        return self.pos if self.blocks is None else self.blocks.pos

    @property
    def ends(self) -> IntArray:
        return self.end if self.blocks is None else self.blocks.end

    def place(self, record: int) -> int:
        """The virtual offset of a record, by its number in `positions`; as long as the batch is the last read."""
        return self._place(int(self._scanned["line"][record]) if self.blocks is None else self.blocks.offset(record))

    def refs(self, records: IntArray) -> list[str]:
        return [text.decode("latin-1").upper() for text in self._texts("ref", records)]

    def alts(self, alts: IntArray) -> list[str]:
        return [upper(text.decode("utf-8", "surrogateescape")) for text in self._texts("alt", alts)]

    def _texts(self, column: str, chosen: IntArray) -> Iterator[bytes]:
        starts = self._scanned[column][chosen]
        ends = starts + self._scanned[f"{column}_length"][chosen]
        held = self._held.data
        return (held[start:end].tobytes() for start, end in zip(starts.tolist(), ends.tolist(), strict=True))

    def count(self, start: int, stop: int, use: Bytes, kind: Bytes, region: Asked, tallies: IntArray) -> Counts:
        members = self._rules.members
        alts = int(self.first[start])
        counts = Counts.zeros(stop - start, int(self.first[stop]) - alts, members.width, members.labels, tallies)
        rules = self._rules.of(region, self.keys)
        # the kernel numbers rows as the batch does
        shift = {1: start, 2: alts}
        into = _Counts(
            *(
                getattr(counts, name).ctypes.data - shift.get(of, 0) * getattr(counts, name).strides[0]
                for name, of in ROWS_OF.items()
            )
        )
        getattr(kernel(), self.kernel_count)(
            ctypes.c_void_p(self._held.ctypes.data), ctypes.byref(self._scan), ctypes.c_int64(start),
            ctypes.c_int64(stop), ctypes.c_void_p(use.ctypes.data), ctypes.c_void_p(kind.ctypes.data),
            ctypes.byref(rules), ctypes.byref(into),
        )  # fmt: skip
        return counts


def _upper(letters: Bytes) -> Bytes:
    """Upper case of letters; other bytes stay."""
    small = (letters >= ord("a")) & (letters <= ord("z"))
    return np.where(small, letters - 32, letters).astype(np.uint8)


def _rules(members: Membership, region: Asked, keys: Sequence[int]) -> tuple[_Rules, dict[str, npt.NDArray[Any]]]:
    """The rules as the kernel reads them, and the arrays they point to, which must live as long."""
    n, mask = members.width, region.mask
    stratum = np.full(n, NO_VALUE, np.int32)
    stratum[members.columns] = members.strata
    copies = np.zeros(n, np.uint8)
    copies[members.columns] = region.copies
    sizes = np.zeros((members.labels, 3), np.int64)
    np.add.at(sizes, (members.strata, region.copies), 1)
    asks = mask.min_dp is not None and mask.min_dp_haploid is not None
    min_dp = np.where(copies == 1, mask.min_dp_haploid or 0, mask.min_dp or 0)
    present = (copies > 0).astype(np.uint8)
    arrays: dict[str, npt.NDArray[Any]] = {
        "stratum": stratum, "copies": copies, "present": present,
        "present_bits": np.packbits(present, bitorder="little"),
        "min_dp": np.minimum(min_dp, MAX_VALUE + 1).astype(np.int16),
        "cell": np.maximum(stratum, 0) * CELLS, "sizes": sizes,
        **{name: np.empty(n + SLACK, np.int16) for name in ("gq", "dp", "min_depth")},
        "ok": np.empty(n, np.uint8), "odd": np.empty((n, ODD), np.int32), "places": np.empty(n + SLACK, np.int32),
        **{name: np.zeros(n, np.uint16) for name in ("n_called", "n_gq", "sum_gq", "n_dp", "sum_dp")},
        "pairs": np.zeros((members.labels, CELLS), np.uint32),
    }  # fmt: skip
    rules = _Rules(
        people=n, strata=members.labels, mitochondrial=region.mitochondrial,
        min_gq=NO_VALUE if mask.min_gq is None else min(mask.min_gq, MAX_VALUE + 1),
        min_ab=NO_VALUE if mask.min_ab is None else round(1000 * mask.min_ab), asks_depth=asks,
        everybody_diploid=bool((region.copies == 2).all()), by_record=region.by_record,
        **dict(zip(("gq_key", "dp_key", "min_dp_key", "ad_key", "gt_key"), keys, strict=True)),
        **{name: arrays[name].ctypes.data for name in RULE_ARRAYS},
    )  # fmt: skip
    return rules, arrays
