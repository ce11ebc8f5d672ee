"""A file counted in shards against the same file counted in one piece, byte for byte; and shards that leave something
out, which must be noticed."""

import gzip
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from small_blocks import header_of, small_blocks
from tessera.cohort.cluster import Workers
from tessera.cohort.count import count_sites
from tessera.cohort.engine import members_of, reader_of
from tessera.cohort.kernel_reader import KernelReader
from tessera.cohort.ledger import Ledger
from tessera.cohort.shards import CountJob, Shard, count_file, count_in_shards, count_shard, shards_of
from tessera.cohort.stretch import CountRules
from tessera.errors import InputError, refuse
from tessera.files import bcf_window
from tessera.files.fasta import Reference
from tessera.files.summaries import new_summary
from tessera.files.vcf import VariantFile
from tessera.files.vcf_index import ContigIndex, read_index
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.mask import ADJ, GENOTYPES, NO_MASK
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.manifest import Manifest
from tessera.summary.people import People

BCFTOOLS = Path(__file__).parents[2] / "scripts" / "wheel_tools" / "bcftools"
LENGTHS = {"chrX": 3 * BLOCK_SIZE + 1234, "chr2": 2 * BLOCK_SIZE}
BUILD = Build(
    "long",
    (Contig("chrX", "x", LENGTHS["chrX"]), Contig("chr2", "autosome", LENGTHS["chr2"]), Contig("chr3", "autosome", 9)),
    (Par("PAR1", (0, BLOCK_SIZE + 3), (0, BLOCK_SIZE + 3)),),
)
KARYOTYPES = ("XX", "XY", "XY", "NA", "XX")
HEADER = [
    "##fileformat=VCFv4.3",
    *(f"##contig=<ID={name},length={length}>" for name, length in LENGTHS.items()), "##contig=<ID=decoy,length=5000>",
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=PL,Number=.,Type=Integer,Description="Likelihoods">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *"abcde"]),
]  # fmt: skip
KINDS = {
    "csi": ("z", ".vcf.gz", "--csi"), "tbi": ("z", ".vcf.gz", "--tbi"), "bcf": ("b", ".bcf", "--csi"),
    "thinned": ("b", ".bcf", "--csi"),
}  # fmt: skip


class LongCohort:
    """Records that crowd at the borders of blocks, where repeats carry variants across and blocks reach over."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._chance, self.folder = random.Random(seed), folder
        #: contig -> where each repeat starts (0-based), and the length of what is repeated
        self._repeats: dict[str, list[tuple[int, int]]] = {name: [] for name in LENGTHS}
        self.bases = {name: self._sequence(name, length) for name, length in LENGTHS.items()}
        self.reference = folder / "reference.fa"
        self.reference.write_text("".join(f">{name}\n{bases}\n" for name, bases in self.bases.items()))
        self.lines = [line for name in LENGTHS for line in self._records(name)]
        self.lines += [f"decoy\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT" + "\t0/1" * 5 for pos in (7, 9)]

    def file(self, kind: str) -> VariantFile:
        """The cohort in a container, with its index."""
        text = self.folder / "cohort.vcf"
        text.write_text("\n".join([*HEADER, *self.lines]) + "\n")
        letter, suffix, index = KINDS[kind]
        path = self.folder / f"{kind}{suffix}"
        _bcftools("view", "--no-version", f"-O{letter}", "-o", path, text)
        if kind == "thinned":
            whole = gzip.decompress(path.read_bytes())
            path.write_bytes(small_blocks(whole, header_of(whole), 1, 50))
        _bcftools("index", index, path)
        return VariantFile(path)

    def _sequence(self, contig: str, length: int) -> str:
        bases = "".join(self._chance.choices("ACGT", k=length))
        for border in range(BLOCK_SIZE, length, BLOCK_SIZE):
            unit = "".join(self._chance.choices("ACGT", k=self._chance.choice([1, 2, 3])))
            repeat = unit * 40
            start = border - self._chance.randrange(20, 30)
            self._repeats[contig].append((start, len(unit)))
            bases = bases[:start] + repeat + bases[start + len(repeat) :]
        return bases

    def _records(self, contig: str) -> list[str]:
        length = LENGTHS[contig]
        places = [self._chance.randrange(1, length - 200) for _ in range(30)]
        for border in range(BLOCK_SIZE, length, BLOCK_SIZE):
            places += [border + self._chance.randrange(-150, 150) for _ in range(40)]
        records = [(pos, self._record(contig, pos)) for pos in places]
        for start, unit in self._repeats[contig]:
            # one insertion told of on both sides of the border: the second comes again
            for pos in (start + 4, start + 36):
                records.append((pos, self._insertion(contig, pos, unit)))
        return [line for _, line in sorted(records, key=lambda record: record[0])]

    def _insertion(self, contig: str, pos: int, length: int) -> str:
        ref, inserted = self.bases[contig][pos - 1], self.bases[contig][pos : pos + length]
        people = [self._person(1) for _ in KARYOTYPES]
        return "\t".join([contig, str(pos), ".", ref, ref + inserted, ".", "PASS", ".", "GT:PL:DP:GQ", *people])

    def _record(self, contig: str, pos: int) -> str:
        chance, bases = self._chance, self.bases[contig]
        # at one border nothing reaches over, so that nothing leads a reader to what lies before it
        short = abs(pos - 3 * BLOCK_SIZE) < 5000
        ref = bases[pos - 1 : pos - 1 + chance.choice([1, 1, 2, 4, 4 if short else 30])]
        alts = {
            chance.choice("ACGT"), ref[0] + bases[pos : pos + chance.choice([1, 2, 3])] + ref[1:],
            ref[:1], "*", "<DEL>",
        } - {ref}  # fmt: skip
        alt = chance.sample(sorted(alts), chance.choice([1, 1, 2]))
        info = "."
        if chance.random() < 0.2 and not short:
            alt, info = ["<NON_REF>"], f"END={min(pos + chance.choice([5, 300, 4000]), len(bases))}"
        people = [self._person(len(alt)) for _ in KARYOTYPES]
        return "\t".join([contig, str(pos), ".", ref, ",".join(alt), ".", "PASS", info, "GT:PL:DP:GQ", *people])

    def _person(self, alts: int) -> str:
        chance = self._chance
        first, second = (chance.choice(["0", ".", *map(str, range(alts + 1))]) for _ in range(2))
        return (
            f"{first}{chance.choice('/|')}{second}:{'9,' * 20}0:{chance.choice(['5', '30', '.'])}"
            f":{chance.choice(['9', '60', '.'])}"
        )


def _bcftools(*words: object) -> None:
    subprocess.run([sys.executable, BCFTOOLS, *map(str, words)], check=True, capture_output=True)


def job_of(cohort: LongCohort, file: VariantFile, seed: int) -> CountJob:
    people = People(tuple("abcde"), KARYOTYPES, ("AA_F", "AA_M", "BB_M", "BB_U", "AA_F"))
    spans = {"chr2": [(10, 1_500_000)], "chr3": [(2, 5)]} if seed % 2 else {}
    bases = Reference(cohort.reference).bases
    mask = (NO_MASK, ADJ, GENOTYPES)[seed % 3].for_fields(file.formats)
    file = VariantFile(file.path, genotypes_only=mask.genotypes_only)
    return CountJob(file, people, CountRules(BUILD, mask, bases, spans, unknown_outside=not seed % 2))


def written(out: Path, blocks: object, ledger: Ledger) -> dict[str, bytes]:
    with new_summary(out) as writer:
        for key, block in blocks:  # type: ignore[attr-defined]
            writer.write(key, block)
        writer.finish(Manifest({}, ledger={name: n for name, n in sorted(ledger.entries.items()) if n}))
    return _bytes(out)


def shards(file: VariantFile, size: int) -> list[Shard]:
    index = read_index(file.path, list(file.contig_lengths))
    assert index is not None
    return shards_of(index, BUILD, size, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_shards_count_what_one_piece_counts(
    seed: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = LongCohort(seed, tmp_path)
    job = job_of(cohort, cohort.file(kind), seed)
    if kind == "thinned":
        monkeypatch.setattr(bcf_window, "MANY", 1)
        monkeypatch.setattr(bcf_window, "LONG", 0)
    whole = Ledger()
    reader = reader_of(job.file, job.people, "reference")[0]
    expected = written(tmp_path / "out", count_sites(reader, job.people, job.rules, whole), whole)
    assert expected["variants/chrX.parquet"]
    # a batch ends near the shard, and does not hold by luck what a shard must read beyond it
    monkeypatch.setattr("tessera.cohort.kernel.RECORDS", 4)
    # of a size of 0 each block is a shard; of a large one several are
    layouts = [shards(job.file, 0), shards(job.file, 1 << 40), shards_of(exact_index(job), BUILD, 0, 1)]
    assert [len(cut) for cut in layouts] == [7, 3, 7]
    for cut in layouts:
        ledger = Ledger()
        found = written(tmp_path / "out", count_in_shards(job, cut, (count_shard(job, s) for s in cut), ledger), ledger)
        assert found == expected
        assert ledger.entries == whole.entries
        assert ledger.records == whole.records
        assert ledger.bases == whole.bases
        assert np.array_equal(ledger.tallies, whole.tallies)


def exact_index(job: CountJob) -> dict[str, ContigIndex]:
    """An index that leads to the first record that reaches a base, and not to one before it in the same BGZF block."""
    found: dict[str, list[tuple[int, int]]] = {}
    for sites in KernelReader(job.file, members_of(job.file.samples, job.people), "abcde").batches():
        found.setdefault(sites.contig, []).extend((sites.place(r), int(sites.end[r])) for r in range(len(sites.pos)))
    return {
        contig: ContigIndex(
            np.r_[0, np.maximum.accumulate([end for _, end in records[:-1]])], np.array([place for place, _ in records])
        )
        for contig, records in found.items()
    }


def test_an_index_that_leaves_records_out_is_noticed(tmp_path: Path) -> None:
    cohort = LongCohort(1, tmp_path)
    job = job_of(cohort, cohort.file("csi"), 1)
    cut = shards(job.file, 0)
    assert [s.contig for s in cut] == ["chrX"] * 4 + ["chr2"] * 2 + ["decoy"]
    later = int(exact_index(job)["chrX"].offsets[-1])
    wrong = [
        cut[:-1], [replace(cut[4], offset=None), *cut[5:]], [*cut[:2], *cut[3:]], [*cut[:2], cut[1], *cut[2:]],
        [*cut[:2], replace(cut[2], offset=later), *cut[3:]],
    ]  # fmt: skip
    for some in wrong:
        with pytest.raises(InputError, match=r"each of its records once.*(\n.*)?bcftools index"):
            list(count_in_shards(job, some, (count_shard(job, s) for s in some), Ledger()))


def test_an_index_older_than_its_file_is_not_believed(tmp_path: Path) -> None:
    file = LongCohort(2, tmp_path).file("tbi")
    os.utime(f"{file.path}.tbi", (1, 1))
    assert read_index(file.path, []) is None


@pytest.mark.parametrize("damage", [b"", b"TBI\1", b"TBI\1" + bytes(7), b"BAI\1" + bytes(40), b"TBI\1" + b"\xff" * 60])
def test_a_damaged_index_is_refused(damage: bytes, tmp_path: Path) -> None:
    file = LongCohort(2, tmp_path).file("tbi")
    Path(f"{file.path}.tbi").write_bytes(damage)
    with pytest.raises(InputError, match=r"not readable as an index.*(\n.*)?bcftools index"):
        read_index(file.path, [])


def test_a_broken_line_is_told_by_its_number_in_the_file(tmp_path: Path) -> None:
    cohort = LongCohort(3, tmp_path)
    number = len(cohort.lines) - 5
    fields = cohort.lines[number].split("\t")
    cohort.lines[number] = "\t".join([*fields[:9], "0/9:5:5:5", *fields[10:]])
    file = cohort.file("csi")
    job = job_of(cohort, file, 1)
    with pytest.raises(InputError, match=f"line {_lines_of_header(file.path) + number + 1},"):
        list(map(count_shard, [job] * 7, shards(file, 0)))


def _lines_of_header(path: Path) -> int:
    done = subprocess.run(
        [sys.executable, BCFTOOLS, "view", "--no-version", "-h", str(path)], check=True, capture_output=True
    )
    return done.stdout.count(b"\n")


def kill_the_first_time(marker: Path, item: int) -> int:
    """What item 3 meets: its process is killed once."""
    if item == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), 9)
    return item * item


def test_what_a_killed_worker_was_at_is_done_again(tmp_path: Path) -> None:
    with Workers(2).map(kill_the_first_time, tmp_path / "marker", range(8)) as results:
        assert list(results) == [item * item for item in range(8)]
    assert (tmp_path / "marker").exists()


def kill(_: None, item: int) -> int:
    """What no process survives."""
    os.kill(os.getpid(), 9)
    return item


def refuse_it(_: None, item: int) -> int:
    """What an input that is refused leads to."""
    raise refuse(f"file {item}", "something " * item, "something else")


@pytest.mark.parametrize("length", [1, 5000])
def test_what_a_worker_refuses_is_refused_in_its_words(length: int) -> None:
    with Workers(1).map(refuse_it, None, [length]) as results, pytest.raises(InputError) as refused:
        list(results)
    assert str(refused.value) == f"file {length}: {'something ' * length}; expected something else."


def test_workers_that_always_die_are_told_of() -> None:
    with Workers(1).map(kill, None, [1]) as results, pytest.raises(InputError, match="--max-memory"):
        list(results)


@pytest.mark.parametrize("size", ["much", "8X", "-3GB", "500MB"])
def test_memory_that_is_no_size_or_too_little_is_refused(size: str) -> None:
    with pytest.raises(InputError, match="--max-memory"):
        assert Workers(2, size).memory_of_each


def test_the_command_counts_by_two_workers_what_it_counts_alone(tmp_path: Path) -> None:
    cohort = LongCohort(5, tmp_path)
    file = cohort.file("csi").path
    (tmp_path / "build.yaml").write_text(
        "name: long\ncontigs:\n"
        + "".join(f"  - {{name: {c.name}, kind: {c.kind}, length: {c.length}}}\n" for c in BUILD.contigs[:2])
        + "par:\n  - {name: PAR1, x: [0, 1000003], y: [0, 1000003]}\n"
    )
    rows = [f"{name}\t{karyotype}\tAA\n" for name, karyotype in zip("abcde", KARYOTYPES, strict=True)]
    (tmp_path / "samples.tsv").write_text("sample\tsex\tpopulation\n" + "".join(rows))

    def start(out: Path, *more: str, **environment: str) -> subprocess.Popen[str]:
        words = [
            sys.executable, "-m", "tessera", "count", "--input", file, "--samples", tmp_path / "samples.tsv",
            "--reference", cohort.reference, "--build", tmp_path / "build.yaml", "--out", out, *more,
        ]  # fmt: skip
        return subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True, env=os.environ | environment)

    def count(out: Path, *more: str) -> str:
        process = start(out, *more)
        told = process.communicate()[1]
        assert process.returncode == 0, told
        return told

    alone, together = tmp_path / "alone", tmp_path / "together"
    assert "2 workers" not in count(alone)
    assert "engine: kernel, 2 workers" in count(together, "--workers", "2", "--max-memory", "3GB")
    assert _bytes(together) == _bytes(alone)
    srun = {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "1"}
    tasks = [start(together, "--cluster", "srun", SLURM_PROCID=str(number), **srun) for number in range(4)]
    told = [task.communicate()[1] for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0, 0, 0], told
    assert "engine: kernel, 2 workers" in told[1]
    assert _bytes(together) == _bytes(alone)
    Path(f"{file}.csi").unlink()
    assert "one process for want of a current index" in count(together, "--workers", "2")
    assert _bytes(together) == _bytes(alone)


def test_an_indexed_file_without_records_is_counted(tmp_path: Path) -> None:
    cohort = LongCohort(4, tmp_path)
    cohort.lines = []
    job, ledger = job_of(cohort, cohort.file("csi"), 0), Ledger()
    with count_file(job.file, job.people, job.rules, ledger, "kernel", Workers(2)) as (blocks, _):
        parts = [part for _, part in blocks]
    assert sum(len(part.variants) for part in parts) == 0
    assert {key for part in parts for key in part.an_track.frame["contig"]} == {c.name for c in BUILD.contigs}
    assert ledger.records["read"] == 0


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
