"""Sums of blocks held as tables, by the sum of a part."""

from collections.abc import Sequence

from tessera.summary.algebra import add
from tessera.summary.blocks import Block
from tessera.summary.parts import Part


def combine(terms: Sequence[tuple[Block, int]]) -> Block:
    """The signed sum of blocks of one window; the sum of none is the empty block."""
    return add([(Part.of_block(block), sign) for block, sign in terms]).block if terms else Block.empty()
