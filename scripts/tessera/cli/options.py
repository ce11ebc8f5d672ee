"""Options that several commands share, so that they are spelt and explained once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.cohort.genotypes import Mask

FOLDER = click.Path(path_type=Path)
FILE = click.Path(path_type=Path)

build_option = click.option("--build", required=True, help="GRCh38, GRCh37, or a build file (YAML).")
samples_option = click.option(
    "--samples",
    "sheet",
    type=FILE,
    required=True,
    help="Sample sheet: at least sample, sex (karyotype), population.",
)
sample_option = click.option(
    "--sample", "only", multiple=True, help="Expect only this sample of the sheet; may be repeated."
)
callable_option = click.option(
    "--callable",
    "callable_bed",
    type=FILE,
    help="BED where a cohort VCF without a record means homozygous reference.",
)
mask_option = click.option(
    "--mask", "mask_text", default="adj", show_default=True,
    help="adj (GQ 20, DP 10, haploid 5, allele balance 0.2), none, or min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.2.",
)  # fmt: skip


def parse_mask(text: str) -> "Mask":
    """The mask named adj or none, or the four thresholds by name."""
    from tessera.cohort.genotypes import ADJ, NO_MASK, Mask

    if text in ("adj", "none"):
        return ADJ if text == "adj" else NO_MASK
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
