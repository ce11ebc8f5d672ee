"""The bench of the alignment chain runs the rules' own commands, on reads that are what it says they are."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "scale"))

import chain


def test_the_commands_are_those_of_the_rules_with_nothing_left_to_fill_in(tmp_path: Path) -> None:
    command = chain.chain(tmp_path)
    for part in ("cutadapt --interleaved", "bwa mem -p -t 2", "samtools fixmate", "samtools sort", "samtools markdup"):
        assert part in command
    assert not any(name in command for name in ("{input", "{output", "{params", "{log", "{threads", "{resources"))
    with pytest.raises(KeyError):
        chain.filled("a {word.of:q}", {})


def test_pairs_are_of_the_reference_and_face_each_other(tmp_path: Path) -> None:
    sequence = chain.reference(np.random.default_rng(1), 20_000)
    chain.write_pairs(tmp_path, sequence, np.random.default_rng(2), 200)
    text = sequence.tobytes()
    turned = text[::-1].translate(bytes.maketrans(b"ACGT", b"TGCA"))
    first, second = (gzip.decompress((tmp_path / f"reads_{mate}.fq.gz").read_bytes()).split(b"\n") for mate in (1, 2))
    # one read in three has no wrong base; its first bases lie before any adapter
    where = [(one[:60] in text, other[:60] in turned) for one, other in zip(first[1::4], second[1::4], strict=True)]
    assert len(where) == 200
    forward = sum(one and other for one, other in where)
    assert 40 < forward < 100
