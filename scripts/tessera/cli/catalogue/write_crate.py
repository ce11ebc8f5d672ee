"""`tessera catalogue write-crate`: how a node's summary was made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.catalogue.entry import config_option, entry_option, read_described
from tessera.cli.options import FILE, FOLDER
from tessera.errors import InputError, Problem, refuse

if TYPE_CHECKING:
    from tessera.federation.run_crate import CrateFile, Run
    from tessera.schemas.catalogue import Entry
    from tessera.schemas.config import Config

CONFIGURATION = "config.json"


@click.command(name="write-crate")
@click.argument("summary", type=FOLDER)
@config_option
@entry_option
@click.option("--workflow", type=FILE, required=True, help="The Snakefile that ran.")
@click.option("--private", type=FOLDER, required=True, help="Private folder of the node, with lists of digests/.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the crate that stays; an older one is replaced.")
@click.option("--share", type=FOLDER, required=True, help="Folder of the crate that may leave with the summary.")
def command(
    summary: Path, configurations: tuple[Path, ...], name: str, workflow: Path, private: Path, out: Path, share: Path
) -> None:
    """Write how SUMMARY, of the node that --entry names, was made: a Workflow Run RO-Crate, in two copies.

    The one that stays names every input by digest and path, the whole configuration, and what was made of single
    people. The one that may leave has the summary, the settings that people were counted by, and versions of software.
    """
    from tessera.federation.run_crate import METADATA, WORKFLOW, CrateFile, full_crate, not_shared, shared_crate
    from tessera.files.alignments import aligner_versions
    from tessera.files.atomic import directory_written_aside, refuse_foreign
    from tessera.files.paths import real_path
    from tessera.files.provenance import versions_told
    from tessera.files.run import read_run

    entry, config, document = read_described(configurations, name)
    if name not in config.nodes:
        raise refuse("--entry", repr(name), f"a node ({', '.join(config.nodes)})", "Only a node's own run is known.")
    ran = read_run(config)
    counted = [f"summaries/{sample}" for sample in [*ran.called_samples(name), *ran.gvcf_samples(name)]]
    counted += [f"cohorts/{cohort.id}" for cohort in ran.cohort_files(name)]
    aligned = [private / "alignments" / f"{sample}.cram" for sample in ran.fastq_samples(name)]
    versions = aligner_versions(aligned) | versions_told(private / f"{one}.provenance.json" for one in counted)
    run = _run(summary, config, entry, versions)
    odd = [Problem(str(summary), sentence, "only what docs/federation.md lists") for sentence in not_shared(run)]
    if odd:
        raise InputError(odd)
    text = _document(document)
    files = {WORKFLOW: _text_of(workflow), CONFIGURATION: text}
    kept = CrateFile(CONFIGURATION, _sha256(text), "Configuration of the run", len(text.encode()), CONFIGURATION)
    made = ["decisions.tsv", "decisions.details.tsv"]
    made += [f"{one}/manifest.json" for one in [*counted, *(f"batches/{batch}" for batch in ran.batches(name))]]
    read = [kept, *_inputs(private, counted), *_node_files(config, name)]
    full = full_crate(run, read, [_output(private / place, private.parent) for place in made])
    if real_path(out) == real_path(share):
        raise refuse("--share", f"{share}, which is --out", "another folder", "The crate that stays names people.")
    for folder in (out, share):
        refuse_foreign(folder, {WORKFLOW, CONFIGURATION, METADATA}.__contains__, "a crate")
    with directory_written_aside(share) as aside:
        _write(aside, shared_crate(run), {WORKFLOW: files[WORKFLOW]})
    with directory_written_aside(out) as aside:
        _write(aside, full, files)


def _run(summary: Path, config: "Config", entry: "Entry", versions: Mapping[str, str]) -> "Run":
    from tessera.cli.bundle.judged import members_of
    from tessera.federation.run_crate import CrateFile, Run
    from tessera.files.sha256_lists import sha256_of
    from tessera.files.summaries import SummaryFolder, refuse_altered

    folder = SummaryFolder(summary)
    refuse_altered([folder])
    settings = {
        "mask": config.mask.argument,
        "consent": " ".join(config.consent),
        "aligner": config.aligner,
        "tools": config.tools,
        "assume_normalised": str(config.assume_normalised).lower(),
    }
    policy = CrateFile("QC policy", sha256_of(config.qc_policy), "What quality a sample needs to be counted")
    return Run(entry, folder.manifest, members_of(folder), settings, versions, policy)


def _inputs(private: Path, counted: Sequence[str]) -> Iterator["CrateFile"]:
    """The files that samples and cohort files came from, by the lists of their digests."""
    from tessera.federation.run_crate import CrateFile
    from tessera.files.sha256_lists import read_sha256_list

    for one in counted:
        name = one.removeprefix("summaries/")
        for path, digest in read_sha256_list(private / "digests" / f"{name}.sha256"):
            yield CrateFile(path, digest, f"Input of {name}")


def _node_files(config: "Config", name: str) -> Iterator["CrateFile"]:
    from tessera.federation.run_crate import CrateFile
    from tessera.files.marker_panel import panel_files
    from tessera.files.sha256_lists import sha256_of
    from tessera.schemas.build import NAMED_BUILDS

    node = config.nodes[name]
    named = {
        "Sample sheet": node.samples, "Callable regions": node.callable, "Reference": config.reference,
        "Markers of relatives": config.relatives_markers,
        "Build": None if config.build in NAMED_BUILDS else Path(config.build),
    }  # fmt: skip
    panel = panel_files(config.contamination_panel) if config.contamination_panel else {}
    for description, path in [*named.items(), *(("Contamination panel", path) for path in panel.values())]:
        if path is not None:
            yield CrateFile(str(path), sha256_of(path), description, path.stat().st_size)


def _output(path: Path, results: Path) -> "CrateFile":
    from tessera.federation.run_crate import CrateFile
    from tessera.files.sha256_lists import sha256_of

    digest = sha256_of(path)
    return CrateFile(str(path.relative_to(results)), digest, "Stays at the node", path.stat().st_size)


def _write(folder: Path, crate: Mapping[str, Any], files: Mapping[str, str]) -> None:
    from tessera.federation.run_crate import METADATA

    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    (folder / METADATA).write_bytes(_document(crate).encode())


def _document(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _text_of(path: Path) -> str:
    from tessera.files.paths import refuse_unlike_file

    refuse_unlike_file(path, "a Snakefile")
    return path.read_bytes().decode()


def _sha256(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()
