"""Alleles that are not written in bases have no row, and their carriers are not lost: by hand, for both engines."""

import json
from pathlib import Path

import pytest

from commands import Bcftools, Tessera
from handmade import BUILD, FORMATS, sheet, vcf, write

PEOPLE = {"ann": "XX EE", "ben": "XY EE", "cat": "XX EE"}
MORE = ('##INFO=<ID=END,Number=1,Type=Integer,Description="End">', '##ALT=<ID=DEL,Description="deletion">',
        '##ALT=<ID=INS,Description="insertion">', '##ALT=<ID=DUP:TANDEM,Description="duplication">')  # fmt: skip
ASKED = {name: FORMATS[name] for name in ("GT", "GQ", "DP")}
#: three people's genotypes; all pass the mask but cat at 90, whose GQ is low
LINES = [
    "chr1 20 A <DEL> PASS END=40 GT:GQ:DP 0/1:50:30 0/0:50:30 1/1:50:30",
    "chr1 20 A <DEL> PASS END=60 GT:GQ:DP 0/0:50:30 0/1:50:30 0/0:50:30",
    "chr1 50 A C,<INS> PASS . GT:GQ:DP 1/2:50:30 0/1:50:30 2/2:50:30",
    "chr1 70 AC A,<DUP:TANDEM>,* PASS . GT:GQ:DP 2/3:50:30 1/1:50:30 ./2:50:30",
    "chr1 90 A A[chrX:7[,T PASS . GT:GQ:DP 0/1:50:30 0/2:50:30 0/1:9:30",
]
#: pos, ref, alt, and of three people AN and AC; by hand
COUNTED = [(50, "A", "C", 6, 2), (70, "AC", "A", 4, 2), (90, "A", "T", 4, 1)]


def rows(tessera: Tessera, summary: Path) -> list[tuple[int, str, str, int, int]]:
    header, *lines = tessera("show", summary).text.splitlines()
    told = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    return [(int(row["pos"]), row["ref"], row["alt"], int(row["AN"]), int(row["AC"])) for row in told]


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("kind", ["vcf", "bcf"])
def test_symbolic_alleles_and_breakends_have_no_row_and_their_carriers_are_listed(
    tessera: Tessera, bcftools: Bcftools, tmp_path: Path, kind: str, engine: str
) -> None:
    source = write(tmp_path / "a.vcf", vcf(list(PEOPLE), LINES, formats=ASKED, more=MORE))
    if kind == "bcf":
        bcftools("view", "--no-version", "-Ob", "-o", tmp_path / "a.bcf", source)
    done = tessera("count", "--input", tmp_path / f"a.{kind}", "--samples", write(tmp_path / "s.tsv", sheet(PEOPLE)),
                   "--build", write(tmp_path / "build.yaml", BUILD), "--assume-normalised", "--engine", engine,
                   "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    assert rows(tessera, tmp_path / "summary") == COUNTED
    ledger = json.loads((tmp_path / "summary" / "manifest.json").read_text())["ledger"]
    # <DEL> ann, cat; <DEL> ben; <INS> ann, cat; <DUP> ann, cat; breakend ann, cat
    assert ledger == {"carriers_in": 13, "carriers_counted": 4, "carriers_dropped:symbolic_allele": 9}
    assert tessera("verify", tmp_path / "summary").code == 0


def test_deletions_that_differ_in_end_are_not_added_up_and_still_answer_for_their_base(
    tessera: Tessera, tmp_path: Path
) -> None:
    build = write(tmp_path / "build.yaml", BUILD)
    for node, end, also in (("one", 40, "chr1 21 C T PASS . GT 0/1"), ("two", 60, "chr1 25 C T PASS . GT 0/1")):
        lines = [f"chr1 20 A <DEL> PASS END={end} GT 0/1", also]
        source = write(tmp_path / f"{node}.vcf", vcf([node], lines, formats={"GT": FORMATS["GT"]}, more=MORE))
        done = tessera("count", "--input", source, "--samples", write(tmp_path / "s.tsv", sheet({node: "XX EE"})),
                       "--build", build, "--assume-normalised", "--callable",
                       write(tmp_path / "callable.bed", "chr1\t22\t25\n"), "--out", tmp_path / node)  # fmt: skip
        assert done.code == 0, done.err
    done = tessera("merge", tmp_path / "one", tmp_path / "two", "--out", tmp_path / "both")
    assert done.code == 0, done.err
    # at 21 the other person has no record and no callable region: <DEL> answers for base 20 alone
    assert rows(tessera, tmp_path / "both") == [(21, "C", "T", 2, 1), (25, "C", "T", 4, 1)]
    ledger = json.loads((tmp_path / "both" / "manifest.json").read_text())["ledger"]
    assert ledger == {"carriers_in": 4, "carriers_counted": 2, "carriers_dropped:symbolic_allele": 2}
