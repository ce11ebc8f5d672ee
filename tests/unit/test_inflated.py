"""The window on a file's inflated bytes, held against what went into the file."""

from pathlib import Path

import pysam
import pytest

from tessera.errors import InputError
from tessera.files import inflating
from tessera.files.inflated import InflatedBuffer, inflated

DATA = b"".join(b"%d\n" % (number**3) for number in range(60_000))
WINDOW = 1 << 16


@pytest.fixture
def bgzf(tmp_path: Path) -> Path:
    path = tmp_path / "x.gz"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(DATA)
    return path


def read_whole(path: Path, dropped: int) -> bytes:
    """All bytes; `dropped` of them are forgotten whenever more are read."""
    buffer, found = InflatedBuffer(path, window=WINDOW), b""
    while buffer.more():
        gone = min(dropped, buffer.length)
        found += buffer.first(gone)
        buffer.drop(gone)
    return found + buffer.first(buffer.length)


@pytest.mark.parametrize("dropped", [0, 1, 1000, WINDOW])
def test_the_window_grows_and_moves_without_losing_a_byte(bgzf: Path, dropped: int) -> None:
    assert read_whole(bgzf, dropped) == b"".join(inflated(bgzf)) == DATA


def test_without_the_library_s_own_functions_the_same_is_read(bgzf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hidden(_: object) -> None:
        raise AttributeError

    monkeypatch.setattr(inflating, "Libdeflate", hidden)
    assert inflating.inflater() is inflating._by_copies
    assert read_whole(bgzf, 1000) == DATA


@pytest.mark.parametrize("own", [True, False])
def test_a_changed_byte_is_seen_anywhere(bgzf: Path, own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not own:
        monkeypatch.setattr(inflating, "inflater", lambda: inflating._by_copies)
        monkeypatch.setattr("tessera.files.inflated.inflater", lambda: inflating._by_copies)
    whole = bgzf.read_bytes()
    # in what is compressed, the checksum and the length of the first block
    stop = int.from_bytes(whole[16:18], "little") + 1
    for at in (20, stop // 2, stop - 8, stop - 5, stop - 4, stop - 2):
        bgzf.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with pytest.raises(InputError):
            read_whole(bgzf, 1000)
