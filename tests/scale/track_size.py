"""How large the AN track grows with the people: bytes of a stratum, for a genome, at 1, 10 and 100 people.

    python tests/scale/track_size.py            (needs $TESSERA_SHARED, for a real gVCF to imitate)

Makes gVCFs of a million bases in which stretches that pass the mask alternate with others, their lengths drawn from
those of a real genome (NA12878 at 30x, 250 kb of chr20). Each person's are drawn alone, so no two people fail at the
same base more often than chance has it: real people share the bases that are hard to sequence, and their track is
smaller. Each is counted, and the sums are measured. Other ways to write the same table are measured beside it.
"""

import gzip
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tessera.files.summaries import SummaryFolder
from tessera.summary.blocks import GROUP_ROWS, BlockKey

BASES, GENOME = 1_000_000, 3_100_000_000
PEOPLE = (1, 10, 100)
LIKE = "data/04_gvcf/b37_chr20/CEUTrio.20.21.gatk3.4.g.vcf.bgz"
#: a reference record longer than this is a part that nobody asked for
LONGEST = 100_000
HEADER = f"""##fileformat=VCFv4.2
##contig=<ID=chr1,length={BASES}>
##INFO=<ID=END,Number=1,Type=Integer,Description="End">
""" + "".join(f'##FORMAT=<ID={key},Number=1,Type={kind},Description="see VCF">\n'
              for key, kind in (("GT", "String"), ("GQ", "Integer"), ("DP", "Integer")))  # fmt: skip
COUNTS = ("n_dip", "n_hap", "an_unknown")
DELTA, BYTES = "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"
STEPS = {"start": DELTA, "end": DELTA}
#: another way to write the track -> the encodings of some columns, None a dictionary; others are written byte by byte
WAYS: dict[str, dict[str, str | None]] = {
    "all ends, counts in a dictionary": {**STEPS, **dict.fromkeys(COUNTS)},
    "no ends, rows of zeros instead": {"start": DELTA},
    "steps from row to row, no ends": {"n_dip": None, "n_hap": None, "an_unknown": None},
}


def real_runs(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Lengths of the stretches of chr20 that pass `adj`, and of those between them."""
    passed = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if cells[0] != "20":
                continue
            start, end = int(cells[1]) - 1, int(cells[1]) - 1 + len(cells[3])
            if cells[7].startswith("END="):
                end = int(cells[7][4:])
            value = dict(zip(cells[8].split(":"), cells[9].split(":"), strict=False))
            passes = int(value.get("GQ", 0)) >= 20 and int(value.get("MIN_DP", value.get("DP", 0))) >= 10
            if end - start < LONGEST:
                passed.append((passes, end - start))
    runs = [(passes, sum(length for _, length in some)) for passes, some in groupby(passed, key=lambda run: run[0])]
    called, between = (np.array([length for passes, length in runs if passes is wanted]) for wanted in (True, False))
    return called, between


def write_gvcf(path: Path, name: str, runs: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> None:
    """A person's blocks from end to end."""
    with path.open("w") as file:
        file.write(
            HEADER + "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), name]) + "\n"
        )
        for start, end, called in _blocks(runs, rng):
            cell = "0/0:50:30" if called else "0/0:5:30"
            file.write(f"chr1\t{start + 1}\t.\tA\t<NON_REF>\t.\t.\tEND={end}\tGT:GQ:DP\t{cell}\n")


def _blocks(runs: tuple[np.ndarray, np.ndarray], rng: np.random.Generator) -> Iterator[tuple[int, int, bool]]:
    start, called = 0, True
    while start < BASES:
        end = min(BASES, start + int(rng.choice(runs[0] if called else runs[1])))
        yield start, end, called
        start, called = end, not called


def tessera(*words: object) -> None:
    """A command in this process."""
    from tessera.cli import tessera as command

    command.main([str(word) for word in words], prog_name="tessera", standalone_mode=False)


def measure(track: Path) -> list[list[str]]:
    """For each way to write a track: bytes per run, MB of a genome, and seconds to write and to read a million runs."""
    stored = pq.read_table(track)
    count = len(stored)
    rows = [["as stored", *_size(track.stat().st_size, count), "", ""]]
    for (way, encodings), table in zip(WAYS.items(), _otherwise(stored), strict=True):
        numbers = [name for name in table.column_names if name not in ("contig", "stratum")]
        kept = {name: encodings.get(name, BYTES) for name in numbers}
        began = time.process_time()
        target = io.BytesIO()
        pq.write_table(
            table, target, store_schema=False, compression="zstd", write_statistics=["start"],
            use_dictionary=["contig", "stratum", *(name for name, encoding in kept.items() if encoding is None)],
            column_encoding={name: encoding for name, encoding in kept.items() if encoding},
        )  # fmt: skip
        wrote = time.process_time()
        pq.read_table(io.BytesIO(target.getvalue()))
        read, size = time.process_time(), target.getbuffer().nbytes
        seconds = f"{(wrote - began) * 1e6 / count:.2f}", f"{(read - wrote) * 1e6 / count:.2f}"
        rows.append([way, *_size(size, count), *seconds])
    return rows


def of_strata(summary: Path) -> list[str]:
    """Runs, MB of a genome as stored, and MB of the same runs by start, with all ends, counts in a dictionary."""
    runs = SummaryFolder(summary).rows("an_track", BlockKey("chr1", 0)).to_batch()
    by_start = io.BytesIO()
    pq.write_table(
        pa.Table.from_batches([runs]), by_start, store_schema=False, compression="zstd", column_encoding=STEPS,
        use_dictionary=["contig", "stratum", *COUNTS], write_statistics=["start"], row_group_size=GROUP_ROWS,
    )  # fmt: skip
    sizes = (summary / "an_track" / "chr1.parquet").stat().st_size, by_start.getbuffer().nbytes
    return [f"{len(runs):,}", *(_size(size, len(runs))[1] for size in sizes)]


def _otherwise(stored: pa.Table) -> Iterator[pa.Table]:
    """The tables of WAYS, of the track of one stratum in one block."""
    start = stored["start"].to_numpy()
    end = stored["end"].fill_null(-1).to_numpy().copy()
    end[:-1] = np.where(end[:-1] < 0, start[1:], end[:-1])
    text = [stored[name].combine_chunks().dictionary_encode() for name in ("contig", "stratum")]
    counts = [stored[name].to_numpy() for name in COUNTS]
    yield pa.table([text[0], start, end, text[1], *counts], names=["contig", "start", "end", "stratum", *COUNTS])
    closes = np.append(end[:-1] != start[1:], True)
    at = np.arange(len(start)) + np.cumsum(closes) - closes
    whole = np.zeros((4, len(start) + int(closes.sum())), np.int32)
    whole[0, at], whole[0, at[closes] + 1] = start, end[closes]
    for row, count in zip(whole[1:], counts, strict=True):
        row[at] = count
    text = [pa.DictionaryArray.from_arrays(np.zeros(whole.shape[1], np.int32), word.dictionary) for word in text]
    for rows in (whole, np.diff(whole, prepend=0)):
        yield pa.table([text[0], rows[0], text[1], *rows[1:]], names=["contig", "start", "stratum", *COUNTS])


def bounds(track: Path) -> tuple[float, float]:
    """MB of a genome between which lies the least that a track of one stratum can take.

    At least: who knows how long each failing stretch is, in order, and the track, knows where each begins; so a track
    takes no less than its beginnings, which many people strew over the bases by chance. At most: what a coder needs who
    knows of each step how often its length and change follow upon the change before.
    """
    stored = pq.read_table(track)
    start, dip = (stored[name].to_numpy().astype(np.int64) for name in ("start", "n_dip"))
    change, length = np.diff(dip), np.diff(start)[1:]
    begins = -change[change < 0].sum() / BASES
    least = BASES * _entropy(np.array([begins, 1 - begins]))
    pairs = [np.stack([length, change[1:], change[:-1]]), change[None, :-1]]
    both = [np.unique(of, axis=1, return_counts=True)[1] for of in pairs]
    most = len(start) * (_entropy(both[0] / both[0].sum()) - _entropy(both[1] / both[1].sum()))
    return least / 8 * GENOME / BASES / 1e6, most / 8 * GENOME / BASES / 1e6


def _entropy(shares: np.ndarray) -> float:
    """Bits."""
    return float(-(shares * np.log2(shares)).sum())


def _size(size: int, runs: int) -> tuple[str, str]:
    """Bytes of a run, and MB of a genome."""
    return f"{size / runs:.2f}", f"{size * GENOME / BASES / 1e6:,.0f}"


def main() -> None:
    """Print the tables."""
    shared = os.environ.get("TESSERA_SHARED")
    if shared is None:
        sys.exit("TESSERA_SHARED is not set; it names the folder that holds data/.")
    runs, rng = real_runs(Path(shared) / LIKE), np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "build.yaml").write_text(
            f"name: one\ncontigs:\n  - {{name: chr1, kind: autosome, length: {BASES}}}\n"
        )
        names = [f"p{number}" for number in range(PEOPLE[-1])]
        for sheet, of in (("one", "A"), ("ten", "ABCDEFGHIJ")):
            lines = [f"{person}\tXX\tX{of[at % len(of)]}\n" for at, person in enumerate(names)]
            (folder / f"{sheet}.tsv").write_text("".join(["sample\tsex\tpopulation\n", *lines]))
        for person in names:
            write_gvcf(folder / f"{person}.g.vcf", person, runs, rng)
            for sheet in ("one", "ten"):
                tessera("count", "--input", folder / f"{person}.g.vcf", "--samples", folder / f"{sheet}.tsv",
                        "--sample", person, "--build", folder / "build.yaml", "--assume-normalised", "--out",
                        folder / sheet / person)  # fmt: skip
        print("| people | runs in a million bases | way | bytes a run | MB a genome | s to write 1 M | s to read 1 M |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for people in PEOPLE:
            tessera("merge", *(folder / "one" / person for person in names[:people]), "--out", folder / f"sum{people}")
            track = folder / f"sum{people}" / "an_track" / "chr1.parquet"
            if people > 10:
                print("bounds: {:.0f} to {:.0f} MB a genome".format(*bounds(track)), file=sys.stderr)
            for row in measure(track):
                print(f"| {people} | {pq.read_metadata(track).num_rows:,} | {' | '.join(row)} |")
        tessera("merge", *(folder / "ten" / person for person in names), "--out", folder / "sum-ten")
        print("| 100 people in ten strata | {} runs | {} MB a genome | {} MB by start with all ends |".format(
            *of_strata(folder / "sum-ten")))  # fmt: skip


if __name__ == "__main__":
    main()
