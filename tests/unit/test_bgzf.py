"""BGZF as written: cut alike however the bytes come, and read by htslib and gzip."""

import gzip
from pathlib import Path

import pysam
import pytest

from tessera.files.bgzf import BLOCK, BgzfWriter, write_lines


def compressed(path: Path, pieces: list[bytes]) -> bytes:
    with path.open("wb") as file, BgzfWriter(file) as writer:
        for piece in pieces:
            writer.write(piece)
    return path.read_bytes()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 77])
@pytest.mark.parametrize("piece", [1000, BLOCK, 2 * BLOCK + 1])
def test_pieces_do_not_change_the_bytes(tmp_path: Path, size: int, piece: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    whole = compressed(tmp_path / "whole", [data])
    assert compressed(tmp_path / "pieces", [data[at : at + piece] for at in range(0, size, piece)]) == whole
    assert gzip.decompress(whole) == data
    with pysam.BGZFile(str(tmp_path / "whole"), "r", None) as file:
        assert file.read() == data


def test_what_cannot_be_compressed_fits_a_block(tmp_path: Path) -> None:
    import random

    data = random.Random(1).randbytes(2 * BLOCK)
    assert gzip.decompress(compressed(tmp_path / "x", [data])) == data


def test_a_failure_is_passed_on_and_no_end_is_written(tmp_path: Path) -> None:
    def lines() -> list[bytes]:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_lines(tmp_path / "x.gz", (line for line in lines()))
    assert list(tmp_path.iterdir()) == []
