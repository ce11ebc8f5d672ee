"""gVCFs of single people of whom every allele is known, to sum up to a cohort: by tessera, and by bcftools merge."""

import shutil
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pysam
import pysam.bcftools

from agreement import Agreement, summary
from cohorts import CONTIG, write_reference

Ints = npt.NDArray[np.int64]
#: bases between sites that vary, of a block, and the share of blocks that are not called
SITE, BLOCK, NOT_CALLED = 200, 120, 0.02
FORMATS = (("GT", "1,Type=String"), ("AD", "R,Type=Integer"), ("DP", "1,Type=Integer"), ("GQ", "1,Type=Integer"),
           ("MIN_DP", "1,Type=Integer"), ("PL", "G,Type=Integer"))  # fmt: skip
#: raised when the same people are written as other files
GENERATOR = 1


def make_people(folder: Path, people: int, bases: int, seed: int) -> Path:
    """A sample sheet with a gVCF of each person, beside it build, reference and truth; made where it is not there yet.

    truth.parquet has of each SNV somebody carries pos, ref, alt, AC and AN.
    """
    mark, sheet = f"{people} {bases} {seed} {GENERATOR}", folder / "samples.tsv"
    if (folder / "made").is_file() and (folder / "made").read_text() == mark:
        return sheet
    print(f"making {people} gVCFs of {bases:,} bases", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    contig = np.frombuffer(write_reference(folder / "reference.fa", bases, rng), np.uint8)
    sites = np.sort(rng.choice(np.arange(2, bases), max(1, bases // SITE), replace=False))
    alts = np.frombuffer(b"CGTA", np.uint8)[np.searchsorted(np.frombuffer(b"ACGT", np.uint8), contig[sites - 1])]
    often = rng.beta(0.2, 2, len(sites))
    counts = np.zeros((2, len(sites)), np.int64)
    names = [f"G{number:04d}" for number in range(people)]
    for name in names:
        genotypes = rng.binomial(2, often)
        called = _write_gvcf(folder / f"{name}.g.vcf.gz", name, contig, sites, alts, genotypes, rng)
        counts += genotypes, 2 * called
    carried = counts[0] > 0
    letters = [[chr(code) for code in codes[carried].tolist()] for codes in (contig[sites - 1], alts)]
    columns = {"pos": sites[carried], "ref": letters[0], "alt": letters[1], "AC": counts[0][carried]}
    pl.DataFrame({**columns, "AN": counts[1][carried]}).write_parquet(folder / "truth.parquet")
    (folder / "build.yaml").write_text(
        f"name: bench\ncontigs:\n  - {{name: {CONTIG}, kind: autosome, length: {bases}}}\n"
    )
    rows = [f"{name}\tXX\tEUR\t{folder / name}.g.vcf.gz" for name in names]
    sheet.write_text("\n".join(["sample\tsex\tpopulation\tgvcf", *rows]) + "\n")
    (folder / "files").write_text("".join(f"{folder / name}.g.vcf.gz\n" for name in names))
    (folder / "made").write_text(mark)
    return sheet


def first_line(gvcf: Path) -> Path:
    """The gVCF without all but its first record, in a folder of its own beside it with what a count needs."""
    folder = gvcf.parent / "first-line"
    if not (folder / "made").is_file():
        folder.mkdir(exist_ok=True)
        for name in ("samples.tsv", "build.yaml"):
            shutil.copy(gvcf.parent / name, folder)
        pysam.bcftools.view("--no-version", "-Oz", "-o", str(folder / gvcf.name), "-t", f"{CONTIG}:1", str(gvcf),
                            catch_stdout=False)  # fmt: skip
        (folder / "made").touch()
    return folder / gvcf.name


def lines(gvcf: Path) -> int:
    """Records of a gVCF."""
    index = pysam.TabixFile(str(gvcf))
    return sum(1 for _ in index.fetch())


def with_truth(folder: Path, people: Path) -> Agreement:
    """Compare a summary of them all with what the maker of the files knows."""
    counts = summary(folder).group_by("pos", "ref", "alt").agg(
        AC=(pl.col("n_het") + 2 * pl.col("n_homalt")).sum(), AN=(2 * pl.col("n_dip")).sum()
    )  # fmt: skip
    return _compare(counts, people)


def with_merged(merged: Path, people: Path) -> Agreement:
    """Compare the genotypes of a file that bcftools merged with what the maker of the files knows."""
    rows = []
    with pysam.VariantFile(str(merged)) as file:
        for record in file:
            alleles = [(n, alt) for n, alt in enumerate(record.alts or (), start=1) if alt in "ACGT"]
            if alleles:
                known = [a for call in record.samples.values() for a in call["GT"] if a is not None]
                rows += [(record.pos, record.ref, alt, known.count(n), len(known)) for n, alt in alleles]
    return _compare(pl.DataFrame(rows, schema=["pos", "ref", "alt", "AC", "AN"], orient="row"), people)


def _compare(found: pl.DataFrame, people: Path) -> Agreement:
    truth, key = pl.read_parquet(people.parent / "truth.parquet"), ["pos", "ref", "alt"]
    same = truth.join(found.cast({"pos": pl.Int64, "AC": pl.Int64, "AN": pl.Int64}), on=[*key, "AC", "AN"])
    different = max(len(truth), len(found)) - len(same)
    return Agreement(2 * len(truth), 0, different)


def _write_gvcf(
    path: Path, name: str, contig: npt.NDArray[np.uint8], sites: Ints, alts: npt.NDArray[np.uint8], genotypes: Ints,
    rng: np.random.Generator,
) -> npt.NDArray[np.bool_]:  # fmt: skip
    """Write one person's file; (sites,) where the person is called."""
    bases = len(contig)
    carried = sites[genotypes > 0]
    breaks = np.cumsum(rng.geometric(1 / BLOCK, 2 * bases // BLOCK + 100))
    starts = np.unique(np.concatenate([[1], breaks, carried, carried + 1]))
    starts = starts[starts <= bases]
    ends = np.append(starts[1:] - 1, bases)
    variant = np.zeros(len(starts), np.bool_)
    variant[np.searchsorted(starts, carried)] = True
    missing = ~variant & (rng.random(len(starts)) < NOT_CALLED)
    depth = rng.poisson(30, len(starts)) + 2
    of_start = dict(zip(carried.tolist(), zip(alts[genotypes > 0], genotypes[genotypes > 0], strict=True), strict=True))
    kinds = [f'##FORMAT=<ID={key},Number={kind},Description="see VCF">' for key, kind in FORMATS]
    text = [
        "##fileformat=VCFv4.2", f"##contig=<ID={CONTIG},length={bases}>", '##ALT=<ID=NON_REF,Description="any">',
        '##INFO=<ID=END,Number=1,Type=Integer,Description="last base">', *kinds,
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}",
    ]  # fmt: skip
    columns = (starts, ends, contig[starts - 1], variant, missing, depth)
    for pos, end, ref, varies, not_called, reads in zip(*(column.tolist() for column in columns), strict=True):
        quality = min(99, 3 * reads)
        if varies:
            alt, copies = of_start[pos]
            call = f"{'1/1' if copies == 2 else '0/1'}:{reads // 2},{reads - reads // 2},0:{reads}:{quality}"
            text.append(
                f"{CONTIG}\t{pos}\t.\t{ref:c}\t{alt:c},<NON_REF>\t{20 * reads}.6\t.\t.\tGT:AD:DP:GQ:PL\t"
                f"{call}:{quality},0,{9 * reads},{10 * reads},{11 * reads},{12 * reads}"
            )
        else:
            genotype = "./." if not_called else "0/0"
            text.append(
                f"{CONTIG}\t{pos}\t.\t{ref:c}\t<NON_REF>\t.\t.\tEND={end}\tGT:DP:GQ:MIN_DP:PL\t"
                f"{genotype}:{reads}:{quality}:{reads}:0,{quality},{12 * quality}"
            )
    plain = path.with_suffix("")
    plain.write_text("\n".join(text) + "\n")
    pysam.tabix_compress(str(plain), str(path), force=True)
    pysam.tabix_index(str(path), preset="vcf", force=True)
    plain.unlink()
    return ~missing[np.searchsorted(starts, sites, side="right") - 1]
