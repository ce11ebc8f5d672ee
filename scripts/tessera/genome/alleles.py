"""Alleles in their normal form: split, trimmed and left-aligned, as `bcftools norm -m -any` does."""

from collections.abc import Callable

#: bases(start, end), 0-based half-open, upper case, of the contig at hand
Bases = Callable[[int, int], str]

#: gVCF's "any other allele": evidence about the reference, not an allele
NON_REF = frozenset({"<NON_REF>", "<*>"})

#: IUPAC ambiguity code -> the first of its bases in the alphabet, as REF is written (VCF 4.3, section 1.6.1)
CONCRETE = str.maketrans("RYSWKMBDHV", "ACCAGACAAA")

#: REF and ALT of one base each that are a transition
TRANSITIONS = frozenset({"AG", "GA", "CT", "TC"})

#: letters of an allele that a message shows
SHOWN = 40


def is_sequence(allele: str) -> bool:
    """True for an allele written in bases; False for `*`, `.`, symbolic alleles and breakends."""
    return allele.isalpha()


def cut(allele: str) -> str:
    """An allele inside a message: in ASCII, and of a long one the beginning and its length."""
    said = allele if allele.isascii() else ascii(allele)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}... ({len(allele):,} letters)"


def concrete(bases: str) -> str:
    """Reference bases (upper case) as a VCF writes them: A, C, G, T and N only."""
    return bases.translate(CONCRETE)


def normalise(pos: int, ref: str, alt: str, bases: Bases) -> tuple[int, str, str]:
    """Trim and left-align one variant; `pos` is 1-based, before and after.

    The algorithm of Tan, Abecasis and Kang (Bioinformatics 2015, 31:2202): cut equal last bases, extending to
    the left when an allele runs empty, then cut equal first bases. A variant at the first base of a contig
    cannot be extended and stays.
    """
    while ref[-1] == alt[-1]:
        if len(ref) > 1 and len(alt) > 1:
            # cut at once: of long alleles each cut copies all that is left
            same, most = 1, min(len(ref), len(alt)) - 1
            while same < most and ref[-same - 1] == alt[-same - 1]:
                same += 1
            ref, alt = ref[:-same], alt[:-same]
        elif pos > 1 and ref != alt:
            before = bases(pos - 2, pos - 1)
            pos, ref, alt = pos - 1, before + ref[:-1], before + alt[:-1]
        else:
            break
    same, most = 0, min(len(ref), len(alt)) - 1
    while same < most and ref[same] == alt[same]:
        same += 1
    return pos + same, ref[same:], alt[same:]
