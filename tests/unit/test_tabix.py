"""The index that is gathered while lines are written tells htslib what its own index would."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pysam
import pytest

from tessera.errors import InputError
from tessera.files.bgzf import write_indexed_vcf
from tessera.files.tabix import LONGEST
from tessera.files.vcf_index import read_index

Line = tuple[str, int, int]
HEADER = ["##fileformat=VCFv4.3", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]


@dataclass
class Some:
    contig: str
    start: np.ndarray[tuple[int], np.dtype[np.int64]]
    end: np.ndarray[tuple[int], np.dtype[np.int64]]
    text: bytes


def a_file(random: Random) -> list[Line]:
    """Contig, start and end of each record: dense and sparse stretches, some long alleles, on three contigs."""
    found = []
    for contig in ("chr1", "chr2", "chrM"):
        at, end = random.choice((0, 5, 1_000_000, LONGEST - 4_000_000)), LONGEST - 200_000
        for _ in range(random.choice((1, 50, 3000))):
            at += random.choice((0, 0, 1, 1, 7, 300, 40_000))
            size = random.choice((1, 1, 1, 1, 1, 2, 30, 20_000, 150_000)) if random.random() < 0.06 else 1
            if at < end:
                found.append((contig, at, at + size))
    return found


def as_records(lines: list[Line], random: Random) -> Iterator[Some]:
    """As lines that may be long, in batches of one contig."""
    while lines:
        contig = lines[0][0]
        most = random.randint(1, 700)
        some = [line for line in lines[:most] if line[0] == contig]
        lines = lines[len(some) :]
        text = ""
        for _, start, end in some:
            info = f"X={start}-{end}{'x' * random.choice((0, 90))}"
            text += f"{contig}\t{start + 1}\t.\t{'A' * (end - start)}\tT\t.\tPASS\t{info}\n"
        yield Some(contig, np.array([line[1] for line in some]), np.array([line[2] for line in some]), text.encode())


@pytest.mark.parametrize("seed", range(4))
def test_any_region_is_found_as_by_an_index_of_htslib(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    lines = a_file(random)
    ours = tmp_path / "ours.vcf.gz"
    write_indexed_vcf(ours, HEADER, as_records(lines, random))
    theirs = tmp_path / "theirs.vcf.gz"
    shutil.copy(ours, theirs)
    pysam.tabix_index(str(theirs), preset="vcf", force=True)
    with pysam.TabixFile(str(ours)) as file, pysam.TabixFile(str(theirs)) as other:
        assert file.contigs == other.contigs == list(dict.fromkeys(line[0] for line in lines))
        for _ in range(80):
            contig, begin, _ = random.choice(lines)
            start = max(0, begin + random.choice((-200_000, -20_000, -1, 0, 1, 20_000)))
            stop = start + random.choice((1, 2, 16_384, 1_000_000, LONGEST - start))
            found = list(file.fetch(contig, start, stop))
            assert found == list(other.fetch(contig, start, stop))
            assert len(found) == sum(c == contig and s < stop and e > start for c, s, e in lines)
    for contig, index in (read_index(ours, []) or {}).items():
        known = (read_index(theirs, []) or {})[contig]
        assert (index.bases == known.bases).all()
        assert (index.offsets == known.offsets).all()


def test_an_index_of_nothing_is_read(tmp_path: Path) -> None:
    write_indexed_vcf(tmp_path / "x.vcf.gz", HEADER, [])
    with pysam.TabixFile(str(tmp_path / "x.vcf.gz")) as file:
        assert (file.contigs, list(file.header)) == ([], HEADER)


def test_what_no_tbi_reaches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a variant behind what the index can hold; expected contigs of at most"):
        write_indexed_vcf(tmp_path / "x.vcf.gz", HEADER, as_records([("chr1", LONGEST, LONGEST + 1)], Random(1)))
    assert list(tmp_path.iterdir()) == []
