"""QC sums: whole numbers by the standard's decimals, bins by their edges, and sums that no nation overflows."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import InputError
from tessera.schemas.qc_sums import EDGES
from tessera.schemas.wgs_qc import METRICS
from tessera.summary.qc_sums import (
    MOST,
    QcSum,
    QcSums,
    add_qc_sums,
    mean,
    odd_qc_sums,
    scaled,
    standard_deviation,
    sum_people,
)

#: metric -> the highest value that it can have
HIGHEST = {"%": 100, "fraction": 1}


def test_every_metric_of_the_standard_has_edges_that_are_whole_numbers_of_its_decimals() -> None:
    assert list(EDGES) == list(METRICS)
    for name, (width, bins) in EDGES.items():
        steps = Fraction(str(width)) * 10 ** METRICS[name].decimals
        assert steps.denominator == 1
        if METRICS[name].unit in HIGHEST:
            assert Fraction(str(width)) * bins == HIGHEST[METRICS[name].unit]


@given(data=st.data(), name=st.sampled_from(sorted(METRICS)))
def test_a_value_as_the_standard_writes_it_is_its_digits(data: st.DataObject, name: str) -> None:
    unit = 10 ** METRICS[name].decimals
    number = data.draw(st.integers(0, HIGHEST.get(METRICS[name].unit, MOST // unit) * unit))
    written = Decimal(number) / unit
    # what has more digits than a float is none of a metric that was measured
    if Decimal(repr(float(written))) == written:
        assert scaled("ann", {name: float(written)}) == {name: number}


@given(data=st.data(), name=st.sampled_from(sorted(METRICS)))
def test_a_value_is_in_the_bin_whose_edges_it_lies_between(data: st.DataObject, name: str) -> None:
    width, bins = (Fraction(str(of)) for of in EDGES[name])
    most = HIGHEST.get(METRICS[name].unit)
    value = data.draw(st.integers(0, int((most or 3 * width * bins) * 10 ** METRICS[name].decimals)))
    (one,) = sum_people([("EE_F", {name: value})]).values()
    ((number, count),) = one.bins.items()
    exact = Fraction(value, 10 ** METRICS[name].decimals)
    assert count == 1
    if number == bins:
        assert most is None
        assert exact >= width * bins
    else:
        assert width * number <= exact < width * (number + 1) or exact == most == width * (number + 1)


@pytest.mark.parametrize("value", [-0.01, math.nan, math.inf, 100.01])
def test_what_a_metric_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"sample ann: pct_reads_mapped is .*; expected a number from 0 to 100"):
        scaled("ann", {"pct_reads_mapped": value})


def test_what_was_not_measured_and_what_the_standard_has_not_adds_nothing() -> None:
    assert scaled("ann", {"count_snvs": None, "call_rate": 0.9, "mad_autosome_coverage": 0}) == {
        "mad_autosome_coverage": 0
    }
    assert sum_people([("EE_F", {}), ("EE_M", {})]) == {}
    (none,) = sum_people([("EE_F", {"mad_autosome_coverage": 0})] * 3).values()
    assert (none.n, none.sum, none.sum_squares, none.bins) == (3, 0, 0, {0: 3})


def test_sums_of_a_million_people_are_exact() -> None:
    low, high = 999_999_999_989, 1_000_000_000_039
    sums: QcSums = sum_people([("EE_F", {"yield_bp_q30": low}), ("EE_F", {"yield_bp_q30": high})])
    for _ in range(20):
        sums = add_qc_sums([sums, sums], [1, 1])
    one = sums["EE_F", "yield_bp_q30"]
    half = 2**20
    assert (one.n, one.sum, one.sum_squares) == (2 * half, half * (low + high), half * (low**2 + high**2))
    assert one.sum_squares > 2**64
    assert mean("yield_bp_q30", one) == (low + high) / 2
    # 25 to both sides of the mean
    assert standard_deviation("yield_bp_q30", one) == pytest.approx(
        25 * math.sqrt(2 * half / (2 * half - 1)), rel=1e-12
    )
    assert list(odd_qc_sums(sums, {"EE_F": 2 * half})) == []


def test_squares_of_whole_numbers_are_odd_where_their_sum_is() -> None:
    values = (2001, 2002)
    squares = sum(value**2 for value in values)
    for more, said in ((0, []), (1, ["a sum of squares that does not go with its sum"])):
        sums = {("EE_F", "pct_reads_mapped"): QcSum(2, sum(values), squares + more, {20: 2})}
        found = [sentence.partition(": ")[2] for sentence in odd_qc_sums(sums, {"EE_F": 2})]
        assert found == said
