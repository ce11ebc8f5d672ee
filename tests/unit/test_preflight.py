"""What a merge says before it adds: what use the sum permits, whether its AN is known, and what each rule asks."""

from itertools import combinations

import pytest

from tessera.genome.build import Build, Contig
from tessera.genome.digests import refget, seqcol
from tessera.schemas.data_use import broadest_allowed
from tessera.summary.lineage import Lineage, Source
from tessera.summary.manifest import Manifest
from tessera.summary.preflight import preflight
from tessera.summary.rules import counting_rules
from tessera.summary.spelling import commonly_spelt, contig_names

#: code -> kinds of research that it permits, by the definitions of the Data Use Ontology
PERMITTED = {
    "DUO:0000004": {"disease", "biomedical", "ancestry", "general", "any"},
    "DUO:0000042": {"disease", "biomedical", "ancestry", "general"},
    "DUO:0000006": {"disease", "biomedical"},
    "DUO:0000007": {"disease"},
    "DUO:0000011": {"ancestry"},
}
SETS = [set(some) for size in range(1, 6) for some in combinations(PERMITTED, size)]
MASK = {"min_gq": 20}
SEQUENCES = [refget(b"ACGT"), refget(b"GGGG"), None]


@pytest.mark.parametrize("codes", SETS, ids=lambda codes: ",".join(sorted(code[-2:] for code in codes)))
def test_the_use_of_a_sum_is_what_all_consents_permit(codes: set[str]) -> None:
    uses = set.intersection(*(PERMITTED[code] for code in codes))
    joined = broadest_allowed(codes)
    assert (PERMITTED[joined] if joined else set()) == uses


def manifest(names: list[str], basis: str = "gvcf", consent: str = "DUO:0000042", **facts: object) -> Manifest:
    build = Build("b", tuple(Contig(name, "autosome", 4) for name in names))
    rules = counting_rules(build, sequences=SEQUENCES, mask=MASK) | facts
    return Manifest(rules, {"EE_F": 7}, {basis: 7}, {consent: 7})


def lineage(name: str, *sources: Source) -> Lineage:
    return Lineage(name, f"sha256:{name}", 7, tuple(sources))


def test_what_is_noted_of_a_sum() -> None:
    given = [
        manifest(["chr1", "chr2", "chrM"], "variant_only", "DUO:0000006"),
        manifest(["chr1", "chr2", "chrM"], "declared", "not stated"),
        manifest(["1", "2", "MT"], "gvcf", "DUO:0000004"),
    ]
    found = preflight(given, [lineage("a"), lineage("b"), lineage("c", Source("alder", None, "sha256:0", 5))])
    assert found.refused == []
    (converted,) = found.converted
    assert converted.startswith("c: contigs are renamed")
    assert converted.endswith("1 as chr1, 2 as chr2, MT as chrM")
    interval, declared, use, unstated, *unnamed = found.noted
    assert interval.startswith("variant_only: of 7 people of a, ")
    assert "AN of the sum is an interval" in interval
    assert declared.startswith("declared: of 7 people of b, ")
    assert use == "use of the sum: DUO:0000006"
    assert unstated == "what 7 people permit is not stated"
    assert [said.split(":")[:2] for said in unnamed] == [
        [name, f" {number} people are of no named node, and may be in another, too"]
        for name, number in (("a", 7), ("b", 7), ("c", 2))
    ]


def test_consents_without_a_common_use_are_told() -> None:
    given = [manifest(["chr1", "chr2", "chrM"], consent=code) for code in ("DUO:0000006", "DUO:0000011")]
    found = preflight(given, [lineage("a"), lineage("b")])
    assert found.noted == ["use of the sum: none: no use is permitted by all of DUO:0000006, DUO:0000011"]


def test_every_rule_that_is_refused_says_what_to_do() -> None:
    mine = manifest(["chr1", "chr2", "chrM"])
    other = {
        "mask": {"min_gq": 30}, "half_call": "hemizygous", "ploidy": "as called", "normalisation": "assumed",
        "strata": "population", "histogram_edges": {"gq_alt": [0, 10, 10]}, "filter": "all",
        "build": {**mine.rules["build"], "par": [{"name": "PAR1", "x": [0, 2], "y": [0, 2]}]},
        "sequences": [SEQUENCES[0], refget(b"CCCC"), None], "reference": "another",
    }  # fmt: skip
    found = preflight([mine, manifest(["chr1", "chr2", "chrM"], **other)], [lineage("a"), lineage("b")])
    problems = {problem.where: problem for problem in found.refused}
    fields = {"mask.min_gq", "half_call", "ploidy", "normalisation", "strata", "histogram_edges.gq_alt", "filter",
              "build.par", "sequences.chr2", "reference"}  # fmt: skip
    assert set(problems) == {f"rules.{field}" for field in fields} | {
        where for where in problems if where.startswith("rules.histogram_edges.")
    }
    assert all("ecount one of them" in problem.remedy for problem in problems.values())
    assert "--mask" in problems["rules.mask.min_gq"].remedy
    assert SEQUENCES[1] in problems["rules.sequences.chr2"].expected  # type: ignore[operator]


def test_the_reference_of_other_names_is_the_digest_of_those_names() -> None:
    plain, chr_named = manifest(["1", "2", "MT"]).rules, manifest(["chr1", "2", "chrM"]).rules
    one, other = commonly_spelt([plain, chr_named])
    assert contig_names(one) == contig_names(other) == ["chr1", "2", "chrM"]
    assert one == other
    assert one["reference"] == seqcol(["chr1", "2"], SEQUENCES[:2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (["1", "2", "3"], ["chr1", "chr2", "chr4"]),  # another contig stays another
        (["1", "chr1", "3"], ["chr1", "1", "3"]),  # two that would be one
    ],
)
def test_names_that_are_not_two_spellings_of_one_contig_stay_apart(mine: list[str], theirs: list[str]) -> None:
    rules = [manifest(mine).rules, manifest(theirs).rules]
    assert preflight([manifest(mine), manifest(theirs)], [lineage("a"), lineage("b")]).refused
    assert contig_names(commonly_spelt(rules)[0])[2] == "3"
