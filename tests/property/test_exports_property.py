"""For any people: every export tells each cell as a loop over the summary's rows finds it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import exported
import handmade
from nation import run
from random_cohort import Cohort, random_cohort


def count(cohort: Cohort, folder: Path) -> tuple[Path, Path]:
    """The reference of a random cohort, and its summary."""
    genome = cohort.genome
    pars = zip(genome.par_x, genome.par_y, strict=True)
    build = {
        "name": "random",
        "contigs": [{"name": n, "kind": kind, "length": len(bases)} for n, (kind, bases) in genome.contigs.items()],
        "par": [{"name": f"PAR{i}", "x": list(x), "y": list(y)} for i, (x, y) in enumerate(pars, start=1)],
    }
    handmade.write(folder / "build.yaml", yaml.safe_dump(build))
    handmade.write(folder / "cohort.vcf", cohort.text)
    (folder / "callable.bed").write_text("chr1\t10\t120\nchrX\t0\t120\nchrY\t0\t110\nchrM\t0\t60\n")
    people = {
        n: f"{karyotype} {stratum[:2]}" for n, (karyotype, stratum) in zip(cohort.names, cohort.people, strict=True)
    }
    handmade.write(folder / "sheet.tsv", handmade.sheet(people))
    reference = handmade.fasta(folder / "reference.fa", {n: bases for n, (_, bases) in genome.contigs.items()})
    run("count", "--input", folder / "cohort.vcf", "--samples", folder / "sheet.tsv", "--reference", reference,
        "--build", folder / "build.yaml", "--mask", "none", "--callable", folder / "callable.bed",
        "--out", folder / "summary")  # fmt: skip
    return reference, folder / "summary"


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 8), lines=st.integers(1, 40))
def test_every_export_tells_every_cell(seed: int, people: int, lines: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference, summary = count(random_cohort(seed, people, lines, blocks=False), folder)
        of = exported.leaves(summary)
        for name, form in exported.FORMS.items():
            out = folder / name / form.out
            run(*exported.words(name, summary, reference, out))
            assert form.read(out, summary) == form.expected(of), name
