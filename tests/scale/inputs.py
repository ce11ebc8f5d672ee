"""The files that are measured, made once and kept: cohorts as VCF and BCF with index, and parts of them."""

import gzip
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pysam
import pysam.bcftools

from cohorts import Cohort, person_names, write_cohort

ENDINGS = {"vcf.gz": "-Oz", "bcf": "-Ob"}
#: raised when the same Cohort is written as other files
GENERATOR = 1


def make(folder: Path, cohort: Cohort, endings: Sequence[str]) -> Path:
    """The folder of a cohort, with cohort.vcf.gz or cohort.bcf or both; made where it is not there yet."""
    made, mark = folder / cohort.name, f"{cohort} {tuple(endings)} {GENERATOR}"
    if (made / "made").is_file() and (made / "made").read_text() == mark:
        return made
    from simulate import variants

    print(f"making {cohort}", file=sys.stderr)
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    write_cohort(made, cohort, variants(cohort))
    for ending in endings:
        _view(made / "cohort.vcf", made / f"cohort.{ending}")
    (made / "cohort.vcf").unlink()
    (made / "made").write_text(mark)
    return made


def part(cohort: Path, people: Sequence[str], records: int | None = None) -> Path:
    """A cohort file of these people and the first `records` of a cohort file, kept beside it.

    The sample sheet of the whole names others as well, so the part gets one of its own (see `sheet_of`).
    """
    ending = cohort.name.removeprefix("cohort.")
    folder = cohort.parent / f"{len(people)}-people-{records or 'all'}-records"
    target = folder / f"cohort.{ending}"
    if not (folder / f"{ending}.made").is_file():
        folder.mkdir(exist_ok=True)
        (folder / "people").write_text("\n".join(people) + "\n")
        sheet, wanted = (cohort.parent / "samples.tsv").read_text().splitlines(), set(people)
        kept = [line for line in sheet[1:] if line.split("\t")[0] in wanted]
        (folder / "samples.tsv").write_text("\n".join([sheet[0], *kept]) + "\n")
        shutil.copy(cohort.parent / "build.yaml", folder)
        shutil.copy(cohort.parent / "groups.tsv", folder)
        region = [] if records is None else ["-r", _first(cohort, records)]
        _view(cohort, target, "-I", "-S", str(folder / "people"), *region)
        (folder / f"{ending}.made").touch()
    return target


def copies(cohort: Path, number: int) -> Path:
    """The records of a cohort file (VCF, BGZF) on contigs c1, c2 ... as many times, kept beside it."""
    folder = cohort.parent / f"{number}-copies"
    target = folder / cohort.name
    if not (folder / "made").is_file():
        folder.mkdir(exist_ok=True)
        shutil.copy(cohort.parent / "samples.tsv", folder)
        build = (cohort.parent / "build.yaml").read_text()
        (name,) = re.findall(r"name: (chr\w+)", build)
        (line,) = (line for line in build.splitlines() if name in line)
        lines = [line.replace(name, f"c{copy}") for copy in range(1, number + 1)]
        (folder / "build.yaml").write_text(build.replace(line, "\n".join(lines)))
        with pysam.BGZFile(str(target), "wb") as out:
            for copy in range(1, number + 1):
                for text in _lines(cohort):
                    header = text.startswith(b"#")
                    if header and text.startswith(b"##contig") and copy == 1:
                        renamed = [text.replace(name.encode(), b"c%d" % i) for i in range(1, number + 1)]
                        out.write(b"".join(renamed))
                    elif not header or copy == 1:
                        out.write(text if header else b"c%d" % copy + text[len(name) :])
        pysam.bcftools.index("-f", str(target))
        (folder / "made").touch()
    return target


def _lines(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as handle:
        yield from handle


def one_of_each(cohort: Path) -> list[str]:
    """A person of each stratum."""
    pairs = [line.split("\t") for line in (cohort.parent / "groups.tsv").read_text().splitlines()]
    return sorted({stratum: name for name, stratum in pairs}.values())


def first_people(number: int) -> list[str]:
    """The first people of a cohort; they were shuffled, so all strata are among them."""
    return person_names(number)


def records(cohort: Path) -> int:
    """Records of a whole cohort."""
    return int(_positions(cohort).len())


def _positions(cohort: Path) -> pl.Series:
    return pl.read_parquet(cohort.parent / "truth.parquet", columns=["pos"])["pos"].unique().sort()


def _first(cohort: Path, number: int) -> str:
    positions = _positions(cohort)
    last = int(positions[int(np.minimum(number, positions.len())) - 1])
    return f"chr22:1-{last}"


def _view(source: Path, target: Path, *options: str) -> None:
    kind = ENDINGS[target.name.removeprefix("cohort.")]
    words = ["--no-version", "--threads", "2", kind, "-o", str(target), *options, str(source)]
    pysam.bcftools.view(*words, catch_stdout=False)
    pysam.bcftools.index("-f", str(target))
