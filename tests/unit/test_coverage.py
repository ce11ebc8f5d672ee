"""Which record decides at a base, by hand; and by the rule written once more, for random evidence."""

import random
from dataclasses import dataclass

import numpy as np
import pytest

from tessera.cohort.coverage import Coverage, Evidence, Runs
from tessera.cohort.engine import members_of
from tessera.genome.build import Region
from tessera.summary.people import People

#: a woman and two men of XA, a person of XB without known sex
PEOPLE = People(("a", "b", "c", "d"), ("XX", "XY", "XY", "NA"), ("XA_F", "XA_M", "XA_M", "XB_U"))
AUTOSOME = [Region(0, 30, "autosome")]
X = [Region(0, 10, "x_par"), Region(10, 30, "x")]
Y = [Region(0, 10, "y_par"), Region(10, 30, "y")]
EVERYBODY, NOBODY, ANNE = "abcd", "", "a"

#: a base's n_dip, n_hap, an_unknown of XA_F, XA_M, XB_U
Base = tuple[tuple[int, int, int], ...]


MEMBERS = members_of(PEOPLE.names, PEOPLE)


@dataclass(frozen=True)
class Said:
    """One record: variant or reference block, its bases, the names of those called."""

    is_variant: bool
    start: int
    end: int
    called: str


def evidence(kind: str, start: int, end: int, called: str) -> Said:
    """`v` for a variant record, `r` for a reference block."""
    return Said(kind == "v", start, end, called)


def told(said: Said, regions: list[Region]) -> Evidence:
    """As the count tells it to the coverage."""
    copies = PEOPLE.expected_ploidy(next(region.kind for region in regions if said.start < region.end))
    called = np.array([name in said.called for name in PEOPLE.names])
    places = (np.array([place]) for place in (said.start, said.end, said.start))
    counts = [MEMBERS.by_stratum(np.flatnonzero(called & (copies == number)))[None] for number in (2, 1)]
    bits = np.packbits(called, bitorder="little")[None]
    return Evidence(np.array([said.is_variant]), *places, *counts, bits)


def coverage_of(
    regions: list[Region], spans: list[tuple[int, int]] | None = None, *, unknown_outside: bool = False
) -> Coverage:
    return Coverage(PEOPLE, regions, MEMBERS, spans or (), unknown_outside=unknown_outside)


def each_base(runs: Runs) -> list[Base]:
    table = np.stack([runs.n_dip, runs.n_hap, runs.an_unknown], axis=2)
    spread = np.repeat(table, runs.ends - runs.starts, axis=0)
    return [tuple(tuple(int(n) for n in cell) for cell in base) for base in spread]


def called(*found: Said, end: int = 30) -> str:
    """For each base of an autosome how many people are called, as digits."""
    coverage = coverage_of(AUTOSOME)
    for some in found:
        coverage.add(told(some, AUTOSOME))
    return "".join(str(sum(cell[0] for cell in base)) for base in each_base(coverage.resolve(end)))


def test_a_base_without_a_record_is_called_for_nobody() -> None:
    assert called(end=5) == "00000"


def test_a_record_answers_for_its_bases_and_no_others() -> None:
    assert called(evidence("r", 2, 5, EVERYBODY), end=8) == "00444000"


@pytest.mark.parametrize("order", [1, -1])
def test_a_variant_record_decides_before_a_reference_block_whichever_starts_later(order: int) -> None:
    records = [evidence("v", 2, 6, ANNE), evidence("r", 0, 8, EVERYBODY), evidence("r", 4, 8, EVERYBODY)]
    assert called(*records[::order], end=9) == "441111440"


@pytest.mark.parametrize("order", [1, -1])
def test_among_variant_records_the_latest_start_decides_even_when_it_fails(order: int) -> None:
    records = [evidence("v", 0, 8, EVERYBODY), evidence("v", 3, 5, NOBODY), evidence("v", 4, 6, ANNE)]
    assert called(*records[::order], end=9) == "444011440"


@pytest.mark.parametrize("order", [1, -1])
def test_among_reference_blocks_the_latest_start_decides(order: int) -> None:
    records = [evidence("r", 0, 8, NOBODY), evidence("r", 3, 5, EVERYBODY)]
    assert called(*records[::order], end=9) == "000440000"


@pytest.mark.parametrize("order", [1, -1])
def test_of_variant_records_that_start_together_all_must_pass_where_they_lie(order: int) -> None:
    records = [evidence("v", 2, 4, "abc"), evidence("v", 2, 8, "ab"), evidence("v", 2, 6, "bcd")]
    # bases 2 and 3: b; 4 and 5: b; 6 and 7: the longest alone, a and b
    assert called(*records[::order], end=9) == "001111220"


def test_records_that_start_together_do_not_bind_one_that_starts_later() -> None:
    records = [evidence("v", 2, 8, NOBODY), evidence("v", 2, 4, EVERYBODY), evidence("v", 3, 5, EVERYBODY)]
    assert called(*records, end=9) == "000440000"


def test_bases_of_the_callable_spans_are_called_for_everybody_but_under_a_record() -> None:
    coverage = coverage_of(AUTOSOME, [(1, 6), (8, 9)])
    coverage.add(told(evidence("v", 3, 7, ANNE), AUTOSOME))
    found = "".join(str(sum(cell[0] for cell in base)) for base in each_base(coverage.resolve(10)))
    assert found == "0441111040"


def test_bases_without_a_record_are_unknown_in_alleles_when_the_file_does_not_say() -> None:
    coverage = coverage_of(AUTOSOME, unknown_outside=True)
    coverage.add(told(evidence("v", 1, 2, "bd"), AUTOSOME))
    unknown, at_record, again = each_base(coverage.resolve(3))
    assert unknown == again == ((0, 0, 2), (0, 0, 4), (0, 0, 2))
    assert at_record == ((0, 0, 0), (1, 0, 0), (1, 0, 0))


def test_unknown_alleles_of_x_follow_ploidy_and_leave_the_unknown_sex_out() -> None:
    bases = each_base(coverage_of(X, unknown_outside=True).resolve(30))
    assert bases[9] == ((0, 0, 2), (0, 0, 4), (0, 0, 0))
    assert bases[10] == ((0, 0, 2), (0, 0, 2), (0, 0, 0))


def test_evidence_across_the_par_border_is_diploid_within_and_haploid_beyond() -> None:
    coverage = coverage_of(X)
    # the count cuts a record where ploidy changes
    for start, end in ((8, 10), (10, 13)):
        coverage.add(told(evidence("r", start, end, EVERYBODY), X))
    bases = each_base(coverage.resolve(30))
    assert bases[9] == ((1, 0, 0), (2, 0, 0), (0, 0, 0))
    assert bases[10] == ((1, 0, 0), (0, 2, 0), (0, 0, 0))


def test_callable_spans_are_cut_at_the_par_of_y_where_nobody_is_counted() -> None:
    bases = each_base(coverage_of(Y, [(8, 12)]).resolve(30))
    assert bases[9] == ((0, 0, 0), (0, 0, 0), (0, 0, 0))
    assert bases[10] == ((0, 0, 0), (0, 2, 0), (0, 0, 0))


def by_the_rule(records: list[Said], spans: list[tuple[int, int]], at: int) -> int:
    """How many are called at a base of an autosome: the rule of precedence, in its own words."""
    over = [e for e in records if e.start <= at < e.end]
    if not over:
        return len(PEOPLE.names) if any(start <= at < end for start, end in spans) else 0
    over = [e for e in over if e.is_variant] or over
    latest = max(e.start for e in over)
    return len(set.intersection(*(set(e.called) for e in over if e.start == latest)))


@pytest.mark.parametrize("seed", range(40))
def test_random_evidence_resolved_in_any_steps_obeys_the_rule_at_every_base(seed: int) -> None:
    chance = random.Random(seed)
    records = []
    for _ in range(chance.randint(1, 12)):
        start = chance.randrange(28)
        names = [name for name in PEOPLE.names if chance.random() < 0.6]
        records.append(evidence(chance.choice("vr"), start, chance.randint(start + 1, 30), "".join(names)))
    spans = chance.choice([[], [(3, 9), (15, 22)]])
    coverage = coverage_of(AUTOSOME, spans)
    found: list[int] = []
    done = 0
    for stop in sorted({*chance.sample(range(1, 30), 3), 30}):
        # a record is handed in before the bases are resolved that it may start at
        for some in records:
            if done <= some.start < stop:
                coverage.add(told(some, AUTOSOME))
        found += [
            sum(cell[0] for cell in base) for base in each_base(coverage.resolve(stop, [chance.randint(done, stop)]))
        ]
        done = stop
    assert found == [by_the_rule(records, spans, at) for at in range(30)]
