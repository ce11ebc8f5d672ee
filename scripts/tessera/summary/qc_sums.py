"""QC sums: the metrics of people as sums of whole numbers, by leaf stratum, which add up and come apart exactly."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tessera.errors import refuse
from tessera.schemas.qc_sums import EDGES, QC_SUMS_VERSION, last_bin, unit_of, width_of
from tessera.schemas.wgs_qc import METRICS
from tessera.summary.algebra import add_counts, not_contained

#: metric -> its value in the standard's last decimal: 30.02 of two decimals is 3002
Scaled = Mapping[str, int]
#: no value is higher: every reader of JSON holds whole numbers up to here exactly
MOST = 2**53 - 1


@dataclass(frozen=True)
class QcSum:
    """A metric of n people: the sum of its scaled values, that of their squares, and bin -> people."""

    n: int
    sum: int
    sum_squares: int
    bins: Mapping[int, int]


#: leaf stratum (or a group of them) and metric -> its sums; those of nobody are not there
QcSums = Mapping[tuple[str, str], QcSum]


def scaled(sample: str, metrics: Mapping[str, float | None]) -> dict[str, int]:
    """The metrics of the standard that were measured of a person, as whole numbers of its last decimal.

    Raises InputError for a value that the metric cannot have.
    """
    found = {}
    for name, metric in METRICS.items():
        value = metrics.get(name)
        if value is None:
            continue
        most = {"%": 100, "fraction": 1}.get(metric.unit, MOST // unit_of(name))
        if not 0 <= value <= most:
            raise refuse(f"sample {sample}", f"{name} is {value}", f"a number from 0 to {most:,}", "Measure it again.")
        # by its digits: in binary 0.285 of two decimals is below the half that it is written as
        found[name] = int((Decimal(repr(value)) * unit_of(name)).to_integral_value())
    return found


def sum_people(people: Iterable[tuple[str, Scaled]]) -> QcSums:
    """The sums of people, each a leaf stratum and what was measured of the person."""
    values: dict[tuple[str, str], list[int]] = {}
    for stratum, metrics in people:
        for metric, value in metrics.items():
            values.setdefault((stratum, metric), []).append(value)
    return {
        key: QcSum(len(found), sum(found), sum(value * value for value in found), _bins(key[1], found))
        for key, found in sorted(values.items())
    }


def _bins(metric: str, values: Sequence[int]) -> dict[int, int]:
    return dict(sorted(Counter(min(value // width_of(metric), last_bin(metric)) for value in values).items()))


def add_qc_sums(terms: Sequence[QcSums], signs: Sequence[int]) -> QcSums:
    """The signed sum, 1 adds and -1 subtracts. Raises InputError when what is subtracted is not contained."""
    total = {}
    for key in sorted({key for term in terms for key in term}):
        of_key = [(term[key], sign) for term, sign in zip(terms, signs, strict=True) if key in term]
        what = f"QC sums of {' '.join(key)}:"
        whole = add_counts([_numbers(one) for one, _ in of_key], [sign for _, sign in of_key], what)
        bins = {int(name.removeprefix("bin ")): count for name, count in whole.items() if name.startswith("bin ")}
        n, values, squares = (whole.get(name, 0) for name in ("n", "sum", "sum_squares"))
        one = QcSum(n, values, squares, bins)
        if whole and list(_impossible(key[1], one)):
            raise not_contained(f"{what} values that nobody has", one.n)
        if whole:
            total[key] = one
    return total


def _numbers(one: QcSum) -> dict[str, int]:
    people = {"n": one.n} | {f"bin {number}": count for number, count in one.bins.items()}
    return people | {"sum": one.sum, "sum_squares": one.sum_squares}


def grouped(sums: QcSums, group_of: Mapping[str, str]) -> QcSums:
    """The sums of groups of leaf strata; `group_of` is stratum -> group."""
    apart = [{(group_of[stratum], metric): one} for (stratum, metric), one in sums.items()]
    return add_qc_sums(apart, [1] * len(apart))


def mean(metric: str, one: QcSum) -> float:
    """The mean, in the metric's unit."""
    return float(Fraction(one.sum, one.n * unit_of(metric)))


def standard_deviation(metric: str, one: QcSum) -> float | None:
    """The standard deviation of a sample (n - 1), in the metric's unit; None of one person."""
    if one.n < 2:
        return None
    squares = one.n * one.sum_squares - one.sum**2
    return math.sqrt(Fraction(squares, one.n * (one.n - 1) * unit_of(metric) ** 2))


def as_document(sums: QcSums) -> dict[str, Any]:
    """The sums as JSON has them, everything in order."""
    strata: dict[str, dict[str, Any]] = {}
    for (stratum, metric), one in sorted(sums.items()):
        bins = {str(number): count for number, count in sorted(one.bins.items())}
        told = {"n": one.n, "sum": one.sum, "sum_squares": one.sum_squares, "bins": bins}
        strata.setdefault(stratum, {})[metric] = told
    return {"schema": QC_SUMS_VERSION, "strata": strata}


def of_document(document: Any) -> QcSums:
    """The sums that JSON says. Raises ValueError where it is not of the shape that `as_document` gives."""
    match document:
        case {"schema": int(version), "strata": dict(strata)} if len(document) == 2 and version == QC_SUMS_VERSION:
            return {
                (stratum, metric): _one_of(told)
                for stratum, metrics in strata.items()
                for metric, told in metrics.items()
            }
    raise ValueError


def _one_of(told: Any) -> QcSum:
    match told:
        case {"n": n, "sum": total, "sum_squares": squares, "bins": dict(bins)}:
            # True is an int, too
            if all(type(number) is int for number in (n, total, squares, *bins.values())):
                return QcSum(n, total, squares, {int(number): count for number, count in bins.items()})
    raise ValueError


def odd_qc_sums(sums: QcSums, people: Mapping[str, int]) -> Iterator[str]:
    """Sentences about sums that no people could give; `people` is stratum -> people counted."""
    for (stratum, metric), one in sums.items():
        where = f"QC sums of {stratum} {metric}"
        if stratum not in people or metric not in EDGES:
            yield f"{where}: a stratum nobody is counted in, or an unknown metric"
        elif one.n > people[stratum]:
            yield f"{where}: {one.n:,} people measured, {people[stratum]:,} counted"
        else:
            yield from (f"{where}: {sentence}" for sentence in _impossible(metric, one))


def _impossible(metric: str, one: QcSum) -> Iterator[str]:
    """What the values of n people could not come to."""
    if one.n < 1 or any(count < 1 for count in one.bins.values()):
        yield "a count below one"
    if sum(one.bins.values()) != one.n or not all(0 <= number <= last_bin(metric) for number in one.bins):
        yield "bins that are not those of its people"
    lowest = {number: number * width_of(metric) for number in one.bins}
    highest = {number: _highest(metric, number) for number in one.bins}
    for name, power, total in (("sum", 1, one.sum), ("sum of squares", 2, one.sum_squares)):
        least, most = (sum(n * end[at] ** power for at, n in one.bins.items()) for end in (lowest, highest))
        if not least <= total <= most:
            yield f"a {name} that is none of its bins"
    if one.n * one.sum_squares < one.sum**2:
        yield "a sum of squares that is too low for its sum"
    # a whole number and its square are both odd or both even
    elif (one.n == 1 and one.sum_squares > one.sum**2) or (one.sum + one.sum_squares) % 2:
        yield "a sum of squares that does not go with its sum"


def _highest(metric: str, number: int) -> int:
    """The highest value in a bin."""
    if number < last_bin(metric):
        return (number + 1) * width_of(metric) - 1
    return EDGES[metric][1] * width_of(metric) if last_bin(metric) < EDGES[metric][1] else MOST
