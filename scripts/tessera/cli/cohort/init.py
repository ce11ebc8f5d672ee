"""`tessera cohort init`: an empty cohort and the rules by which everybody will be counted."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.cohort.counting import now
from tessera.cli.options import FILE, build_option, cohort_argument, mask_option
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.summary.manifest import Manifest


@click.command(name="init")
@cohort_argument
@build_option
@click.option("--reference", type=FILE, help="FASTA that everybody's file was made on.")
@click.option(
    "--assume-normalised", is_flag=True,
    help="No FASTA at hand: take alleles as written, without REF check and left-alignment; every release says so.",
)  # fmt: skip
@mask_option
@click.option(
    "--like", type=FILE,
    help="A gVCF or VCF such as will come: its FORMAT fields say which thresholds are asked, its contigs how they are "
    "named; else all are, and contigs are named as in the reference.",
)  # fmt: skip
def command(
    cohort: Path, build: str, reference: Path | None, assume_normalised: bool, mask_text: str, like: Path | None
) -> None:
    """Begin COHORT, a private folder, with nobody in it.

    Build, reference and mask are its rules from now on; people who would be counted by others are refused.
    """
    from tessera.files.cohort_folder import PARTIALS, begin_ledger, new_cohort
    from tessera.files.recorded import recorded_path
    from tessera.files.summaries import new_summary
    from tessera.schemas.cohort_ledger import LEDGER_VERSION

    if assume_normalised == (reference is not None):
        raise refuse("tessera cohort init", "both or none of --reference and --assume-normalised", "one of them")
    empty = _empty(build, reference, mask_text, like)
    with new_cohort(cohort) as folder:
        name = "000001"
        with new_summary(folder / PARTIALS / name) as writer:
            digest = writer.finish(empty)
        content = {
            "schema": LEDGER_VERSION,
            "reference": recorded_path(reference) if reference else None,
            "mask": mask_text,
            "fingerprint": empty.fingerprint,
            "partial": {"name": name, "digest": digest},
        }
        begin_ledger(folder, now(), content)
    click.echo(f"{cohort}: begun, with nobody in it; {empty.fingerprint}", err=True)


def _empty(build_name: str, reference: Path | None, mask_text: str, like: Path | None) -> "Manifest":
    """The manifest of nobody, by the rules of the cohort."""
    from tessera.cli.count import rules_for
    from tessera.files.builds import read_build
    from tessera.files.fasta import Reference
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask
    from tessera.summary.manifest import Manifest
    from tessera.summary.rules import counting_rules

    build, mask = read_build(build_name), parse_mask(mask_text)
    if like:
        how, _, fasta = rules_for(VariantFile(like, genotypes_only=mask.genotypes_only), build, reference, mask, None)
        build, mask = how.build, how.mask
    else:
        fasta = Reference(reference) if reference else None
        build = fasta.spelling(build) if fasta else build
    return Manifest(counting_rules(build, sequences=fasta.sequences(build) if fasta else None, mask=mask.thresholds))
