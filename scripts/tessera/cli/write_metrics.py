"""`tessera write-metrics`: what was measured of a node's samples in, one document of the GA4GH standard each out."""

from pathlib import Path

import click

from tessera.cli.options import FOLDER, alignment_metrics_option, samples_option, variant_metrics_option


@click.command("write-metrics")
@samples_option
@alignment_metrics_option
@variant_metrics_option
@click.option("--out", type=FOLDER, required=True, help="Folder of SAMPLE.metrics.json (private).")
def command(sheet: Path, alignments: tuple[Path, ...], variants: tuple[Path, ...], out: Path) -> None:
    """Write each sample's metrics as the GA4GH WGS Quality Control standard, version 1, shapes them.

    The sixteen metrics are told in docs/quality.md, their JSON Schema is docs/wgs-qc-metrics.schema.json.
    """
    from tessera.files.metrics import read_measured, write_standard_metrics
    from tessera.files.samples import read_samples
    from tessera.schemas.sample_rows import each_person

    people = each_person(read_samples(sheet, need_inputs=False))
    write_standard_metrics(out, *read_measured(people, alignments, variants))
