"""GA4GH VRS 2.0.1 alleles out of VCF's POS, REF and ALT: fully justified, and known by their computed identifiers."""

import hashlib
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

VRS_VERSION = "2.0.1"
#: bases to begin with when it is asked how far an allele may be shifted
REACH = 64
#: the longest sequence that is written beside a ReferenceLengthExpression, which does not need it
WRITTEN_OUT = 50
#: of a SHA-512 that are kept (sha512t24u)
DIGEST_BYTES = 24
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

#: bases of [start, end), 0-based, of one contig; shorter where the contig ends
Bases = Callable[[int, int], str]


@dataclass(frozen=True)
class VrsAllele:
    """A normalised allele: `sequence` in place of the interbase interval [start, end).

    `subunit` is None where its state is a LiteralSequenceExpression, else the repeatSubunitLength of a
    ReferenceLengthExpression.
    """

    start: int
    end: int
    sequence: str
    subunit: int | None = None

    @property
    def serialised_state(self) -> str:
        """The state as it is digested: canonical JSON (RFC 8785) of its digest keys."""
        if self.subunit is None:
            return f'{{"sequence":"{self.sequence}","type":"LiteralSequenceExpression"}}'
        return (
            f'{{"length":{len(self.sequence)},"repeatSubunitLength":{self.subunit},"type":"ReferenceLengthExpression"}}'
        )

    @property
    def state(self) -> str:
        """The state as JSON, a short sequence of a ReferenceLengthExpression written out."""
        if self.subunit is None or len(self.sequence) > WRITTEN_OUT:
            return self.serialised_state
        return f'{self.serialised_state[:-1]},"sequence":"{self.sequence}"}}'


def normalised(pos: int, ref: str, alt: str, bases: Bases) -> VrsAllele:
    """The fully justified allele of a VCF record; `pos` is 1-based, `ref` and `alt` differ and are in bases.

    VRS 2.0, Allele normalisation: flanks in common are trimmed; an insertion or deletion is extended over all places
    where it may stand, and is a ReferenceLengthExpression where the reference tells its sequence.
    """
    start, ref, alt = _trimmed(pos - 1, ref, alt)
    end = start + len(ref)
    if ref and alt:
        return VrsAllele(start, end, alt)
    unit = ref or alt
    left, right = _rolled_left(start, unit, bases), _rolled_right(end, unit, bases)
    before, after = bases(start - left, start), bases(end, end + right)
    start, end = start - left, end + right
    if ref:
        return VrsAllele(start, end, before + after, len(ref))
    reference, sequence = before + after, before + alt + after
    added = sequence[len(reference) :]
    for cycle in _divisors(len(alt)):
        if cycle <= len(reference) and reference[-cycle:] * (len(alt) // cycle) == added:
            return VrsAllele(start, end, sequence, cycle)
    return VrsAllele(start, end, sequence)


def location_digests(refget: str, starts: Iterable[int], ends: Iterable[int]) -> list[bytes]:
    """The digests of SequenceLocations [start, end); `refget` is the sequence's identifier, `SQ.…`."""
    sequence = f'"sequenceReference":{{"refgetAccession":"{refget}","type":"SequenceReference"}}'.encode()
    form = b'{"end":%d,' + sequence + b',"start":%d,"type":"SequenceLocation"}'
    return _digests(form % (end, start) for start, end in zip(starts, ends, strict=True))


def allele_digests(locations: Iterable[bytes], states: Iterable[bytes]) -> list[bytes]:
    """The digests of Alleles, of those of their locations and their serialised states; `ga4gh:VA.` and one of them
    are a computed identifier.
    """
    form = b'{"location":"%b","state":%b,"type":"Allele"}'
    return _digests(form % pair for pair in zip(locations, states, strict=True))


def _digests(serialised: Iterable[bytes]) -> list[bytes]:
    """sha512t24u of each text, as genome.digests has it of one: 24 bytes are 32 letters, so all are encoded at once."""
    whole = b"".join([hashlib.sha512(text).digest() for text in serialised])
    digests = np.frombuffer(whole, np.uint8).reshape(-1, hashlib.sha512().digest_size)[:, :DIGEST_BYTES]
    letters = b2a_base64(digests.tobytes(), newline=False).translate(_URL_SAFE)
    found: list[bytes] = np.frombuffer(letters, f"S{DIGEST_BYTES // 3 * 4}").tolist()
    return found


def _trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    if len(ref) == len(alt) == 1:
        return start, ref, alt
    shortest = min(len(ref), len(alt))
    prefix = next((i for i in range(shortest) if ref[i] != alt[i]), shortest)
    ref, alt, shortest = ref[prefix:], alt[prefix:], shortest - prefix
    suffix = next((i for i in range(shortest) if ref[-1 - i] != alt[-1 - i]), shortest)
    return start + prefix, ref[: len(ref) - suffix], alt[: len(alt) - suffix]


def _rolled_right(end: int, unit: str, bases: Bases) -> int:
    """How many bases from `end` on repeat `unit`."""
    reach, far = REACH, 0
    while True:
        found = bases(end + far, end + far + reach)
        for base in found:
            if base != unit[far % len(unit)]:
                return far
            far += 1
        if len(found) < reach:
            return far
        reach *= 2


def _rolled_left(start: int, unit: str, bases: Bases) -> int:
    """How many bases before `start`, from right to left, repeat `unit` from its end."""
    reach, far = REACH, 0
    while far < start:
        for base in reversed(bases(max(0, start - far - reach), start - far)):
            if base != unit[-1 - far % len(unit)]:
                return far
            far += 1
        reach *= 2
    return far


def _divisors(number: int) -> Iterator[int]:
    """From the largest to the smallest."""
    return (divisor for divisor in range(number, 0, -1) if number % divisor == 0)
