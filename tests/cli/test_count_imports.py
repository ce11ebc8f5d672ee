"""A count of a plain sheet does without the libraries that take longest to load."""

import subprocess
import sys
from pathlib import Path

VCF = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=1000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	A	B
chr1	10	.	A	C	.	PASS	.	GT	0/1	0/0
"""
BUILD = "name: tiny\ncontigs:\n  - {name: chr1, kind: autosome, length: 1000}\npar: []\n"
SHEET = "sample\tsex\tpopulation\tvcf\nA\tfemale\tX\tx.vcf\nB\tmale\tX\tx.vcf\n"
PROGRAM = """
import sys
import tessera.cli
try:
    tessera.cli.main()
except SystemExit as end:
    assert not end.code
print(sorted({"polars", "pandas", "dask", "pysam", "jsonschema", "cryptography"} & set(sys.modules)))
"""


def test_counting_loads_no_data_frames_and_no_cluster(tmp_path: Path) -> None:
    for name, text in (("x.vcf", VCF), ("build.yaml", BUILD), ("samples.tsv", SHEET)):
        (tmp_path / name).write_text(text)
    words = ["count", "--input", "x.vcf", "--samples", "samples.tsv", "--assume-normalised", "--build", "build.yaml"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words, "--out", "summary"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
    assert (tmp_path / "summary" / "manifest.json").exists()
