"""The compiled kernel, with AVX2 and without, from text and from BCF, against plain numpy; and against damage."""

import gzip
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tessera.cohort import kernel_reader
from tessera.cohort.count import count_sites
from tessera.cohort.engine import Engine, reader_of
from tessera.cohort.kernel import library
from tessera.cohort.ledger import Ledger
from tessera.cohort.stretch import CountRules
from tessera.errors import InputError
from tessera.files import inflated
from tessera.files.summaries import new_summary
from tessera.files.vcf import VariantFile
from tessera.files.vcf_header import Rule, VcfProblem
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.mask import ADJ, NO_MASK, Mask
from tessera.summary.manifest import Manifest
from tessera.summary.people import People
from wide_cohort import LENGTH, WideCohort, wide_cohort

BCFTOOLS = Path(__file__).parents[2] / "scripts" / "wheel_tools" / "bcftools"
BUILD = Build("wide", (Contig("chrX", "x", LENGTH),), (Par("PAR1", (0, 1500), (0, 1500)),))
ENGINES: tuple[Engine, Engine] = ("kernel", "reference")
DAMAGE = [b"", b"\t", b"\n", b":", b"9", b"/", b"\0", b",", b"."]
FIELDS = ["GT", "GT:AD:DP:GQ:PL", "GT:DP", "GT:GQ:AD:DP"]
#: counts the BCF of its argument as the tests do; 0 when it is counted, 2 when it is refused
IN_A_PROCESS = f"""
import ast, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_kernel import ADJ, InputError, counted
from wide_cohort import LENGTH, WideCohort
karyotypes, strata = ast.literal_eval(sys.stdin.read())
try:
    counted(Path(sys.argv[1]), WideCohort("", "A" * LENGTH, karyotypes, strata), ADJ, "kernel")
except InputError:
    sys.exit(2)
"""
Result = tuple[dict[str, bytes], Ledger]


def counted(path: Path, cohort: WideCohort, mask: Mask, engine: Engine) -> Result:
    """The bytes of the summary, and the ledger."""
    file = VariantFile(path, genotypes_only=mask.genotypes_only)
    people = People(tuple(file.samples), tuple(cohort.karyotypes), tuple(cohort.strata))
    rules = CountRules(
        BUILD, mask.for_fields(file.formats), lambda _, start, end: cohort.bases[start:end], {}, unknown_outside=True
    )
    ledger = Ledger()
    out = path.with_name("summary")
    with new_summary(out) as writer:
        for key, block in count_sites(reader_of(file, people, engine)[0], people, rules, ledger):
            writer.write(key, block)
        writer.finish(Manifest({}, ledger={name: n for name, n in sorted(ledger.entries.items()) if n}))
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}, ledger


def assert_same(found: Result, expected: Result) -> None:
    assert found[0] == expected[0]
    assert found[1].entries == expected[1].entries
    assert np.array_equal(found[1].tallies, expected[1].tallies)


@contextmanager
def avx2(wanted: bool) -> Iterator[None]:
    """The kernel's code path, as long as the context lasts."""
    kernel = library()
    assert kernel is not None
    kernel.tessera_use_avx2(int(wanted))
    try:
        yield
    finally:
        kernel.tessera_use_avx2(1)


@contextmanager
def files_of(cohort: WideCohort) -> Iterator[list[Path]]:
    """The cohort as text, BGZF and BCF."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "cohort.vcf"
        text.write_text(cohort.text)
        paths = [text]
        for kind, name in (("z", "cohort.vcf.gz"), ("b", "cohort.bcf")):
            path = Path(folder) / name
            done = [sys.executable, BCFTOOLS, "view", "--no-version", f"-O{kind}", "-o", path, text]
            subprocess.run(done, check=True, capture_output=True)
            paths.append(path)
        yield paths


@pytest.mark.parametrize("mask", [ADJ, NO_MASK], ids=["adj", "none"])
@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("people", [1, 7, 16, 33, 100])
def test_every_path_of_the_kernel_counts_what_numpy_counts(people: int, fields: str, mask: Mask) -> None:
    cohort = wide_cohort(people * 31 + len(fields), people, 40, fields)
    with files_of(cohort) as paths:
        expected = counted(paths[0], cohort, mask, "reference")
        assert expected[0]["variants/chrX.parquet"]
        for path in paths:
            for wanted in (True, False):
                with avx2(wanted):
                    assert_same(counted(path, cohort, mask, "kernel"), expected)


@pytest.mark.parametrize("fields", ["GT", "GT:AD:DP:GQ:PL"])
def test_more_records_than_the_sums_of_a_batch_hold_add_up(fields: str) -> None:
    cohort = wide_cohort(1, 70, 1500, fields)
    with files_of(cohort) as (text, _, bcf):
        expected = counted(text, cohort, NO_MASK, "reference")
        for path in (text, bcf):
            for wanted in (True, False):
                with avx2(wanted):
                    assert_same(counted(path, cohort, NO_MASK, "kernel"), expected)


def test_records_longer_than_the_window_are_counted_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = wide_cohort(2, 100, 40, "GT:AD:DP:GQ:PL")
    monkeypatch.setattr(kernel_reader, "WINDOW", 500)
    monkeypatch.setattr(inflated, "PIECE", 100)
    with files_of(cohort) as paths:
        expected = counted(paths[0], cohort, ADJ, "reference")
        for path in paths:
            assert_same(counted(path, cohort, ADJ, "kernel"), expected)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_text_is_refused_or_counted_as_numpy_counts_it(seed: int) -> None:
    chance = random.Random(seed)
    cohort = wide_cohort(seed, 20, 12, chance.choice(FIELDS))
    body = cohort.text.index("\nchrX") + 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cohort.vcf"
        for _ in range(6):
            text = bytearray(cohort.text.encode())
            for _ in range(chance.choice([1, 1, 3])):
                at = chance.randrange(body, len(text))
                text[at : at + chance.choice([0, 1, 1, 9])] = chance.choice(
                    [b"", b"\t", b"\n", b":", b"9", b"/", b"\0", b",", b"."]
                )
            path.write_bytes(text)
            kernel, reference = (_outcome(path, cohort, engine) for engine in ENGINES)
            if isinstance(kernel, InputError) or isinstance(reference, InputError):
                # the kernel does not look at reads of people without the allele
                assert isinstance(reference, InputError)
                assert isinstance(kernel, InputError) or _is_unread(reference), reference
            else:
                assert_same(kernel, reference)


def _is_unread(refused: InputError) -> bool:
    """Whether the numpy engine, or htslib under it, stumbled over what no count depends on: PL, and AD of others."""
    return all(
        p.rule in (Rule.AD, Rule.NUL) if isinstance(p, VcfProblem) else "unreadable record" in p.found
        for p in refused.problems
    )


def _outcome(path: Path, cohort: WideCohort, engine: Engine, mask: Mask = ADJ) -> Result | InputError:
    try:
        return counted(path, cohort, mask, engine)
    except InputError as error:
        return error


@pytest.mark.parametrize("seed", range(8))
def test_damaged_bcf_is_refused_or_counted_but_never_breaks_the_process(seed: int) -> None:
    chance = random.Random(seed)
    cohort = wide_cohort(seed, 20, 12, chance.choice(FIELDS))
    with files_of(cohort) as (text, _, _):
        plain = text.with_name("plain.bcf")
        done = [sys.executable, BCFTOOLS, "view", "--no-version", "-Ou", text]
        # blocks of nothing but checked bytes would be refused whatever is in them
        whole = gzip.decompress(subprocess.run(done, check=True, capture_output=True).stdout)
        start = whole.index(b"\0", 9) + 1
        for _ in range(2):
            damaged = bytearray(whole)
            for _ in range(chance.choice([1, 1, 4])):
                damaged[chance.randrange(start, len(damaged))] = chance.choice([0, 1, 7, 0x11, 0x71, 0x81, 0xF7, 0xFF])
            plain.write_bytes(damaged[: len(damaged) - chance.choice([0, 0, 5])])
            done = subprocess.run(
                [sys.executable, "-c", IN_A_PROCESS, str(plain)],
                input=repr((cohort.karyotypes, cohort.strata)), text=True, capture_output=True, check=False,
            )  # fmt: skip
            assert done.returncode in (0, 2), done.stderr
