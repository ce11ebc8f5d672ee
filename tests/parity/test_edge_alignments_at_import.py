"""Every public BAM, CRAM and SAM of edge cases, through what a file that came aligned meets at import.

Their names, folders and index say what they are. Each is asked by `tessera check --alignments` as it came, on the
reference of the CRAM specification's examples; those that lack only read groups or the right reference are given both,
as the refusal says, and go on through the commands of the rule import_alignments to a CRAM with all their reads.
"""

import csv
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pysam
import pytest
from click.testing import CliRunner, Result
from pysam.utils import SamtoolsError

from tessera.cli import tessera
from tessera.errors import InputError

DATA = Path(os.environ.get("TESSERA_SHARED") or Path(__file__).parents[3] / "shared") / "data"
EDGE = "02_alignment_edge"
#: of ce.fa, the one contig that the build counts
CONTIG, LENGTH = "CHROMOSOME_I", 1009800

# what is wrong with a file, and the sentence that says so
UNREADABLE = r": not readable as BAM or CRAM \(.+\); expected a BAM or CRAM file, whole\.$"
CUT_SHORT = r": cut short: no end-of-file block; expected a BAM or CRAM file, whole\.$"
READ_GROUPS = r" header: read groups of .+; expected SM:\w+, as the sheet says\.$"
REFERENCE = r" header: contig .+: none of that name among .+; expected [\d,]+ bases as in the run's reference\.$"

#: files that say nothing that could be BAM or CRAM -> why
NOT_READABLE = {
    "hts-specs_cram/3.0/failed/0000_empty_noeof.sam": "no bytes: the text of a CRAM without header and reads",
    "hts-specs_cram/3.0/passed/0001_empty_eof.sam": "the same",
    "markdup/1_name_sort.expected.sam": "no bytes: duplicates are not marked in order of names",
    "quickcheck/2.quickcheck.badheader.bam": "the first bytes are not BAM's",
    "quickcheck/1.quickcheck.badeof.bam": "a BAM without end is refused as it is opened, and its header not looked at",
}
#: of the specification's examples that must pass, those not on CHROMOSOME_I, by the number that their names begin with
ELSEWHERE = {
    "0001": "no contigs",
    **dict.fromkeys(("0100", "0101", "0200", "0300", "0301", "0302", "0303"), "chr1 of another genome, with M5"),
    "1002": "no contigs: reads that are not aligned",
    "1200": "CHROMOSOME_II, beyond its end",
    "1401": "no contigs: reads that are not aligned",
}
#: files that a reference can be made for: contig and length; the others have no contigs, contigs of a hundred million
#: bases and more, one whose name (with a colon) no build may have, or an M5 of bases that are not at hand
OTHER_GENOMES = {
    r"markdup/[1-6]_.*": ("contig_000000000", 11391),
    r"markdup/(1[3-7]|19|2[01])_.*": ("chr1", 20000),
    r"quickcheck/[34]\.quickcheck\.ok\.bam": ("insert", 599),
    r"hts-specs_cram/3\.0/passed/1200_overflow\..*": ("CHROMOSOME_II", 5000),
}
#: files whose header has the M5 of bases that are not at hand: contig and length
UNKNOWN_BASES = {
    r"hts-specs_cram/3\.0/passed/0[1-3]\d\d_.*": ("chr1", 1000),
    r"quickcheck/[67]\.quickcheck\.cram.*": ("17", 4200),
}


@dataclass(frozen=True)
class Edge:
    """A file, by its name below the folder, and what its index says: whole or not, reads (None: not told), sample."""

    name: str
    whole: bool
    reads: int | None
    sample: str | None

    @property
    def on_contig(self) -> bool:
        """Whether it is on the reference of the specification's examples."""
        if "bgzf_boundaries" in self.name:
            return True
        return "3.0/passed" in self.name and Path(self.name).name[:4] not in ELSEWHERE

    @property
    def refusals(self) -> set[str]:
        """What is wrong with it as it came."""
        if self.name in NOT_READABLE:
            return {UNREADABLE}
        cut_short = "truncated" in self.name or self.name.endswith("noeof.cram")
        found = {CUT_SHORT: cut_short, READ_GROUPS: not self.sample, REFERENCE: not self.on_contig}
        return {sentence for sentence, is_so in found.items() if is_so}

    @property
    def genome(self) -> tuple[str, int] | None:
        """Contig and length of a reference that it is on; None where its contigs are unknown, or too long to write."""
        if self.on_contig:
            return CONTIG, LENGTH
        return next((genome for pattern, genome in OTHER_GENOMES.items() if re.fullmatch(pattern, self.name)), None)


def edges() -> Iterator[Edge]:
    """Each file of the index; a CRAM that was not read there has the reads of the text beside it."""
    if not (DATA / "INDEX.tsv").is_file():
        return
    found: dict[str, Edge] = {}
    with (DATA / "INDEX.tsv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            name = row["file"].removeprefix(f"{EDGE}/")
            if name != row["file"] and name.endswith((".bam", ".cram", ".sam")):
                reads, sample = re.search(r"reads=(\w+)", row["verified"]), re.search(r"SM=([\w-]+)", row["verified"])
                assert reads, row
                assert sample, row
                number = int(reads[1]) if reads[1].isdigit() else None
                whole = row["verified"].startswith("quickcheck ok")
                found[name] = Edge(name, whole, number, sample[1] if sample[1] != "-" else None)
    for name, edge in sorted(found.items()):
        text = found.get(re.sub(r"\.cram$", ".sam", name), edge)
        yield replace(edge, reads=text.reads if edge.reads is None else edge.reads)


EDGES = list(edges())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """Folder of the references, each with the build that counts its contig; nothing is fetched from elsewhere."""
    folder = tmp_path_factory.mktemp("run")
    specified = (shared / EDGE / "hts-specs_cram" / "ce.fa").read_text()
    write_reference(folder, CONTIG, LENGTH, specified)
    for contig, length in set(OTHER_GENOMES.values()):
        unknown = f">{contig}\n{'N' * length}\n"
        write_reference(folder, contig, length, specified if f">{contig}\n" in specified else unknown)
    return folder


def write_reference(folder: Path, contig: str, length: int, fasta: str) -> None:
    (folder / f"{contig}.fa").write_text(fasta)
    pysam.faidx(str(folder / f"{contig}.fa"))
    (folder / f"{contig}.yaml").write_text(
        f'name: t\ncontigs: [{{name: "{contig}", kind: autosome, length: {length}}}]\n'
    )


@pytest.fixture(autouse=True)
def nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REF_PATH", "/dev/null")
    monkeypatch.delenv("REF_CACHE", raising=False)


def check(path: Path, sample: str, run: Path, contig: str) -> Result:
    """What the rule check_alignments asks."""
    reference = ["--reference", str(run / f"{contig}.fa"), "--build", str(run / f"{contig}.yaml")]
    return CliRunner().invoke(tessera, ["check", "--alignments", str(path), "--sample", sample, *reference])


def problems(done: Result) -> list[str]:
    """First lines of the refusal; each has a second that says what to do."""
    if done.exit_code == 0:
        assert done.output.endswith("\n")
        return []
    assert isinstance(done.exception, InputError), done.exception  # the command line prints it and exits with 2
    assert all(problem.remedy for problem in done.exception.problems)
    return [str(problem).split("\n")[0] for problem in done.exception.problems]


@pytest.mark.parametrize("edge", EDGES, ids=[edge.name for edge in EDGES])
def test_a_file_as_it_came_is_taken_or_refused_for_what_is_wrong_with_it(edge: Edge, run: Path) -> None:
    path = DATA / EDGE / edge.name
    said = problems(check(path, edge.sample or "ann", run, CONTIG))
    assert all(line.startswith(str(path)) for line in said)
    matched = {sentence for sentence in (UNREADABLE, CUT_SHORT, READ_GROUPS, REFERENCE) for line in said
               if re.search(sentence, line.removeprefix(str(path)))}  # fmt: skip
    assert matched == edge.refusals, said
    assert len(said) == len(matched)
    assert said or edge.whole


MENDED = [edge for edge in EDGES if edge.genome and edge.refusals <= {READ_GROUPS, REFERENCE}]


@pytest.mark.parametrize("edge", MENDED, ids=[edge.name for edge in MENDED])
def test_a_file_with_read_groups_on_its_reference_becomes_a_cram_with_all_its_reads(
    edge: Edge, run: Path, tmp_path: Path
) -> None:
    assert edge.genome
    contig = edge.genome[0]
    path, reference = DATA / EDGE / edge.name, ("--reference", str(run / f"{contig}.fa"))
    if READ_GROUPS in edge.refusals:
        given = tmp_path / "given.bam"
        group = ("-w", "-m", "overwrite_all", "-r", "@RG\\tID:1\\tSM:ann")
        pysam.addreplacerg("--no-PG", *group, *reference, "-O", "bam", "-o", str(given), str(path))
        path = given
    assert problems(check(path, edge.sample or "ann", run, contig)) == []
    cram = tmp_path / "imported.cram"
    import_alignments(path, reference, cram)
    found = reads_of(pysam.view(*reference, str(cram)))
    assert len(found) == edge.reads
    assert cram.with_name(f"{cram.name}.crai").is_file()  # which only a file in order of coordinates has
    text = (DATA / EDGE / edge.name).with_suffix(".sam")
    if text.is_file():
        assert found == reads_of(text.read_text())


def reads_of(text: str) -> list[tuple[str, ...]]:
    """QNAME, FLAG, RNAME, POS, MAPQ, CIGAR and SEQ of the lines of a SAM file, in order of themselves."""
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("@"))
    return sorted((*row[:6], row[9]) for row in rows)


STATED = [(edge, genome) for edge in EDGES for name, genome in UNKNOWN_BASES.items() if re.fullmatch(name, edge.name)]


@pytest.mark.parametrize(("edge", "genome"), STATED, ids=[edge.name for edge, _ in STATED])
def test_a_contig_of_the_same_name_and_length_and_of_other_bases_is_refused(
    edge: Edge, genome: tuple[str, int], tmp_path: Path
) -> None:
    contig, length = genome
    write_reference(tmp_path, contig, length, f">{contig}\n{'N' * length}\n")
    path = DATA / EDGE / edge.name
    said = [line for line in problems(check(path, edge.sample or "ann", tmp_path, contig)) if "read groups" not in line]
    md5 = hashlib.md5(b"N" * length).hexdigest()
    sentence = rf"contig {contig}: bases with MD5 [0-9a-f]{{32}}; expected MD5 {md5} as in the run's reference\.$"
    assert len(said) == 1
    assert re.search(sentence, said[0])


def import_alignments(path: Path, reference: tuple[str, str], cram: Path) -> None:
    """The commands of the rule of that name, one after the other."""
    pysam.quickcheck("-v", str(path))
    in_order = str(cram.with_suffix(".bam"))
    pysam.sort("--no-PG", "-u", *reference, "-o", in_order, str(path))
    pysam.view("--no-PG", *reference, "--output-fmt", "cram,version=3.0", "--write-index", "-o", str(cram), in_order,
               catch_stdout=False)  # fmt: skip


@pytest.mark.parametrize("name", ["2.quickcheck.badheader.bam", "9.quickcheck.cram30.truncated.cram"])
def test_the_command_line_says_it_in_sentences_and_exits_with_2(name: str, run: Path, shared: Path) -> None:
    reference = ["--reference", str(run / f"{CONTIG}.fa"), "--build", str(run / f"{CONTIG}.yaml")]
    command = ["check", "--alignments", str(shared / EDGE / "quickcheck" / name), "--sample", "ann", *reference]
    done = subprocess.run(
        [sys.executable, "-m", "tessera", *command], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = done.stderr.splitlines()
    assert all(line.startswith(("tessera: error: ", "  ")) for line in said), done.stderr
    assert "  Copy it again, and compare its checksum with the original's." in said


def test_what_must_fail_by_name_is_refused_by_the_first_command_of_the_import_too(shared: Path) -> None:
    """Cut short by its name -> refused by samtools quickcheck too."""
    cut_short = [edge.name for edge in EDGES if CUT_SHORT in edge.refusals]
    assert len(cut_short) == 4
    for name in cut_short:
        with pytest.raises(SamtoolsError):
            pysam.quickcheck("-v", str(shared / EDGE / name))


def test_every_file_of_the_folder_is_asked(shared: Path) -> None:
    files = [path for path in (shared / EDGE).rglob("*") if path.suffix in (".bam", ".cram", ".sam")]
    assert {str(path.relative_to(shared / EDGE)) for path in files} == {edge.name for edge in EDGES}
    assert len(files) == 212
