"""A file to count: checked against build, sheet and reference, and the rules that follow from it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any, Literal

from tessera.errors import InputError, Problem, refuse
from tessera.files.builds import spelt_as
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build, Contig
from tessera.summary.manifest import Manifest
from tessera.summary.people import Listed

if TYPE_CHECKING:
    from tessera.files.fasta import Reference

REMEDY = "Give the build the file was made on (--build)."
AnBasis = Literal["gvcf", "declared", "variant_only"]


def fitting_build(file: VariantFile, build: Build, reference: "Reference | None" = None) -> Build:
    """The build in the file's spelling of contigs, which is that of its reference where there is one.

    A spelling that is not the build's is proven by the reference's sequences, or without one by MD5 in the header.
    Raises InputError where it is not, where lengths differ, and where no contig is known.
    """
    spelt = reference.spelling(build) if reference else build

    def why_not(name: str, contig: Contig) -> str:
        if reference:
            return f"the reference spells it {contig.name}"
        stated = file.contig_md5s.get(name)
        if stated in contig.digests:
            return ""
        return f"its ##contig line says md5={stated}" if stated else "no md5 in its ##contig line"

    fitted = spelt_as(spelt, file.contig_lengths, f"{file.path} header", why_not)
    known = [contig for contig in fitted.contigs if contig.name in file.contig_lengths]
    if not known:
        named = f"contigs {', '.join(list(file.contig_lengths)[:5]) or 'none'}"
        raise refuse(f"{file.path} header", named, f"##contig lines of build {build.name}", REMEDY)
    problems = [
        Problem(f"{file.path} header contig {contig.name}", f"length {found:,}",
                f"{contig.length:,} as in build {build.name}", REMEDY)
        for contig in known
        if (found := file.contig_lengths[contig.name]) is not None and found != contig.length
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    return fitted


def an_basis(file: VariantFile, *, has_callable: bool) -> AnBasis:
    """How bases without a variant are known: by reference blocks, by declaration, or not at all."""
    if file.is_gvcf():
        if has_callable:
            raise refuse(str(file.path), "reference blocks and callable regions for it", "one of the two",
                         "Leave --callable to cohort VCFs: a gVCF answers by its own blocks.")  # fmt: skip
        return "gvcf"
    return "declared" if has_callable else "variant_only"


def manifest_of(rules: Mapping[str, Any], listed: Listed, basis: AnBasis, carriers: Mapping[str, int]) -> Manifest:
    """The manifest of those listed, and of the carriers among those of them who are counted."""
    n_counted = listed.n_counted
    return Manifest(
        rules=rules,
        an_basis={basis: n_counted} if n_counted else {},
        # a zero is not stored, so that a sum minus its other parts is this summary again
        ledger={name: n for name, n in sorted(carriers.items()) if n},
        **people_counts(listed),
    )


def people_counts(listed: Listed) -> dict[str, dict[str, int]]:
    """What a manifest says of those listed, whatever their files hold."""
    counted = [not reason for reason in listed.reasons]
    return {
        "people": _tally(compress(listed.strata, counted)),
        "consent": _tally(consent or "not stated" for consent in compress(listed.consents, counted)),
        "not_counted": _tally(filter(None, listed.reasons)),
    }


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
