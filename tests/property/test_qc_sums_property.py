"""For any metrics of any people: QC sums are sums over people, in any order and grouping, and come apart again."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from random_people import METRICS, Person, people, qc_sums_of
from tessera.errors import InputError
from tessera.schemas.wgs_qc import METRICS as STANDARD
from tessera.summary.qc_sums import (
    QcSums,
    add_qc_sums,
    as_document,
    grouped,
    mean,
    odd_qc_sums,
    of_document,
    standard_deviation,
    sum_people,
)


def added(*terms: QcSums) -> QcSums:
    return add_qc_sums(terms, [1] * len(terms))


def taken(whole: QcSums, part: QcSums) -> QcSums:
    return add_qc_sums([whole, part], [1, -1])


@given(group=people(at_most=8))
def test_the_sums_of_people_are_those_of_a_plain_loop(group: list[Person]) -> None:
    assert sum_people((one.stratum, one.measured) for one in group) == qc_sums_of(group)


@given(a=people(), b=people(), c=people())
def test_addition_commutes_associates_and_has_an_identity_and_an_inverse(
    a: list[Person], b: list[Person], c: list[Person]
) -> None:
    first, second, third = qc_sums_of(a), qc_sums_of(b), qc_sums_of(c)
    assert added(first, second) == added(second, first) == qc_sums_of([*a, *b])
    assert added(added(first, second), third) == added(first, added(second, third)) == added(first, second, third)
    assert added(first, {}) == taken(first, {}) == added(first) == first
    assert taken(added(first, second), second) == first
    assert taken(first, first) == {}


@given(group=people(at_most=8), cuts=st.lists(st.integers(0, 8), max_size=4), order=st.randoms(use_true_random=False))
def test_any_split_and_order_gives_the_same_text(group: list[Person], cuts: list[int], order: Any) -> None:
    whole = as_document(qc_sums_of(group))
    order.shuffle(group)
    edges = [0, *sorted(min(cut, len(group)) for cut in cuts), len(group)]
    parts = [qc_sums_of(group[start:end]) for start, end in pairwise(edges)]
    found = as_document(added(*parts))
    assert repr(found) == repr(whole)
    assert of_document(found) == qc_sums_of(group)


@given(group=people(at_least=1, at_most=8), by_sex=st.booleans())
def test_mean_and_standard_deviation_are_those_of_the_people(group: list[Person], by_sex: bool) -> None:
    group_of = {one.stratum: one.stratum[-1] if by_sex else "Total" for one in group}
    found = grouped(qc_sums_of(group), group_of)
    values: dict[tuple[str, str], list[Fraction]] = {}
    for one in group:
        for metric, value in one.measured.items():
            exact = Fraction(value, 10 ** STANDARD[metric].decimals)
            values.setdefault((group_of[one.stratum], metric), []).append(exact)
    assert set(found) == set(values)
    for (name, metric), exact_values in values.items():
        one_sum = found[name, metric]
        assert one_sum.n == len(exact_values)
        assert mean(metric, one_sum) == float(statistics.mean(exact_values))
        if len(exact_values) > 1:
            expected = statistics.stdev(exact_values)
            assert standard_deviation(metric, one_sum) == pytest.approx(expected, rel=1e-15)
        else:
            assert standard_deviation(metric, one_sum) is None


def numbers_of(group: Sequence[Person]) -> dict[str, int]:
    strata = [one.stratum for one in group]
    return {stratum: strata.count(stratum) for stratum in strata}


@given(group=people(at_most=8))
def test_what_people_give_is_never_odd(group: list[Person]) -> None:
    assert list(odd_qc_sums(qc_sums_of(group), numbers_of(group))) == []


@given(whole=people(at_most=5), other=people(at_least=1, at_most=1))
def test_somebody_who_is_not_in_cannot_be_taken_out(whole: list[Person], other: list[Person]) -> None:
    assume(other[0].measured)
    # alone in a bin, so that nobody else can stand for the person
    metric = next(iter(other[0].measured))
    _, width, last = METRICS[metric]
    bin_of = min(other[0].measured[metric] // width, last)
    mine = [one for one in whole if one.stratum == other[0].stratum and metric in one.measured]
    assume(all(min(one.measured[metric] // width, last) != bin_of for one in mine))
    with pytest.raises(InputError, match="left after the subtraction"):
        taken(qc_sums_of(whole), qc_sums_of(other))
