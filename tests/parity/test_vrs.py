"""Computed identifiers of alleles are those of the reference implementation of VRS 2.0.1, and published ones."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from ga4gh import vrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.genome.digests import refget
from tessera.genome.vrs import VRS_VERSION, VrsAllele, allele_digests, location_digests, normalised

CHR19 = "SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl"


class Proxy:
    """What the library asks of a store of sequences, answered out of one string."""

    def __init__(self, bases: str) -> None:
        self.bases = bases

    def get_sequence(self, identifier: str, start: int | None = None, end: int | None = None) -> str:
        return self.bases[start:end]

    def get_metadata(self, identifier: str) -> dict[str, Any]:
        return {"length": len(self.bases), "alphabet": "ACGT", "aliases": [identifier]}


def by_the_library(bases: str, pos: int, ref: str, alt: str) -> dict[str, Any]:
    """The normalised Allele of the library, with its identifiers, as a document."""
    from ga4gh.core import ga4gh_identify
    from ga4gh.vrs import models, normalize

    sequence = models.SequenceReference(refgetAccession=refget(bases.encode()))
    location = models.SequenceLocation(sequenceReference=sequence, start=pos - 1, end=pos - 1 + len(ref))
    state = models.LiteralSequenceExpression(sequence=models.sequenceString(alt))
    allele = normalize(models.Allele(location=location, state=state), Proxy(bases))
    allele.id = ga4gh_identify(allele)
    allele.location.id = ga4gh_identify(allele.location)
    found: dict[str, Any] = allele.model_dump(exclude_none=True, mode="json")
    return found


def by_us(bases: str, pos: int, ref: str, alt: str, accession: str) -> tuple[str, str, VrsAllele]:
    allele = normalised(pos, ref, alt, lambda start, end: bases[start:end])
    return *identified(accession, allele), allele


def identified(accession: str, allele: VrsAllele) -> tuple[str, str]:
    """The computed identifiers of an allele and of its location."""
    (location,) = location_digests(accession, [allele.start], [allele.end])
    (digest,) = allele_digests([location], [allele.serialised_state.encode()])
    return f"ga4gh:VA.{digest.decode()}", f"ga4gh:SL.{location.decode()}"


def assert_same(bases: str, pos: int, ref: str, alt: str) -> str:
    """The identifiers, interval and state of both; the type of state."""
    theirs = by_the_library(bases, pos, ref, alt)
    identifier, location, allele = by_us(bases, pos, ref, alt, refget(bases.encode()))
    assert (identifier, location) == (theirs["id"], theirs["location"]["id"]), (pos, ref, alt)
    assert (allele.start, allele.end) == (theirs["location"]["start"], theirs["location"]["end"])
    state = {name: value for name, value in theirs["state"].items() if name != "id"}
    assert json.loads(allele.state) == state
    return str(state["type"])


def repetitive(random: Random, length: int) -> str:
    """Words of one to four bases, repeated up to eight times; some repeats are longer than what is read at once."""
    bases = ""
    while len(bases) < length:
        word = "".join(random.choices("ACGT", k=random.randint(1, 4)))
        bases += word * random.choice((1, 1, 2, 3, 8, 90))
    return bases[:length]


def a_variant(random: Random, bases: str) -> tuple[int, str, str]:
    """A substitution, insertion or deletion as a VCF may write it, left-aligned or not, also at both ends."""
    at = random.randrange(len(bases))
    ref = bases[at : at + random.choice((1, 1, 1, 2, 3, 5, 60))]
    kind = random.random()
    if kind < 0.3:
        alt = "".join(random.choices("ACGT", k=random.choice((1, 1, len(ref)))))
    elif kind < 0.6:
        alt = ref[: random.randint(1, len(ref))]
    else:
        source = random.choice((bases[at : at + random.randint(1, 6)], "".join(random.choices("ACGT", k=4))))
        alt = ref + source * random.choice((1, 1, 2, 20))
    return at + 1, ref, alt if alt != ref else ref + "A"


def test_the_library_is_of_the_version_that_is_written() -> None:
    assert vrs.VRS_VERSION == VRS_VERSION


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_identifiers_of_any_variant_are_those_of_the_library(seed: int) -> None:
    random = Random(seed)
    bases = repetitive(random, random.choice((30, 300, 900)))
    for _ in range(20):
        assert_same(bases, *a_variant(random, bases))


def test_every_state_was_met() -> None:
    random = Random(19)
    bases = repetitive(random, 2000)
    states = [assert_same(bases, *a_variant(random, bases)) for _ in range(1500)]
    assert min(states.count(f"{kind}Expression") for kind in ("LiteralSequence", "ReferenceLength")) > 300


@pytest.mark.parametrize(
    ("pos", "ref", "alt", "around", "identifier"),
    [
        # the test data of the library (ga4gh/vrs-python, tests/extras/data), GRCh38; `around` is as much as is needed
        (82664, "C", "T", (82663, "C"), "ga4gh:VA.b9AIUegs1SOYO7nKY8l01yllkyUns-u4"),
        (28946400, "T", "C", (28946399, "T"), "ga4gh:VA.uV5O4M9zpiwk6sftOd-EDvtw_pkSAvdf"),
        (54220024, "G", "A", (54220023, "G"), "ga4gh:VA.I7J3i1B36BACEUINcTwEh7uMv3I-PXT1"),
        (54221654, "T", "A", (54221653, "T"), "ga4gh:VA.Zzlc24htmBV1HZZzWYgPD2_GfMInkrZu"),
        (284350, "CA", "C", (284349, f"C{'A' * 16}T"), "ga4gh:VA.a04jFsNg0bS0RMIWjKWSbwJS4_vp7S6x"),
        (490414, "ACT", "A", (490413, "ACTA"), "ga4gh:VA.lok7a3lot_cvUyw626otpJi4yxk0X07v"),
        (289464, "T", "TCACGCCTGTAATCC", (289463, "TCAG"), "ga4gh:VA.ySvDptXfHB_9WEfu78v32DzBXJfwGgO7"),
    ],
)
def test_published_identifiers(pos: int, ref: str, alt: str, around: tuple[int, str], identifier: str) -> None:
    first, letters = around

    def bases(start: int, end: int) -> str:
        return "".join(letters[at - first] if 0 <= at - first < len(letters) else "N" for at in range(start, end))

    allele = normalised(pos, ref, alt, bases)
    assert identified(CHR19, allele)[0] == identifier
