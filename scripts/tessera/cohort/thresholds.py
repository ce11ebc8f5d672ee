"""How many people another threshold of the QC policy would move, out of what their decisions rest on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.errors import InputError, Problem
from tessera.schemas.qc_policy import NUMERIC_METRICS

Side = Literal["min", "max"]
SIDES: tuple[Side, ...] = ("min", "max")

#: as the gate writes bounds in DETAILS
BOUNDS = re.compile(r"(?:>= (?P<min>\S+))?(?: and )?(?:<= (?P<max>\S+))?")
#: people whom a threshold shall move, at least, where none is given to try
STEPS = [step * 10**power for power in range(7) for step in (1, 2, 5)]

TRIED = pl.Schema(
    {
        "metric": pl.String,
        "bound": pl.String,
        "now": pl.Float64,
        "then": pl.Float64,
        "counted": pl.Int64,
        "gained": pl.Int64,
        "lost": pl.Int64,
    }
)


@dataclass(frozen=True)
class _Rule:
    """A rule of the policy: its bounds, and of the n people it judged values (NaN: nothing to measure), and whether
    every other rule lets them be counted.
    """

    bounds: dict[Side, float]
    values: npt.NDArray[np.float64]
    otherwise: npt.NDArray[np.bool_]

    def counted(self, bounds: dict[Side, float]) -> npt.NDArray[np.bool_]:
        """(n,) who is counted under these bounds."""
        low, high = bounds.get("min", -np.inf), bounds.get("max", np.inf)
        return self.otherwise & (np.isnan(self.values) | ((self.values >= low) & (self.values <= high)))


def try_thresholds(details: pl.DataFrame, tried: Sequence[tuple[str, Side, float]]) -> pl.DataFrame:
    """TRIED: a row for each threshold, with those who would be counted, and who would be so newly or no more.

    `details` are those of the gate (schemas/decisions). Without `tried`, each bound of the policy is moved to where 1,
    2, 5, 10, 20 ... people would be gained or lost. Raises InputError for a bound that the policy does not have.
    """
    rules = dict(_rules(details))
    problems = [
        Problem("--bound", f"{metric} {side}", f"one of {', '.join(_named(rules)) or 'none: the policy has no bounds'}")
        for metric, side, _ in tried
        if metric not in rules or side not in rules[metric].bounds
    ]
    if problems:
        raise InputError(problems)
    asked = tried or [
        (metric, side, then)
        for metric, rule in rules.items()
        for side in rule.bounds
        for then in _worth_trying(rule, side)
    ]
    total = int(details.group_by("sample").agg(pl.col("passed").all())["passed"].sum())
    rows = [_row(metric, rules[metric], side, then, total) for metric, side, then in asked]
    return pl.DataFrame(rows, schema=TRIED, orient="row")


def _rules(details: pl.DataFrame) -> Iterator[tuple[str, _Rule]]:
    for metric in NUMERIC_METRICS:
        judged = details.filter(pl.col("rule") == f"qc:{metric}")
        found = BOUNDS.fullmatch(judged["threshold"][0] or "") if len(judged) else None
        if found:
            failed = details.filter(~pl.col("passed") & (pl.col("rule") != f"qc:{metric}"))["sample"].unique()
            otherwise = ~judged["sample"].is_in(failed.implode()).to_numpy()
            bounds = {side: float(found[side]) for side in SIDES if found[side]}
            yield metric, _Rule(bounds, _values(judged, metric), otherwise)


def _values(judged: pl.DataFrame, metric: str) -> npt.NDArray[np.float64]:
    """Values of the people judged, NaN where there was nothing to measure."""
    texts = judged["value"].replace("", None)
    values = texts.cast(pl.Float64, strict=False)
    odd = judged.filter(texts.is_not_null() & values.is_null())
    if len(odd):
        sample, value = odd.select("sample", "value").row(0)
        raise InputError([Problem(f"sample {sample}", f"qc:{metric} of {value!r}", "a number")])
    return values.fill_null(float("nan")).to_numpy()


def _named(rules: dict[str, _Rule]) -> list[str]:
    return [f"{metric} {side}" for metric, rule in rules.items() for side in rule.bounds]


def _row(metric: str, rule: _Rule, side: Side, then: float, total: int) -> tuple[object, ...]:
    now_counted, then_counted = rule.counted(rule.bounds), rule.counted(rule.bounds | {side: then})
    gained, lost = int((then_counted & ~now_counted).sum()), int((now_counted & ~then_counted).sum())
    return metric, side, rule.bounds[side], then, total + gained - lost, gained, lost


def _worth_trying(rule: _Rule, side: Side) -> list[float]:
    """Thresholds from the loosest to the tightest, the present one among them."""
    sign = 1 if side == "min" else -1
    now = sign * rule.bounds[side]
    # whom the other bound keeps out does not move
    open_side: dict[Side, float] = {name: bound for name, bound in rule.bounds.items() if name != side}
    movable = rule.counted(open_side) & ~np.isnan(rule.values)
    values = np.sort(sign * rule.values[movable])
    below, above = values[values < now][::-1], values[values >= now]
    looser = [below[step - 1] for step in STEPS if step <= len(below)]
    # to lose the k lowest, the next higher value becomes the bound
    tighter = [
        above[above > above[step - 1]][0] for step in STEPS if step <= len(above) and above[-1] > above[step - 1]
    ]
    return [sign * float(value) for value in sorted({*looser, now, *tighter})]
