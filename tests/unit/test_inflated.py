"""The window on a file's inflated bytes, held against what went into the file."""

from pathlib import Path

import pysam
import pytest

from tessera.cohort.kernel import block_inflater, library
from tessera.errors import InputError
from tessera.files import inflating
from tessera.files.inflated import InflatedBuffer, InflateMany, inflated

DATA = b"".join(b"%d\n" % (number**3) for number in range(60_000))
WINDOW = 1 << 16


@pytest.fixture
def bgzf(tmp_path: Path) -> Path:
    path = tmp_path / "x.gz"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(DATA)
    return path


@pytest.fixture(params=["block by block", "many at once"])
def many(request: pytest.FixtureRequest) -> InflateMany | None:
    if request.param == "block by block":
        return None
    if library() is None:
        pytest.skip("the kernel was not built")
    found = block_inflater()
    assert found
    return found


def read_whole(path: Path, dropped: int, many: InflateMany | None = None) -> bytes:
    """All bytes; `dropped` of them are forgotten whenever more are read."""
    buffer, found = InflatedBuffer(path, window=WINDOW, inflate_many=many), b""
    while buffer.more():
        gone = min(dropped, buffer.length)
        found += buffer.first(gone)
        buffer.drop(gone)
    return found + buffer.first(buffer.length)


@pytest.mark.parametrize("dropped", [0, 1, 1000, WINDOW])
def test_the_window_grows_and_moves_without_losing_a_byte(
    bgzf: Path, dropped: int, many: InflateMany | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.files.inflated.READ", 1000)
    assert read_whole(bgzf, dropped, many) == b"".join(inflated(bgzf)) == DATA


def test_a_place_leads_to_the_byte_that_has_it(bgzf: Path, many: InflateMany | None) -> None:
    buffer, at = InflatedBuffer(bgzf, window=WINDOW, inflate_many=many), 0
    with pysam.BGZFile(str(bgzf), "rb", None) as file:
        while buffer.more() or buffer.length:
            for byte in (0, buffer.length // 2, buffer.length - 1):
                file.seek(buffer.place(byte))
                assert file.read(1) == DATA[at + byte : at + byte + 1]
            at += buffer.length
            buffer.drop(buffer.length)
    assert at == len(DATA)


def test_reading_begins_at_the_block_that_is_asked_for(bgzf: Path, many: InflateMany | None) -> None:
    first = int.from_bytes(bgzf.read_bytes()[16:18], "little") + 1
    buffer = InflatedBuffer(bgzf, first, inflate_many=many)
    assert buffer.more()
    assert buffer.place(0) == first << 16
    assert DATA.endswith(buffer.first(buffer.length))


def test_without_the_library_s_own_functions_the_same_is_read(bgzf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: object) -> None:
        raise AttributeError

    monkeypatch.setattr(inflating, "Libdeflate", hidden)
    assert inflating.inflater() is inflating._by_copies
    assert read_whole(bgzf, 1000) == DATA


@pytest.mark.parametrize("own", [True, False])
def test_a_changed_byte_is_seen_anywhere(
    bgzf: Path, own: bool, many: InflateMany | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not own:
        monkeypatch.setattr(inflating, "inflater", lambda: inflating._by_copies)
        monkeypatch.setattr("tessera.files.inflated.inflater", lambda: inflating._by_copies)
    whole = bgzf.read_bytes()
    # in what is compressed, the checksum and the length of the first block
    stop = int.from_bytes(whole[16:18], "little") + 1
    for at in (20, stop // 2, stop - 8, stop - 5, stop - 4, stop - 2):
        bgzf.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(InputError):
            read_whole(bgzf, 1000, many)


@pytest.mark.parametrize("cut", [1, 9, 20, 1000])
def test_a_file_that_ends_within_a_block_is_refused(bgzf: Path, cut: int, many: InflateMany | None) -> None:
    whole = bgzf.read_bytes()
    bgzf.write_bytes(whole[: len(whole) - 28 - cut])
    with pytest.raises(InputError):
        read_whole(bgzf, 1000, many)
