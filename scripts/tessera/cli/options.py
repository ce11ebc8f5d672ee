"""Options that several commands share, so that they are spelt and explained once."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.errors import InputError, Problem

if TYPE_CHECKING:
    from tessera.cohort.cluster import Workers

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
alignment_metrics_option = click.option(
    "--alignments",
    type=FILE,
    multiple=True,
    help="Metrics of tessera measure-alignments; may be repeated. A folder stands for the SAMPLE.json of each "
    "sample that the sheet gives reads or alignments for.",
)
variant_metrics_option = click.option(
    "--variants",
    type=FILE,
    multiple=True,
    help="Metrics of tessera measure-variants; may be repeated. A folder stands for the SAMPLE.tsv of each sample "
    "that the sheet gives a file of its own for.",
)
cohort_argument = click.argument("cohort", type=FOLDER)
side_by_side_option = click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Files or contigs worked side by side."
)
callable_option = click.option(
    "--callable",
    "callable_bed",
    type=FILE,
    help="BED where a cohort VCF without a record means homozygous reference.",
)
mask_option = click.option(
    "--mask", "mask_text", default="adj", show_default=True,
    help="adj (GQ 20, DP 10, haploid 5, allele balance 0.2), none, genotypes (none, and nothing but GT is read), or "
    "min_gq=30,min_dp=10,min_dp_haploid=5,min_ab=0.2.",
)  # fmt: skip
not_in_grpmax_option = click.option(
    "--not-in-grpmax", multiple=True, metavar="POPULATION",
    help="Population that takes no part in grpmax and fafmax, as bottlenecked ones in gnomAD; may be repeated.",
)  # fmt: skip

workers_option = click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True,
    help="Processes that count; more than one need an index of the file (.csi, .tbi) and the kernel.",
)  # fmt: skip
passphrase_file_option = click.option(
    "--passphrase-file", type=FILE,
    help="File of one line, the passphrase of the private keys (mode 0600); without it a terminal is asked.",
)  # fmt: skip
max_memory_option = click.option(
    "--max-memory", default=None, metavar="SIZE",
    help="What all processes may take together, such as 8GB; one that needs more than its part is ended.",
)  # fmt: skip
cluster_option = click.option(
    "--cluster", type=click.Choice(["here", "srun", "slurm"]), default="here", show_default=True,
    help="Where the workers are: on this machine; the tasks of the srun that runs this command; or jobs it submits.",
)  # fmt: skip


@contextmanager
def workers_of(cluster: str, number: int, max_memory: str | None, out: Path) -> "Iterator[Workers]":
    """The workers that are asked for; of an srun's tasks only one comes back from here, the others are they."""
    from tessera.cohort.cluster import Workers

    if cluster == "here":
        yield Workers(number, max_memory)
    elif cluster == "srun":
        from tessera.files.srun_tasks import joined_tasks, n_workers

        workers = Workers(n_workers(), max_memory, nullcontext)
        with joined_tasks(out, workers.memory_of_each) as client:
            yield Workers(workers.number, max_memory, lambda _: nullcontext(client))
    else:
        from tessera.files.slurm_jobs import submitted_jobs

        yield Workers(number, max_memory, lambda workers: submitted_jobs(out, number, workers.memory_of_each))


def passphrase_from(file: Path | None) -> Callable[[Path], bytes] | None:
    """Gives the passphrase of a key: the file's line, else what is typed; None where nobody can be asked."""
    if file is not None:
        from tessera.files.keys import read_passphrase

        words = read_passphrase(file)
        return lambda _: words
    if not sys.stdin.isatty():
        return None
    return lambda key: str(click.prompt(f"Passphrase of {key}", hide_input=True, err=True)).encode()


def check_not_in_grpmax(populations: Sequence[str], strata: Iterable[str], *, asked: bool) -> None:
    """Raise InputError when a population is none of the summary's, or when no grpmax is asked for."""
    known = sorted({stratum.rpartition("_")[0] for stratum in strata})
    problems = [
        Problem("--not-in-grpmax", repr(name), f"a population of the summary ({', '.join(known)})")
        for name in populations
        if name not in known
    ]
    if populations and not asked:
        problems.append(
            Problem("--not-in-grpmax", "no grpmax is asked for", "--statistics, and populations that are pooled")
        )
    if problems:
        raise InputError(problems)
