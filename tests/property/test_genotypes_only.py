"""A count of genotypes alone against the count of a file from which bcftools took everything else."""

import pickle
from pathlib import Path

import pytest

from commands import Bcftools, Tessera
from handmade import sheet, write
from random_cohort import Cohort, random_cohort
from random_gvcf import DIALECTS, random_gvcf
from tessera.cohort.engine import Engine
from tessera.files.vcf import VariantFile
from tessera.schemas.mask import ADJ, GENOTYPES
from test_bcf_window import ORDERS, thinning
from test_kernel import assert_same, counted, files_of
from wide_cohort import wide_cohort

ENGINES: tuple[Engine, ...] = ("kernel", "reference")
FILES = {
    **{f"cohort {seed}": random_cohort(seed, 6, 40, blocks=False) for seed in range(3)},
    **{f"blocks {seed}": random_cohort(seed, 4, 40, blocks=True) for seed in range(3)},
    **{name: random_gvcf(len(name), dialect, 60) for name, dialect in DIALECTS.items()},
}


def of_genotypes(bcftools: Bcftools, file: Path) -> Path:
    """The file without another FORMAT field."""
    bare = file.with_name("bare.vcf")
    bcftools("annotate", "--no-version", "-x", "^FORMAT/GT", "-o", bare, file)
    return bare


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("people", [1, 7, 40])
def test_every_engine_and_container_counts_what_bcftools_leaves(order: str, people: int, bcftools: Bcftools) -> None:
    cohort = wide_cohort(people + len(order), people, 40, order)
    with files_of(cohort) as paths:
        expected = counted(of_genotypes(bcftools, paths[0]), cohort, ADJ, "reference")
        assert expected[0]["variants/chrX.parquet"]
        if people == 40:
            assert counted(paths[0], cohort, ADJ, "kernel")[0] != expected[0]
        for path in paths:
            for engine in ENGINES:
                assert_same(counted(path, cohort, GENOTYPES, engine), expected)
        with thinning():
            assert_same(counted(paths[2], cohort, GENOTYPES, "kernel"), expected)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FILES)
def test_the_summary_is_that_of_a_file_of_genotypes(
    name: str, engine: str, tmp_path: Path, tessera: Tessera, bcftools: Bcftools
) -> None:
    cohort = FILES[name]
    full = write(tmp_path / "full.vcf", cohort.text)
    facts = {who: f"{karyotype} {of[:2]}" for who, (karyotype, of) in zip(cohort.names, cohort.people, strict=True)}
    people, genome = write(tmp_path / "samples.tsv", sheet(facts)), write(tmp_path / "build.yaml", build(cohort))
    beside = ("--samples", people, "--build", genome, "--assume-normalised", "--engine", engine)
    for source, mask, out in ((full, "genotypes", "alone"), (of_genotypes(bcftools, full), "adj", "bare")):
        done = tessera(
            "count", "--input", source, *beside, "--mask", mask, "--out", tmp_path / out,
            "--sample-counts", tmp_path / f"{out}.tsv",
        )  # fmt: skip
        assert done.code == 0, done.err
    alone, bare = (files(tmp_path / out) for out in ("alone", "bare"))
    assert "manifest.json" in alone
    assert any(name.startswith("variants/") for name in alone)
    assert alone == bare
    assert (tmp_path / "alone.tsv").read_bytes() == (tmp_path / "bare.tsv").read_bytes()


def build(cohort: Cohort) -> str:
    """The build file of a cohort's genome."""
    genome = cohort.genome
    contigs = "".join(
        f"  - {{name: {name}, kind: {kind}, length: {len(bases)}}}\n" for name, (kind, bases) in genome.contigs.items()
    )
    pars = "".join(
        f"  - {{name: PAR{at}, x: {list(x)}, y: {list(y)}}}\n"
        for at, (x, y) in enumerate(zip(genome.par_x, genome.par_y, strict=True), start=1)
    )
    return f"name: random\ncontigs:\n{contigs}par:\n{pars}"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_travels_with_what_is_read_of_it(tmp_path: Path) -> None:
    path = write(tmp_path / "x.vcf", FILES["cohort 1"].text)
    for alone in (True, False):
        file = pickle.loads(pickle.dumps(VariantFile(path, genotypes_only=alone)))
        assert (file.genotypes_only, file.formats == {"GT"}) == (alone, alone)
