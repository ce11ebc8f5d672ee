"""A run: the configuration and each node's samples, with ready answers to what rules ask."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tessera.errors import InputError, Problem
from tessera.files.builds import read_build
from tessera.files.config import parse_config, read_policy, sheet_paths
from tessera.files.paths import is_file, real_paths
from tessera.files.received import ReceivedBundle, received_bundles, received_summaries
from tessera.files.samples import read_samples
from tessera.genome.build import Build
from tessera.schemas.bundle import STRATUM
from tessera.schemas.config import Config
from tessera.schemas.exports import COUNTRY
from tessera.schemas.sample_checks import check_people_once
from tessera.schemas.sample_rows import each_person
from tessera.schemas.samples import CALLED_KINDS, INPUT_COLUMNS
from tessera.summary.manifest import Manifest

#: people summed in one command, whose line names each one's folder: shells take 128 kB
PEOPLE_PER_SUM = 400
#: bytes from which on a cohort VCF is counted by several processes, and how many
LARGE_FILE, WORKERS = 256 * 10**6, 4


@dataclass(frozen=True)
class CohortFile:
    """A cohort VCF of a node: a name for it, unique in the node, and the samples counted out of it."""

    id: str
    path: str
    samples: tuple[str, ...]

    @property
    def workers(self) -> int:
        """Processes that share the file; one counts a small file before several have started."""
        path = Path(self.path)
        return WORKERS if is_file(path) and path.stat().st_size >= LARGE_FILE else 1


class Node:
    """The samples of one node; withdrawn ones are left out of everything but `withdrawn`."""

    def __init__(self, rows: pl.DataFrame) -> None:
        """`rows`: a tidy sheet (`SAMPLE_ROWS`)."""
        self.rows = rows
        self.withdrawn: list[str] = each_person(rows.filter("withdrawn"))["sample"].to_list()
        columns = ("sample", "sex", "kind", "read_group", "fastq_1", "fastq_2", "bam", "cram", "gvcf", "vcf")
        used = rows.filter(~pl.col("withdrawn")).select(columns)
        self.populations: set[str] = set(rows.filter(~pl.col("withdrawn"))["population"])
        self.kinds: dict[str, str] = {}
        self.karyotypes: dict[str, str] = {}
        #: sample -> lane -> its two FASTQ files
        self.fastq: dict[str, dict[str, tuple[str, str]]] = {}
        #: sample -> its BAM, CRAM, gVCF or VCF
        self.files: dict[str, str] = {}
        for sample, sex, kind, lane, fastq_1, fastq_2, *others in used.iter_rows():
            self.kinds[sample], self.karyotypes[sample] = kind, sex
            if kind == "fastq":
                self.fastq.setdefault(sample, {})[lane] = (fastq_1, fastq_2)
            else:
                self.files[sample] = next(file for file in others if file is not None)

    def of_kind(self, *kinds: str) -> list[str]:
        """The samples that enter by one of these kinds of input, in the order of the sheet."""
        return [sample for sample, kind in self.kinds.items() if kind in kinds]

    @cached_property
    def batches(self) -> dict[str, list[str]]:
        """Batch -> its samples that are counted alone, out of a gVCF that came or is called; in the sheet's order.

        A batch too large for one sum is several, `NAME+1`, `NAME+2`...; no sheet can name a batch so.
        """
        alone = each_person(self.rows).filter(~pl.col("withdrawn") & (pl.col("kind") != "vcf"))
        found: dict[str, list[str]] = {}
        for batch, samples in alone.group_by("batch", maintain_order=True).agg("sample").iter_rows():
            parts = [samples[i : i + PEOPLE_PER_SUM] for i in range(0, len(samples), PEOPLE_PER_SUM)]
            found |= {batch: samples} if len(parts) == 1 else {f"{batch}+{n}": part for n, part in enumerate(parts, 1)}
        return found

    @cached_property
    def facts(self) -> dict[str, str]:
        """Sample -> what a decision and counts follow from besides files: karyotype, stratum, consent, as one text."""
        facts = pl.concat_str("sex", "stratum", pl.col("consent").fill_null("not stated"), separator=" ")
        return dict(each_person(self.rows).select("sample", facts).iter_rows())

    def facts_of(self, samples: Iterable[str]) -> str:
        """The facts of many, as a digest."""
        text = "\n".join(f"{sample} {self.facts[sample]}" for sample in samples)
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def cohort_files(self) -> dict[str, CohortFile]:
        """The distinct cohort VCFs by id, in the order of the sheet."""
        samples: dict[str, list[str]] = {}
        for sample in self.of_kind("vcf"):
            samples.setdefault(self.files[sample], []).append(sample)
        # an id never is the name of a sample that has results of its own beside those of the cohort file
        ids = _unique_ids(list(samples), self.of_kind(*CALLED_KINDS, "gvcf"))
        return {ids[path]: CohortFile(ids[path], path, tuple(named)) for path, named in samples.items()}


@dataclass(frozen=True)
class Run:
    """A configuration and the samples of its nodes. An unknown node, sample or lane is a KeyError."""

    config: Config
    node: Mapping[str, Node]
    #: manifests of the summaries that other nodes sent
    summaries: tuple[Manifest, ...]
    #: node that sent a bundle -> the bundle
    bundles: Mapping[str, ReceivedBundle] = field(default_factory=dict)

    @property
    def received(self) -> list[Manifest | ReceivedBundle]:
        """What other nodes sent, as folders and as bundles."""
        return [*self.summaries, *self.bundles.values()]

    @property
    def nodes(self) -> list[str]:
        """Names of the nodes, in the order of the configuration."""
        return list(self.node)

    @property
    def summed_nodes(self) -> list[str]:
        """Nodes that join the federation's sum: those with people; a sum of nobody has the summaries of all."""
        with_people = [node for node in self.nodes if self.samples(node)]
        return with_people if with_people or self.received else self.nodes

    @property
    def populations(self) -> list[str]:
        """Populations of people who are not withdrawn, over all nodes and received summaries, sorted."""
        received = {stratum.rpartition("_")[0] for manifest in self.received for stratum in manifest.people}
        return sorted(received.union(*(node.populations for node in self.node.values())))

    @property
    def is_exact(self) -> bool:
        """Whether AN will be known: every cohort VCF has callable regions, every received summary is exact."""
        declared = all(self.config.nodes[node].callable or not self.cohort_files(node) for node in self.nodes)
        return declared and all(manifest.is_exact for manifest in self.received)

    @property
    def exports(self) -> list[str]:
        """Formats in which the sum is written: those asked for that can say what is known of AN."""
        return [form for form in self.config.federation.exports if self.is_exact or form == "sites"]

    @cached_property
    def build(self) -> Build:
        """What is counted."""
        return read_build(self.config.build)

    @property
    def build_digest(self) -> str:
        """A digest of what the build says, whatever its file's name, date and comments."""
        return hashlib.sha256(repr(self.build).encode()).hexdigest()

    @cached_property
    def gates_on_kinship(self) -> bool:
        """Whether a person's decision depends on relatives: it is made again when they are looked for again."""
        return read_policy(self.config.qc_policy).asks_for("max_kinship")

    def sheet(self, node: str) -> str:
        """Path of a node's sample sheet."""
        return str(self.config.nodes[node].samples)

    def samples(self, node: str) -> list[str]:
        """Every sample that is processed, in the order of the sheet; withdrawn ones are not."""
        return list(self.node[node].kinds)

    def withdrawn(self, node: str) -> list[str]:
        """Samples whose consent was withdrawn."""
        return self.node[node].withdrawn

    def kind(self, node: str, sample: str) -> str:
        """Where a sample enters: fastq, bam, cram, gvcf or vcf."""
        return self.node[node].kinds[sample]

    def karyotype(self, node: str, sample: str) -> str:
        """Sex karyotype of a sample, NA if unknown."""
        return self.node[node].karyotypes[sample]

    def facts(self, node: str, sample: str) -> str:
        """What the sheet says of a sample; a change of it changes the sample's counts."""
        return self.node[node].facts[sample]

    def node_facts(self, node: str) -> str:
        """What the sheet says of everybody, withdrawn people too; a change of it changes decisions."""
        return self.node[node].facts_of(self.node[node].facts)

    def cohort_facts(self, node: str, id: str) -> str:
        """What the sheet says of the people of a cohort VCF, and who withdrew; a change of it changes their counts."""
        return self.node[node].facts_of([*self.cohort_file(node, id).samples, *self.withdrawn(node)])

    def batches(self, node: str) -> dict[str, list[str]]:
        """Batch -> its samples that are counted alone, in the order of the sheet."""
        return self.node[node].batches

    def lanes(self, node: str, sample: str) -> list[str]:
        """Read groups of a FASTQ sample, in the order of the sheet."""
        return list(self.node[node].fastq[sample])

    def fastq(self, node: str, sample: str, lane: str) -> tuple[str, str]:
        """The two FASTQ files of a lane."""
        return self.node[node].fastq[sample][lane]

    def read_group_line(self, node: str, sample: str, lane: str) -> str:
        r"""The `@RG` line of a lane for an aligner's -R, its tabs written as backslash and t."""
        self.fastq(node, sample, lane)
        return rf"@RG\tID:{sample}.{lane}\tSM:{sample}\tLB:{sample}\tPL:ILLUMINA"

    def file(self, node: str, sample: str) -> str:
        """The BAM, CRAM, gVCF or cohort VCF of a sample that is not FASTQ."""
        return self.node[node].files[sample]

    def inputs(self, node: str, sample: str) -> list[str]:
        """Every file that a sample comes from."""
        lanes = self.node[node].fastq.get(sample)
        return [file for pair in lanes.values() for file in pair] if lanes else [self.file(node, sample)]

    @staticmethod
    def came(files: Iterable[str | Path]) -> list[str]:
        """Size and last change (ns) of files that came from outside: another file in the place of one changes this, be
        it older than what was made of the first. Snakemake alone looks for newer ones.
        """
        return [_last_change(Path(file)) for file in files]

    def came_calls(self, node: str, sample: str) -> list[str]:
        """The same of a sample's gVCF, where that came."""
        return self.came([self.file(node, sample)] if self.kind(node, sample) == "gvcf" else [])

    def came_cohort(self, node: str, id: str) -> list[str]:
        """The same of a cohort VCF and its callable regions."""
        called = self.config.nodes[node].callable
        return self.came([self.cohort_file(node, id).path, *([called] if called else [])])

    def fastq_samples(self, node: str) -> list[str]:
        """Samples to align."""
        return self.node[node].of_kind("fastq")

    def called_samples(self, node: str) -> list[str]:
        """Samples whose genotypes are still to be called: FASTQ, BAM and CRAM."""
        return self.node[node].of_kind(*CALLED_KINDS)

    def gvcf_samples(self, node: str) -> list[str]:
        """Samples that came as a gVCF."""
        return self.node[node].of_kind("gvcf")

    def cohort_files(self, node: str) -> list[CohortFile]:
        """The distinct cohort VCFs, in the order of the sheet."""
        return list(self.node[node].cohort_files.values())

    def cohort_file(self, node: str, id: str) -> CohortFile:
        """A cohort VCF by its id."""
        return self.node[node].cohort_files[id]


def read_run(config: Config, *, environment: Mapping[str, str] = os.environ) -> Run:
    """Read the sample sheets of a configuration. Raises InputError with the problems of all sheets."""
    nodes: dict[str, Node] = {}
    problems: list[Problem] = []
    for name, node in config.nodes.items():
        try:
            nodes[name] = Node(read_samples(node.samples, need_inputs=True, environment=environment))
        except InputError as error:
            problems += error.problems
        else:
            problems += _cross_checks(config, name, nodes[name])
    problems += _people_given_twice(config, nodes)
    problems += _populations_that_cannot_leave(config, nodes)
    received, refused = received_summaries(config)
    bundles, refused_bundles = received_bundles(config)
    run = Run(config, nodes, received, bundles)
    refused += refused_bundles
    problems += refused or _names_not_for_gdi(run)
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return run


def check_run(document: Mapping[str, Any], *, where: str, environment: Mapping[str, str] = os.environ) -> Run:
    """As `read_run(parse_config(document))`; a refused configuration does not hide problems of its sheets."""
    try:
        config = parse_config(document, where=where, environment=environment)
    except InputError as error:
        problems = error.problems
    else:
        return read_run(config, environment=environment)
    for sheet in sheet_paths(document, environment=environment):
        try:
            read_samples(sheet, need_inputs=True, environment=environment)
        except InputError as error:
            problems += error.problems
    raise InputError(problems)


def _names_not_for_gdi(run: Run) -> list[Problem]:
    """Populations that GDI's Parquet, where it is asked for, cannot name."""
    if "gdi-parquet" not in run.config.federation.exports:
        return []
    expected, remedy = "two capital letters, as in EE", "Name it so, or leave out the export gdi-parquet."
    return [
        Problem(f"population {name}", f"{len(name)} characters", expected, remedy)
        for name in run.populations
        if not COUNTRY.fullmatch(name)
    ]


def _populations_that_cannot_leave(config: Config, nodes: Mapping[str, Node]) -> Iterator[Problem]:
    """Populations whose names no bundle takes, told before people are counted under them."""
    if config.federation.sign is not None:
        for name, node in nodes.items():
            odd = sorted(one for one in node.populations if not re.fullmatch(STRATUM, f"{one}_F"))
            if odd:
                found = f"population {', '.join(odd)}, and federation.sign packs the summary of the node"
                expected = "populations of two or three capital letters, as a bundle names them"
                yield Problem(str(config.nodes[name].samples), found, expected, "See docs/federation.md.")


def _cross_checks(config: Config, name: str, node: Node) -> list[Problem]:
    """What the configuration must say for the inputs that a node's sheet brings."""
    sheet = config.nodes[name].samples
    problems: list[Problem] = []
    called = node.of_kind(*CALLED_KINDS)
    if called and config.reference is None:
        found = f"{len(called)} samples are FASTQ, BAM or CRAM, and no reference is given"
        remedy = "See config/README.md#key-reference."
        problems.append(Problem(str(sheet), found, "reference: FASTA in the configuration", remedy))
    if config.nodes[name].callable is not None and node.kinds and not node.of_kind("vcf"):
        found = f"nodes.{name}.callable is given, and no sample of the node is in a cohort VCF"
        remedy = "Remove callable: gVCFs and reads tell themselves where people are called."
        problems.append(Problem(str(sheet), found, "callable only beside cohort VCFs", remedy))
    return problems


def _people_given_twice(config: Config, nodes: Mapping[str, Node]) -> list[Problem]:
    """What sheets bring into the sum twice, whatever path, link or node leads to it."""
    rows = [node.rows.with_columns(sheet=pl.lit(str(config.nodes[name].samples))) for name, node in nodes.items()]
    if not rows:
        return []
    used = pl.concat(rows).filter(~pl.col("withdrawn")).with_row_index("order")
    index = ("order", "sheet", "line", "sample")
    cells = used.unpivot(on=INPUT_COLUMNS, index=index, variable_name="column", value_name="file").drop_nulls("file")
    real = pl.DataFrame(
        list(real_paths(cells["file"].unique()).items()), {"file": pl.String, "real": pl.String}, orient="row"
    )
    return check_people_once(cells.join(real, on="file").sort("order", maintain_order=True))


def _last_change(file: Path) -> str:
    if not is_file(file):  # the rule that reads it will say so
        return "missing"
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _unique_ids(paths: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Path -> file name without folder and format; a second file of the same name gets a number."""
    used = set(taken)
    ids = {}
    for path in paths:
        stem = re.sub(r"(\.g)?(\.vcf|\.bcf)?(\.b?gz)?$", "", Path(path).name) or "cohort"
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", stem)
        number = 1
        ids[path] = stem
        while ids[path] in used:
            number += 1
            ids[path] = f"{stem}-{number}"
        used.add(ids[path])
    return ids
