"""A BED of callable regions: what is on other contigs is told, and never lost because of a spelling."""

from pathlib import Path

import pytest

from handmade import write
from tessera.errors import InputError
from tessera.files.bed import read_bed

LENGTHS = {"chr1": 100, "chr20": 50, "chrM": 10}


def test_regions_are_sorted_and_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed = write(tmp_path / "a.bed", "#x\nchr1\t50\t60\tname\nchr1\t0\t10\nchr1\t10\t20\nchr20\t5\t50\n")
    assert read_bed(bed, LENGTHS) == {"chr1": [(0, 20), (50, 60)], "chr20": [(5, 50)]}
    assert capsys.readouterr().err == ""


def test_lines_on_contigs_that_are_not_counted_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = "".join(f"chrUn_{number}\t0\t1000000\n" for number in range(7))
    bed = write(tmp_path / "a.bed", f"{others}chrUn_0\t5\t6\nchr1\t0\t10\n")
    assert read_bed(bed, LENGTHS) == {"chr1": [(0, 10)]}
    assert capsys.readouterr().err == (
        f"{bed}: 8 regions on contigs that are not counted are left out: "
        "chrUn_0, chrUn_1, chrUn_2, chrUn_3, chrUn_4, ...\n"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("20\t0\t5\n20\t7\t9\n", "regions on 20 (2 lines); expected the name chr20"),
        ("MT\t0\t5\n", "regions on MT (1 lines); expected the name chrM"),
    ],
)
def test_a_contig_under_its_other_name_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_bed(write(tmp_path / "a.bed", f"chr1\t0\t10\n{line}"), LENGTHS)
    assert said in str(refused.value)
