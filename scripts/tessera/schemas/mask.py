"""The genotype mask: what a genotype must show to be believed, and how a mask is written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tessera.errors import refuse


@dataclass(frozen=True)
class Mask:
    """Thresholds on genotypes; None does not ask.

    GQ is on the Phred scale, depths are in reads (`min_dp` where two alleles are expected, `min_dp_haploid`
    where one is), `min_ab` is the share of a heterozygote's reads with the allele.
    """

    min_gq: int | None
    min_dp: int | None
    min_dp_haploid: int | None
    min_ab: float | None

    @property
    def argument(self) -> str:
        """The mask as a command's argument: adj, none, or all four thresholds by name."""
        named = {ADJ: "adj", NO_MASK: "none"}.get(self)
        return named or ",".join(f"{name}={value}" for name, value in asdict(self).items())

    def for_fields(self, formats: frozenset[str]) -> "Mask":
        """The thresholds that a file with these FORMAT fields can answer."""
        depth, balance = "DP" in formats, "AD" in formats and "DP" in formats
        return Mask(
            self.min_gq if "GQ" in formats else None,
            self.min_dp if depth else None,
            self.min_dp_haploid if depth else None,
            self.min_ab if balance else None,
        )


#: gnomAD's "adj" genotype filter
ADJ = Mask(min_gq=20, min_dp=10, min_dp_haploid=5, min_ab=0.2)
NO_MASK = Mask(None, None, None, None)


def mask_of(value: str | Mapping[str, float]) -> Mask:
    """The mask of a valid configuration value: adj, none, or thresholds; one that is not given is adj's."""
    if isinstance(value, str):
        return NO_MASK if value == "none" else ADJ
    return Mask(**{**asdict(ADJ), **value})


def parse_mask(text: str) -> Mask:
    """The mask of a command's argument. Raises InputError for anything but adj, none, or all four thresholds."""
    if text in ("adj", "none"):
        return mask_of(text)
    try:
        given = dict(field.split("=") for field in text.split(","))
        balance = float(given.pop("min_ab"))
        depths = {name: int(value) for name, value in given.items()}
        mask = Mask(**depths, min_ab=balance)
    except (ValueError, KeyError, TypeError):
        example = "min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.2"
        raise refuse("--mask", repr(text), f"adj, none, or all four of {example}") from None
    if min(depths.values()) < 0 or not 0 <= balance <= 1:
        raise refuse("--mask", repr(text), "depths and qualities of 0 or more, a balance between 0 and 1")
    return mask
