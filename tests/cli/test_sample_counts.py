"""`tessera count --sample-counts`: what each person carries, worked out by hand, by either engine."""

from pathlib import Path

import polars as pl
import pytest

from commands import Tessera
from handmade import BUILD, FORMATS, sheet, vcf, write

LINES = [
    "chr1 5 A G . PASS GT:GQ:DP 0/1:30:20 1/1:50:12",
    "chr1 9 A C . PASS GT:GQ:DP 0/1:40:30 0/0:60:16",
    "chr1 13 A AC,G . PASS GT:GQ:DP 1/2:50:40 ./.:.:.",
    "chr1 17 AC A . PASS GT:GQ:DP 0/0:60:50 0/1:10:20",
]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_each_person_has_the_counts_of_a_pencil(tessera: Tessera, tmp_path: Path, engine: str) -> None:
    # without AD nobody is asked for allele balance
    formats = {name: FORMATS[name] for name in ("GT", "GQ", "DP")}
    file = write(tmp_path / "cohort.vcf", vcf(["ann", "ben"], LINES, formats=formats))
    people = write(tmp_path / "samples.tsv", sheet({"ann": "XX EE", "ben": "XY EE"}))
    build = write(tmp_path / "build.yaml", BUILD)
    table = tmp_path / "counts.tsv"
    done = tessera(
        "count", "--input", file, "--samples", people, "--build", build, "--assume-normalised",
        "--engine", engine, "--sample-counts", table, "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.err
    ann, ben = pl.read_csv(table, separator="\t").to_dicts()
    assert ann == {
        "sample": "ann", "n_snv": 3, "n_transition": 2, "n_transversion": 1, "n_insertion": 1, "n_deletion": 0,
        "n_other": 0, "n_het": 4, "n_homalt": 0, "n_hemi": 0, "n_asked": 4, "n_called": 4, "call_rate": 1.0,
        "mean_gq": 45.0, "mean_dp": 35.0,
    }  # fmt: skip
    # ben is missing at the third record, and below GQ 20 at the last
    assert ben == {
        "sample": "ben", "n_snv": 1, "n_transition": 1, "n_transversion": 0, "n_insertion": 0, "n_deletion": 0,
        "n_other": 0, "n_het": 0, "n_homalt": 1, "n_hemi": 0, "n_asked": 4, "n_called": 2, "call_rate": 0.5,
        "mean_gq": 55.0, "mean_dp": 14.0,
    }  # fmt: skip
