"""`tessera measure-alignments --panel`: reads that are written read by read, and panels that are none."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pytest

from commands import Done, Tessera
from tessera.alignments.metrics import STATS_KEYS
from tessera.files.fasta import Reference
from tessera.files.marker_panel import marker_bases, read_panel

LENGTH, MARKERS, EVERY = 300_000, 1400, 200
BASES = random.Random(5).choices("ACGT", k=LENGTH)
STATS = "".join(f"SN\t{key}:\t10\n" for key in STATS_KEYS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A reference of one contig, its build, a panel of markers far apart, and outputs of samtools."""
    (tmp_path / "ref.fa").write_text(f">chr1\n{''.join(BASES)}\n")
    pysam.faidx(str(tmp_path / "ref.fa"))
    (tmp_path / "build.yaml").write_text(f"name: t\ncontigs: [{{name: chr1, kind: autosome, length: {LENGTH}}}]\n")
    (tmp_path / "stats.txt").write_text(STATS)
    (tmp_path / "depth.tsv").write_text("".join(f"chr1\t{i + 1}\t30\n" for i in range(LENGTH)))
    draw = np.random.default_rng(3)
    frequencies = draw.uniform(0.1, 0.9, MARKERS)
    places = [100 + at * EVERY for at in range(MARKERS)]
    alts = ["ACGT"[("ACGT".index(BASES[place]) + 1) % 4] for place in places]
    rows = [f"chr1\t{place}\t{place + 1}\t{BASES[place]}\t{alt}\n" for place, alt in zip(places, alts, strict=True)]
    (tmp_path / "panel.bed").write_text("".join(rows))
    (tmp_path / "panel.mu").write_text("".join(f"chr1:{i}\t{2 * p}\n" for i, p in enumerate(frequencies)))
    (tmp_path / "panel.UD").write_text("0\t0\t0\t0\n" * MARKERS)
    return tmp_path


def write_reads(folder: Path, name: str, rate: float, depth: int = 30) -> None:
    """A CRAM of reads of 20 bases over each marker: each of the sample or, with that rate, of another person."""
    draw = np.random.default_rng(11)
    mean = np.loadtxt(folder / "panel.mu", usecols=1)
    alts = [line.split("\t")[4].strip() for line in (folder / "panel.bed").read_text().splitlines()]
    people = [draw.binomial(2, mean / 2) for _ in range(2)]
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": "chr1", "LN": LENGTH}],
        "RG": [{"ID": "1", "SM": "s"}],
    }
    with pysam.AlignmentFile(
        str(folder / name), "wc", header=header, reference_filename=str(folder / "ref.fa")
    ) as file:
        for marker in range(MARKERS):
            start = 100 + marker * EVERY - 10
            for number in range(depth):
                whose = people[int(draw.random() < rate)]
                sequence = BASES[start : start + 20]
                if draw.random() < whose[marker] / 2:
                    sequence[10] = alts[marker]
                if draw.random() < 0.001:
                    sequence[10] = draw.choice(list("ACGT"))
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.query_sequence = f"r{marker}-{number}", "".join(sequence)
                read.query_qualities = pysam.qualitystring_to_array("?" * 20)
                read.reference_id, read.reference_start, read.mapping_quality = 0, start, 60
                read.cigartuples = [(0, 20)]
                file.write(read)
    pysam.index(str(folder / name))


def measure(tessera: Tessera, folder: Path, *more: object) -> Done:
    paths = {"--stats": "stats.txt", "--depth": "depth.tsv", "--reference": "ref.fa", "--build": "build.yaml"}
    arguments = [word for option, name in (paths | {"--out": "out.json"}).items() for word in (option, folder / name)]
    return tessera("measure-alignments", "--sample", "s", *arguments, *more)


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_the_rate_of_a_cram_is_found(tessera: Tessera, folder: Path, rate: float) -> None:
    write_reads(folder, "s.cram", rate)
    done = measure(tessera, folder, "--panel", folder / "panel", "--alignments", folder / "s.cram")
    assert done.code == 0, done.err
    found = json.loads((folder / "out.json").read_text())["wgs_qc_metrics"]["aln_metrics"]["cross_contamination_rate"]
    assert abs(found - rate) <= 0.01
    assert found == round(found, 4)


def test_bases_are_those_of_reads_that_count(folder: Path) -> None:
    """Two of the four reads over a marker are a pair, one is a duplicate, and one has a base of quality 12."""
    header = {"SQ": [{"SN": "chr1", "LN": LENGTH}]}
    ref, place = BASES[100], 100
    with pysam.AlignmentFile(str(folder / "s.bam"), "wb", header=header) as file:
        for name, flag, quality in (("p", 99, 30), ("p", 147, 25), ("d", 1024, 30), ("low", 0, 12), ("one", 0, 40)):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence, read.flag = name, ref, flag
            read.query_qualities = pysam.qualitystring_to_array(chr(33 + quality))
            read.reference_id, read.reference_start, read.mapping_quality = 0, place, 0
            read.next_reference_id, read.next_reference_start = 0, place
            read.template_length = 1 if flag == 99 else -1 if flag == 147 else 0
            read.cigartuples = [(0, 1)]
            file.write(read)
    pysam.index(str(folder / "s.bam"))
    panel = read_panel(folder / "panel", 4)
    found = marker_bases(folder / "s.bam", Reference(folder / "ref.fa"), panel, lowest=13, qualities=94)
    assert found.sum() == 2
    assert found[0, 0, 40] == 1
    assert found[0, 0, 55] == 1  # htslib adds up the qualities of mates that agree


@pytest.mark.parametrize(
    ("part", "edit", "said"),
    [
        ("bed", lambda text: text.replace("\t101\t", "\t102\t"), "panel.bed line 1: 'chr1 100 102"),
        ("bed", lambda text: text.split("\n", 1)[1], "1,399 in .bed, 1,400 in .mu, 1,400 in .UD"),
        ("mu", lambda text: "chr1:0\tnan\n" + text.split("\n", 1)[1], "panel.mu line 1: 'chr1:0 nan'; expected"),
        ("UD", lambda text: "0 0 0\n" + text.split("\n", 1)[1], "panel.UD line 1: '0 0 0'; expected at least 4"),
        ("UD", lambda _: None, "panel.UD: no such file"),
    ],
)  # fmt: skip
def test_what_is_no_panel_is_refused(
    tessera: Tessera, folder: Path, part: str, edit: Callable[[str], str | None], said: str
) -> None:
    path = folder / f"panel.{part}"
    text = edit(path.read_text())
    path.unlink()
    if text is not None:
        path.write_text(text)
    (folder / "s.cram").write_bytes(b"")
    done = measure(tessera, folder, "--panel", folder / "panel", "--alignments", folder / "s.cram")
    assert done.code == 2
    assert said in done.err
    assert not (folder / "out.json").exists()


def test_a_panel_of_another_build_is_refused(tessera: Tessera, folder: Path) -> None:
    write_reads(folder, "s.cram", 0, depth=1)
    other = "ACGT"[("ACGT".index(BASES[100]) + 2) % 4]
    path = folder / "panel.bed"
    path.write_text(path.read_text().replace(f"101\t{BASES[100]}\t", f"101\t{other}\t", 1))
    done = measure(tessera, folder, "--panel", folder / "panel", "--alignments", folder / "s.cram")
    assert done.code == 2
    assert f"marker chr1:101: REF is {other}; expected {BASES[100]} as in the reference" in done.err


def test_a_panel_without_alignments_is_refused(tessera: Tessera, folder: Path) -> None:
    done = measure(tessera, folder, "--panel", folder / "panel")
    assert done.code == 2
    assert "--panel and --alignments: one without the other" in done.err
