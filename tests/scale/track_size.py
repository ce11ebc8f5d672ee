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
import pyarrow.parquet as pq

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
COLUMNS = ("start", "end", "n_dip", "n_hap", "an_unknown")
#: another way to write the track -> options of pyarrow's writer
WAYS: dict[str, dict[str, object]] = {
    "dictionary, zstd": {"compression": "zstd"},
    "zstd 9": {"compression": "zstd", "compression_level": 9},
    "delta, zstd": {
        "compression": "zstd", "use_dictionary": ["contig", "stratum"],
        "column_encoding": dict.fromkeys(COLUMNS, "DELTA_BINARY_PACKED"),
    },
    "delta of start and end, zstd": {
        "compression": "zstd", "use_dictionary": ["contig", "stratum", *COLUMNS[2:]],
        "column_encoding": dict.fromkeys(COLUMNS[:2], "DELTA_BINARY_PACKED"),
    },
    "bytes apart, zstd": {
        "compression": "zstd", "use_dictionary": ["contig", "stratum", *COLUMNS[2:]],
        "column_encoding": dict.fromkeys(COLUMNS[:2], "BYTE_STREAM_SPLIT"),
    },
}  # fmt: skip


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
    """For each way to write a track: bytes per row, MB of a genome, and seconds to write and to read a million rows."""
    table = pq.read_table(track)
    rows = [["as stored", *_size(track.stat().st_size, table.num_rows), "", ""]]
    for way, options in WAYS.items():
        began = time.process_time()
        target = io.BytesIO()
        pq.write_table(table, target, store_schema=False, **options)
        wrote = time.process_time()
        pq.read_table(io.BytesIO(target.getvalue()))
        read, size = time.process_time(), target.getbuffer().nbytes
        each = 1e6 / table.num_rows
        seconds = f"{(wrote - began) * each:.2f}", f"{(read - wrote) * each:.2f}"
        rows.append([way, *_size(size, table.num_rows), *seconds])
    return rows


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
        (folder / "s.tsv").write_text("sample\tsex\tpopulation\n" + "".join(f"{n}\tXX\tXA\n" for n in names))
        for person in names:
            write_gvcf(folder / f"{person}.g.vcf", person, runs, rng)
            tessera("count", "--input", folder / f"{person}.g.vcf", "--samples", folder / "s.tsv", "--sample", person,
                    "--build", folder / "build.yaml", "--assume-normalised", "--out", folder / person)  # fmt: skip
        print("| people | runs in a million bases | way | bytes a run | MB a genome | s to write 1 M | s to read 1 M |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for people in PEOPLE:
            tessera("merge", *(folder / person for person in names[:people]), "--out", folder / f"sum{people}")
            track = folder / f"sum{people}" / "an_track" / "chr1.parquet"
            for row in measure(track):
                print(f"| {people} | {pq.read_metadata(track).num_rows:,} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
