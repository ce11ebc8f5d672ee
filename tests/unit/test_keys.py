"""Texts of alleles by number: sorted as texts are, and forgotten without changing those that are kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.cohort.keys import Words

ALLELES = st.lists(st.text("ACGT", min_size=1, max_size=3), min_size=1, max_size=20)


@given(ALLELES)
def test_numbers_are_put_in_the_order_of_their_texts(texts: list[str]) -> None:
    words = Words()
    found, places = words.in_order(np.array([words.number(text) for text in texts], np.int32))
    assert found == sorted(set(texts))
    assert [found[place] for place in places] == texts


@given(ALLELES, ALLELES, ALLELES)
def test_what_is_kept_keeps_its_text(kept: list[str], also: list[str], gone: list[str]) -> None:
    words = Words()
    numbers = [np.array([words.number(text) for text in texts], np.int32) for texts in (gone, kept, also)]
    for texts, new in zip((kept, also), words.keep(*numbers[1:]), strict=True):
        found, places = words.in_order(new)
        assert [found[place] for place in places] == texts
        assert [words.number(text) for text in texts] == new.tolist()
