"""The window that leaves out what no count reads: what it holds, against bcftools; what is counted from it, against the
window on everything, whatever is damaged."""

import gzip
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from small_blocks import block, header_of, small_blocks
from tessera.cohort import kernel_reader
from tessera.errors import InputError
from tessera.files import bcf_window
from tessera.files.bcf import read_bcf_header, read_field_head
from tessera.files.bcf_window import BcfWindow
from tessera.files.inflated import BGZF_END, InflatedBuffer
from tessera.schemas.mask import ADJ, GENOTYPES, Mask
from test_kernel import BCFTOOLS, Result, _outcome, assert_same, counted
from wide_cohort import WideCohort, wide_cohort

READ = ("GQ", "DP", "MIN_DP", "AD", "GT")
#: orders of the fields of a record; PL is read by none
ORDERS = ["GT:AD:DP:GQ:PL", "GT:PL:AD:DP:GQ", "GT:GQ:PL:DP", "GT:PL"]


def plain_bcf(text: Path) -> bytes:
    """A VCF as the bytes of a BCF that is not compressed."""
    done = [sys.executable, BCFTOOLS, "view", "--no-version", "-Ou", text]
    return gzip.decompress(subprocess.run(done, check=True, capture_output=True).stdout)


@contextmanager
def thinning(people: int = 1, size: int = 0) -> Iterator[None]:
    """As if so few people, and such short records, were worth it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcf_window, "MANY", people)
        patch.setattr(bcf_window, "LONG", size)
        # nor is more inflated than the header when it is looked for
        patch.setattr(kernel_reader, "PIECE", 1)
        yield


def window_on(path: Path, wanted: tuple[str, ...], size: int) -> tuple[BcfWindow, int, bytes]:
    """A window on a file's records, with how many people, and its header."""
    buffer = InflatedBuffer(path)
    buffer.more()
    found = read_bcf_header(buffer.first(buffer.length))
    assert found is not None
    header, first = found
    with pysam.VariantFile(str(path)) as file:
        people = len(file.header.samples)
    return BcfWindow(path, buffer.place(first), header, people, wanted, size), people, buffer.first(first)


def records_in(window: BcfWindow, at_once: int) -> Iterator[tuple[int, bytes]]:
    """Place and bytes of each record; `at_once` of them are dropped together."""
    while window.length or window.more():
        at = taken = 0
        while taken < at_once:
            if window.length < at + 8 or window.length < at + (
                size := 8 + sum(struct.unpack("<II", window.first(at + 8)[at:]))
            ):
                if at or not window.more():
                    break
                continue
            yield window.place(at), window.first(at + size)[at:]
            at, taken = at + size, taken + 1
        if not at:
            return
        window.drop(at)


@pytest.mark.parametrize("wanted", [READ, ("GT",), ("DP", "GT")], ids=" ".join)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("longest", "size", "at_once"), [(40, 300, 1), (300, 2000, 3), (5000, 1 << 20, 7)])
def test_the_window_holds_what_bcftools_leaves_of_each_record(
    order: str, wanted: tuple[str, ...], longest: int, size: int, at_once: int, tmp_path: Path
) -> None:
    text, path = tmp_path / "cohort.vcf", tmp_path / "cohort.bcf"
    text.write_text(wide_cohort(longest + len(order), 30, 25, order).text)
    whole = plain_bcf(text)
    path.write_bytes(small_blocks(whole, header_of(whole), 1, longest))
    with thinning():
        window, _, header = window_on(path, wanted, size)
        found = list(records_in(window, at_once))
    (tmp_path / "thin.bcf").write_bytes(header + b"".join(record for _, record in found))
    left = ",".join(f"FORMAT/{name}" for name in wanted)
    ours = [sys.executable, BCFTOOLS, "view", "--no-version", "-H", tmp_path / "thin.bcf"]
    theirs = [sys.executable, BCFTOOLS, "annotate", "--no-version", "-x", f"^{left}", text]
    lines = subprocess.run(theirs, check=True, capture_output=True, text=True).stdout.splitlines()
    assert subprocess.run(ours, check=True, capture_output=True, text=True).stdout.splitlines() == [
        line for line in lines if not line.startswith("#")
    ]
    # and who begins to read at a record's place finds it there
    with pysam.BGZFile(str(path), "r", None) as file:
        at = len(header)
        for place, _ in found:
            file.seek(place)
            assert file.read(60) == whole[at : at + 60]
            at += 8 + sum(struct.unpack_from("<II", whole, at))
    assert at == len(whole)


def test_blocks_of_fields_that_nobody_reads_are_not_inflated(tmp_path: Path) -> None:
    path, cohort = tmp_path / "cohort.bcf", wide_cohort(3, 200, 8, "GT:AD:DP:GQ:PL")
    blocks = [block(data) for data in _pieces_of(cohort, tmp_path, 100)]
    path.write_bytes(b"".join([*blocks, BGZF_END]))
    expected = counted(path, cohort, ADJ, "kernel")
    unread, places = 0, [sum(map(len, blocks[:at])) for at in range(len(blocks))]
    for place, one in zip(places, blocks, strict=True):
        damaged = bytearray(b"".join([*blocks, BGZF_END]))
        damaged[place + len(one) - 8] ^= 1  # of the checksum
        path.write_bytes(damaged)
        assert isinstance(_outcome(path, cohort, "kernel"), InputError)
        with thinning():
            outcome = _outcome(path, cohort, "kernel")
        if not isinstance(outcome, InputError):
            assert_same(outcome, expected)
            unread += 1
    # PL is three or more of five to eight bytes of a person
    assert 0.3 < unread / len(blocks) < 0.7


def _pieces_of(cohort: WideCohort, folder: Path, size: int) -> list[bytes]:
    """The header of a cohort's BCF, and its records in pieces of so many bytes."""
    text = folder / "cohort.vcf"
    text.write_text(cohort.text)
    whole = plain_bcf(text)
    begin = header_of(whole)
    return [whole[:begin], *(whole[at : at + size] for at in range(begin, len(whole), size))]


@pytest.mark.parametrize("end", ["block", "head", "record", "blocks"])
def test_a_file_that_ends_early_is_refused_wherever_it_is_cut(end: str, tmp_path: Path) -> None:
    path, cohort = tmp_path / "cohort.bcf", wide_cohort(4, 60, 6, "GT:AD:DP:GQ:PL")
    pieces = _pieces_of(cohort, tmp_path, 150)
    blocks = [block(data) for data in pieces]
    for number in range(2, len(blocks) - 1):
        kept = b"".join(blocks[:number])
        damaged = {
            "block": kept + blocks[number][:-9] + BGZF_END,
            "head": kept + b"\x1f\x8b\x08\x05" + blocks[number][4:] + BGZF_END,
            "record": kept + block(pieces[number][:-40]) + BGZF_END,
            "blocks": kept + b"".join(blocks[number + 1 :]) + BGZF_END,
        }  # fmt: skip
        path.write_bytes(damaged[end])
        with thinning(), pytest.raises(InputError):
            counted(path, cohort, ADJ, "kernel")


class Damaged:
    """A BCF of small blocks, of which bytes are changed; and which of them no count reads."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.cohort: WideCohort = wide_cohort(seed, 12, 8, random.Random(seed).choice(ORDERS))
        text = folder / "cohort.vcf"
        text.write_text(self.cohort.text)
        self.whole, self.path, self.seed = plain_bcf(text), folder / "cohort.bcf", seed
        self.first = header_of(self.whole)
        with pysam.VariantFile(str(text)) as file:
            self.names = {file.header.formats[name].id: name for name in file.header.formats}
        self.heads: list[int] = []
        self.unread, self.glanced = {}, {}
        for mask, wanted in ((ADJ, {"GT", "AD", "DP", "GQ"}), (GENOTYPES, {"GT"})):
            self.unread[mask], self.glanced[mask] = self._unread(wanted)

    def _unread(self, wanted: set[str]) -> tuple[set[int], set[int]]:
        """Where the values of other fields lie, and whole fields behind the one that follows all that are wanted;
        and where the head of that one lies, and n_fmt, which counts them as well."""
        found, glanced = set[int](), set[int]()
        at = self.first
        while at < len(self.whole):
            shared, individual, *_, fields = struct.unpack_from("<IIiiifII", self.whole, at)
            place, end, missing = at + 8 + shared, at + 8 + shared + individual, set(wanted)
            first = True
            for _ in range(fields >> 24):
                begin = place
                _, number, kind = self.whole[place : place + 3]
                length, values = kind >> 4, place + 3
                if length == 15:
                    length, values = self.whole[values + 1], values + 2
                place = values + length * (1, 1, 2, 4)[kind & 15] * 12
                self.heads += range(begin, values)
                if not missing:
                    glanced.add(at + 31)
                    found |= set(range(values if first else begin, place))
                    glanced |= set(range(begin, values)) if first else set()
                    first = False
                elif self.names[number] not in wanted:
                    found |= set(range(values, place))
                missing.discard(self.names[number])
            assert place == end
            at = end
        return found, glanced

    def outcomes(self, mask: Mask, changes: dict[int, int]) -> tuple[Result | InputError, Result | InputError]:
        """With the window, and without."""
        damaged = bytearray(self.whole)
        for at, value in changes.items():
            damaged[at] = value
        self.path.write_bytes(small_blocks(bytes(damaged), self.first, self.seed, 60))
        plain = _outcome(self.path, self.cohort, "kernel", mask)
        with thinning():
            return _outcome(self.path, self.cohort, "kernel", mask), plain


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> list[Damaged]:
    return [Damaged(tmp_path_factory.mktemp("damaged"), seed) for seed in range(6)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_in_the_same_words_or_counted_alike(damaged: list[Damaged], data: st.DataObject) -> None:
    file, mask = data.draw(st.sampled_from(damaged)), data.draw(st.sampled_from([ADJ, GENOTYPES]))
    at = data.draw(st.one_of(st.integers(file.first, len(file.whole) - 1), st.sampled_from(file.heads)))
    value = data.draw(st.sampled_from([0, 1, 2, 7, 0x11, 0x12, 0x21, 0x71, 0x80, 0x81, 0xF1, 0xF7, 0xFF]))
    found, expected = file.outcomes(mask, {at: value})
    whole = file.outcomes(mask, {})[1]
    if at in file.glanced[mask] and isinstance(expected, InputError) and not isinstance(found, InputError):
        # what tells of fields that nobody reads: whatever it says, the count is that of the whole file
        expected = whole
    if at in file.unread[mask]:
        expected = whole
    if isinstance(expected, InputError):
        assert isinstance(found, InputError)
        assert str(found) == str(expected)
    else:
        assert not isinstance(found, InputError), found
        assert_same(found, expected)


def test_genotypes_without_alleles_are_refused(tmp_path: Path) -> None:
    file = Damaged(tmp_path, 4)
    for kind in (0x01, 0x05, 0x27):
        for outcome in file.outcomes(GENOTYPES, {file.heads[2]: kind}):
            assert isinstance(outcome, InputError)


def test_letters_where_numbers_are_declared_are_refused(tmp_path: Path) -> None:
    # of GQ, for all its values take a byte
    file = Damaged(tmp_path, 4)
    gq = bytes([0x11, next(number for number, name in file.names.items() if name == "GQ"), 0x11])
    damaged = [at for at in range(file.first, len(file.whole)) if file.whole[at : at + 3] == gq]
    assert damaged
    for at in damaged:
        for outcome in file.outcomes(ADJ, {at + 2: 0x17}):
            assert isinstance(outcome, InputError)
            assert "no numbers in GQ; expected numbers" in str(outcome)
        assert all(isinstance(outcome, InputError) for outcome in file.outcomes(ADJ, {at + 2: 0x07}))


@given(data=st.binary(max_size=14))
def test_the_head_of_a_field_is_read_as_the_specification_has_it(data: bytes) -> None:
    found = read_field_head(data)
    if found is not None:
        key, _, values, size = found
        assert 0 < values <= min(11, len(data))
        assert size >= 0
        assert -(2**31) <= key < 2**31


def test_heads_of_fields_of_every_kind() -> None:
    # key 5; two 8-bit numbers, then twenty 16-bit ones, whose length stands behind the type, then letters
    assert read_field_head(b"\x11\x05\x21") == (5, 1, 3, 2)
    assert read_field_head(b"\x12\x05\x01\xf2\x11\x14") == (261, 2, 6, 40)
    assert read_field_head(b"\x13\x05\x00\x00\x00\xf7\x12\x00\x01") == (5, 7, 9, 256)
    assert read_field_head(b"\x11\x05\x00") == (5, 0, 3, 0)
    for broken in (
        b"",
        b"\x11",
        b"\x11\x05",
        b"\x21\x05\x05\x21",
        b"\x15\x05\x21",
        b"\x11\x05\x24",
        b"\x11\x05\xf2\x11",
    ):
        assert read_field_head(broken) is None
    assert read_field_head(b"\x11\x05\xf1\x11\xff") is None
