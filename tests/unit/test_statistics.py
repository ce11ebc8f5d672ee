"""Filtering frequencies by their definition, grpmax among made-up populations, and what is not known."""

from math import exp, factorial, fsum

import numpy as np
import polars as pl
import pytest

from tessera.genome.build import Build, Contig, Par
from tessera.summary.blocks import Block
from tessera.summary.manifest import Manifest
from tessera.summary.rules import counted_build, counting_rules
from tessera.summary.statistics import filtering_frequency, grpmax, statistics, with_filtering_frequencies

BUILD = Build(
    "some",
    (Contig("1", "autosome", 500), Contig("X", "x", 300), Contig("Y", "y", 200), Contig("MT", "mt", 100)),
    (Par("PAR1", (0, 60), (0, 50)),),
)
PEOPLE = {"EE_F": 3, "EE_M": 4, "FI_M": 2, "FI_U": 5}
MANIFEST = Manifest(counting_rules(BUILD, sequences=None, mask={}), people=PEOPLE)


def block(*rows: tuple[object, ...]) -> Block:
    """Rows of contig, pos, stratum, n_dip, n_hap, n_het, n_homalt, n_hemi, an_unknown; A to C, all of them listed."""
    empty = Block.empty()
    whole = [(contig, pos, "A", "C", stratum, 9, *counts) for contig, pos, stratum, *counts in rows]
    return Block(pl.DataFrame(whole, schema=empty.variants.schema, orient="row"), empty.an_track, empty.histograms)


def values(table: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return table.select(columns).rows()


@pytest.mark.parametrize("confidence", [0.95, 0.99])
@pytest.mark.parametrize(("ac", "an"), [(2, 20), (3, 1_000_000), (10, 112), (60, 5000)])
def test_at_a_filtering_frequency_as_many_alleles_are_just_too_rare(ac: int, an: int, confidence: float) -> None:
    """Whiffin et al. 2017: seeing AC or more is then Poisson's 1 - confidence."""
    mean = float(filtering_frequency(np.array([ac]), np.array([an]), confidence)[0]) * an
    fewer = fsum(exp(-mean) * mean**k / factorial(k) for k in range(ac))
    assert 1 - fewer == pytest.approx(1 - confidence, rel=1e-9)


def test_one_allele_or_none_is_no_evidence_of_a_frequency() -> None:
    assert filtering_frequency(np.array([0, 1]), np.array([10, 10]), 0.95).tolist() == [0, 0]


def test_a_build_comes_back_out_of_the_rules() -> None:
    assert counted_build(MANIFEST.rules) == BUILD


@pytest.mark.parametrize(
    ("contig", "pos", "expected"),
    [
        ("1", 10, {"EE_F": 3, "EE_M": 4, "FI_M": 2, "FI_U": 5}),
        ("X", 60, {"EE_F": 3, "EE_M": 4, "FI_M": 2, "FI_U": 0}),  # the last base of the PAR
        ("X", 61, {"EE_F": 3, "EE_M": 4, "FI_M": 2, "FI_U": 0}),
        ("Y", 50, {"EE_F": 0, "EE_M": 0, "FI_M": 0, "FI_U": 0}),
        ("Y", 51, {"EE_F": 0, "EE_M": 4, "FI_M": 2, "FI_U": 0}),
        ("MT", 1, {"EE_F": 3, "EE_M": 4, "FI_M": 2, "FI_U": 5}),
    ],
)
def test_call_rate_is_of_the_people_who_have_copies_there(contig: str, pos: int, expected: dict[str, int]) -> None:
    rows = block(*((contig, pos, stratum, 0, int(n > 0), 0, 0, 0, 0) for stratum, n in expected.items()))
    found = values(statistics(rows, MANIFEST, ("population", "sex")), "stratum", "n_people", "call_rate")
    assert found == [(stratum, n, 1 / n if n else None) for stratum, n in expected.items()]
    [(total, rate)] = values(statistics(rows, MANIFEST), "n_people", "call_rate")
    called = sum(n > 0 for n in expected.values())
    assert total == sum(expected.values())
    assert rate == (called / total if total else None)


def test_what_an_interval_leaves_open_is_null_and_what_is_known_of_diploids_is_not() -> None:
    rows = block(("1", 5, "EE_F", 3, 0, 1, 1, 0, 0), ("1", 5, "FI_M", 0, 0, 0, 0, 0, 4))
    found = statistics(rows, MANIFEST).row(0, named=True)
    assert (found["AC"], found["AN"], found["AN_unknown"]) == (3, 6, 4)
    open_ = ("call_rate", "faf95", "faf99", "grpmax", "AC_grpmax", "AF_grpmax", "fafmax_faf95_max")
    assert [found[name] for name in open_] == [None] * len(open_)
    assert found["HWE"] == pytest.approx(1)
    known = statistics(rows, MANIFEST, not_in_grpmax=["FI"]).row(0, named=True)
    assert (known["grpmax"], known["AC_grpmax"], known["AN_grpmax"]) == ("EE", 3, 6)


def test_haploid_people_take_no_part_in_the_tests() -> None:
    rows = block(("X", 99, "EE_F", 3, 0, 2, 0, 0, 0), ("X", 99, "EE_M", 0, 4, 0, 0, 3, 0))
    by_sex = statistics(rows, MANIFEST, ("sex",))
    total = statistics(rows, MANIFEST)
    names = ("HWE", "ExcHet", "inbreeding_coeff")
    # of 3 XX with two alleles both are apart with 4/5; expected heterozygotes 2 x 1/3 x 2/3 x 3 = 4/3
    assert values(by_sex, *names)[0] == pytest.approx((1, 4 / 5, 1 - 2 / (4 / 3)))
    assert values(by_sex, *names)[1:] == [(None, None, None), (None, None, None)]
    assert values(total, *names) == values(by_sex, *names)[:1]
    heteroplasmic = block(("MT", 9, "EE_F", 0, 3, 2, 0, 1, 0))
    assert values(statistics(heteroplasmic, MANIFEST), "AC", *names) == [(3, None, None, None)]


def test_inbreeding_is_null_where_one_allele_is_all_there_is() -> None:
    rows = block(
        ("1", 1, "EE_F", 3, 0, 0, 0, 0, 0), ("1", 2, "EE_F", 3, 0, 0, 3, 0, 0), ("1", 3, "EE_F", 3, 0, 0, 1, 0, 0)
    )
    assert values(statistics(rows, MANIFEST), "inbreeding_coeff") == [(None,), (None,), (1,)]


def populations(*rows: tuple[str, int, int]) -> pl.DataFrame:
    """Population, AC and AN of one variant."""
    names = {"stratum": pl.String, "AC": pl.Int64, "AN": pl.Int64}
    constant = {"contig": pl.lit("1"), "pos": pl.lit(1), "ref": pl.lit("A"), "alt": pl.lit("C")}
    af = pl.when(pl.col("AN") > 0).then(pl.col("AC") / pl.col("AN"))
    frame = pl.DataFrame(rows, schema=names, orient="row").with_columns(
        af.alias("AF"), pl.lit(0).alias("n_homalt"), pl.lit(0).alias("AN_unknown"), **constant
    )
    return with_filtering_frequencies(frame)


@pytest.mark.parametrize(
    ("rows", "left_out", "expected"),
    [
        # the highest AF may be of two alleles, the highest filtering frequency of many
        ([("AA", 2, 20), ("BB", 80, 1000), ("CC", 0, 30)], [], ("AA", 2, 20, "BB")),
        ([("AA", 2, 20), ("BB", 80, 1000), ("CC", 0, 30)], ["AA"], ("BB", 80, 1000, "BB")),
        ([("CC", 1, 2), ("BB", 2, 4), ("AA", 0, 0)], [], ("BB", 2, 4, "BB")),  # a tie: the first by name
        ([("AA", 1, 20), ("BB", 0, 20)], [], ("AA", 1, 20, None)),
        ([("AA", 1, 20), ("BB", 0, 20)], ["AA"], (None, None, None, None)),
        ([("AA", 0, 0)], [], (None, None, None, None)),
    ],
)
def test_grpmax_is_the_highest_frequency_and_fafmax_the_highest_filtering_frequency(
    rows: list[tuple[str, int, int]], left_out: list[str], expected: tuple[object, ...]
) -> None:
    apart = populations(*rows)
    found = grpmax(apart, (), left_out)
    columns = ("grpmax", "AC_grpmax", "AN_grpmax", "fafmax_faf95_max_gen_anc")
    assert values(found, *columns) == [expected]
    faf = dict(apart.select("stratum", "faf95").iter_rows())
    assert values(found, "fafmax_faf95_max") == [(faf[expected[3]] if expected[3] else None,)]


def test_an_empty_block_has_the_columns_of_a_full_one() -> None:
    full = statistics(block(("1", 5, "EE_F", 3, 0, 1, 1, 0, 0)), MANIFEST, ("sex",))
    empty = statistics(Block.empty(), MANIFEST, ("sex",))
    assert empty.schema == full.schema
    assert empty.is_empty()
