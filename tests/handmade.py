"""Small inputs that tests write by hand: VCFs, sample sheets, builds and references."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pysam

FORMATS = {
    "GT": "Number=1,Type=String",
    "GQ": "Number=1,Type=Integer",
    "DP": "Number=1,Type=Integer",
    "MIN_DP": "Number=1,Type=Integer",
    "AD": "Number=R,Type=Integer",
}
BUILD = """\
name: hand
contigs:
  - {name: chr1, kind: autosome, length: 400}
  - {name: chrX, kind: x, length: 300}
  - {name: chrY, kind: y, length: 200}
  - {name: chrM, kind: mt, length: 100}
par:
  - {name: PAR1, x: [0, 60], y: [0, 60]}
"""
LENGTHS = {"chr1": 400, "chrX": 300, "chrY": 200, "chrM": 100}


def vcf(
    samples: Sequence[str],
    lines: Sequence[str],
    contigs: Mapping[str, int] = LENGTHS,
    formats: Mapping[str, str] = FORMATS,
    more: Sequence[str] = ('##INFO=<ID=END,Number=1,Type=Integer,Description="End">',),
) -> str:
    """A VCF text; blanks in `lines` are tabs, and a line gives CHROM POS REF ALT FILTER INFO FORMAT and samples."""
    header = ["##fileformat=VCFv4.3", *more, '##FILTER=<ID=LowQual,Description="low">']
    header += [f"##contig=<ID={name},length={length}>" for name, length in contigs.items()]
    header += [f'##FORMAT=<ID={name},{how},Description="{name}">' for name, how in formats.items()]
    columns = [
        "#CHROM",
        "POS",
        "ID",
        "REF",
        "ALT",
        "QUAL",
        "FILTER",
        "INFO",
        *(["FORMAT", *samples] if samples else []),
    ]
    body = []
    for line in lines:
        contig, pos, ref, alt, *rest = line.split()
        body.append("\t".join([contig, pos, ".", ref, alt, ".", *rest]))
    return "\n".join([*header, "\t".join(columns), *body]) + "\n"


def sheet(people: Mapping[str, str], more: str = "") -> str:
    """A sample sheet; `people` is sample -> karyotype and population, by a blank; `more` is a column and its cell."""
    column, _, cell = more.partition(" ")
    lines = ["\t".join(["sample", "sex", "population", *([column] if column else [])])]
    lines += ["\t".join([name, *facts.split(), *([cell] if column else [])]) for name, facts in people.items()]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> Path:
    """Write text and return its path; a name that ends in .gz is written as BGZF."""
    if path.suffix == ".gz":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text.encode())
    else:
        path.write_text(text)
    return path


def fasta(path: Path, sequences: Mapping[str, str]) -> Path:
    """An indexed FASTA."""
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences.items()))
    pysam.faidx(str(path))
    return path
