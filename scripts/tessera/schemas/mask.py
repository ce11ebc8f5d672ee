"""The genotype mask: what a genotype must show to be believed, and how a mask is written."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tessera.errors import InputError, Problem, refuse

#: an integer of a VCF has 32 bits (VCF 4.3, section 1.3)
HIGHEST = 2**31 - 1
WHOLE = f"a whole number from 0 to {HIGHEST:,}"
#: the balance is applied in thousandths, so that no rounding decides about a genotype
FRACTION = "a fraction from 0 to 1, of at most three decimals"
_EXAMPLE = "min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.2"


@dataclass(frozen=True)
class Mask:
    """Thresholds on genotypes; None does not ask.

    GQ is on the Phred scale, depths are in reads (`min_dp` where two alleles are expected, `min_dp_haploid`
    where one is), `min_ab` is the share of a heterozygote's reads with the allele. `genotypes_only` reads nothing of a
    file but its genotypes, as if it held nothing else.
    """

    min_gq: int | None
    min_dp: int | None
    min_dp_haploid: int | None
    min_ab: float | None
    genotypes_only: bool = False

    @property
    def thresholds(self) -> dict[str, float | None]:
        """The four by name, as rules and arguments have them."""
        return {name: value for name, value in asdict(self).items() if name != "genotypes_only"}

    @property
    def argument(self) -> str:
        """The mask as a command's argument: one of NAMED, or all four thresholds by name."""
        named = {mask: name for name, mask in NAMED.items()}.get(self)
        return named or ",".join(f"{name}={value}" for name, value in self.thresholds.items())

    def for_fields(self, formats: frozenset[str]) -> "Mask":
        """The thresholds that a file with these FORMAT fields can answer."""
        depth, balance = "DP" in formats, "AD" in formats and "DP" in formats
        return Mask(
            self.min_gq if "GQ" in formats else None,
            self.min_dp if depth else None,
            self.min_dp_haploid if depth else None,
            self.min_ab if balance else None,
            self.genotypes_only,
        )


#: gnomAD's "adj" genotype filter
ADJ = Mask(min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2)
NO_MASK = Mask(None, None, None, None)
GENOTYPES = Mask(None, None, None, None, genotypes_only=True)
NAMED = {"adj": ADJ, "none": NO_MASK, "genotypes": GENOTYPES}


def is_fraction(value: float) -> bool:
    """Whether a balance is from 0 to 1 and of at most three decimals; NaN is not."""
    return 0 <= value <= 1 and round(value, 3) == value


def mask_of(value: str | Mapping[str, float]) -> Mask:
    """The mask of a valid configuration value: a name, or thresholds; one that is not given is adj's."""
    if isinstance(value, str):
        return NAMED[value]
    given = {**{name: number or 0 for name, number in ADJ.thresholds.items()}, **value}
    # 20.0 and 20 are one threshold, and must be written alike
    gq, dp, haploid = (int(given[name]) for name in ("min_gq", "min_dp", "min_dp_haploid"))
    return Mask(gq, dp, haploid, float(given["min_ab"]))


def parse_mask(text: str) -> Mask:
    """The mask of a command's argument. Raises InputError for anything but a name, or all four thresholds."""
    if text in NAMED:
        return mask_of(text)
    fields = [field.partition("=") for field in text.split(",")]
    given = {name: value for name, _, value in fields}
    if sorted(name for name, _, _ in fields) != sorted(ADJ.thresholds):
        raise refuse("--mask", repr(text), f"{', '.join(NAMED)}, or all four of {_EXAMPLE}, each once")
    wrong = [name for name, value in given.items() if not _is_threshold(name, value)]
    if wrong:
        expected = {name: FRACTION if name == "min_ab" else WHOLE for name in wrong}
        raise InputError([Problem(f"--mask {name}", repr(given[name]), expected[name]) for name in wrong])
    return mask_of({name: float(value) for name, value in given.items()})


def _is_threshold(name: str, text: str) -> bool:
    if name == "min_ab":
        return re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) is not None and is_fraction(float(text))
    return re.fullmatch(r"[0-9]+", text) is not None and int(text) <= HIGHEST
