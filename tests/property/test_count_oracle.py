"""For any file: what is counted is what a person with a pencil would count, base by base."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from block_sums import combine
from random_cohort import Cohort, random_cohort
from tessera.cohort import keys, stretch
from tessera.cohort.count import count_sites
from tessera.cohort.engine import Engine, reader_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.stretch import CountRules
from tessera.files.summaries import new_summary
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.mask import ADJ, NO_MASK, Mask
from tessera.summary import blocks
from tessera.summary.blocks import BLOCK_SIZE, Block, BlockKey
from tessera.summary.manifest import Manifest
from tessera.summary.parts import Part
from tessera.summary.people import People
from vcf_oracle import Count, Expected, Genome, Rules

BCFTOOLS = Path(__file__).parents[2] / "scripts" / "wheel_tools" / "bcftools"
LOW = Mask(min_gq=5, min_dp=0, min_dp_haploid=0, min_ab=0.2)
MASKS = {"adj": ADJ, "none": NO_MASK, "low": LOW}
DECLARED = {"chr1": [(10, 60), (100, 150)], "chrX": [(20, 110)], "chrY": [(0, 110)], "chrM": [(0, 60)]}
BASES_WITHOUT_RECORD = ("gvcf", "declared", "variant_only")

COHORTS = {
    "seed": st.integers(0, 2**32 - 1),
    "people": st.integers(1, 5),
    "lines": st.integers(0, 25),
    "blocks": st.booleans(),
}
#: so many that records lie within reach of each other's left-alignment
MANY = st.integers(20, 80)
Rows = dict[tuple[Any, ...], tuple[int, ...]]


def build_of(genome: Genome) -> Build:
    """The build of a random genome."""
    contigs = tuple(Contig(name, kind, len(bases)) for name, (kind, bases) in genome.contigs.items())  # type: ignore[arg-type]
    pars = zip(genome.par_x, genome.par_y, strict=True)
    return Build("random", contigs, tuple(Par(f"PAR{i}", x, y) for i, (x, y) in enumerate(pars, start=1)))


def counted(
    path: Path,
    cohort: Cohort,
    mask: Mask = ADJ,
    basis: str = "gvcf",
    *,
    normalised: bool = False,
    step: int = 25_000,
    engine: Engine = "auto",
) -> tuple[dict[BlockKey, Block], Ledger]:
    """Count a file by the package; `basis` says what bases without a record mean."""
    file = VariantFile(path)
    bases = None if normalised else lambda contig, start, end: cohort.genome.contigs[contig][1][start:end]
    spans: Mapping[str, Sequence[tuple[int, int]]] = DECLARED if basis == "declared" else {}
    rules = CountRules(
        build_of(cohort.genome), mask.for_fields(file.formats), bases, spans, unknown_outside=basis == "variant_only"
    )
    of = dict(zip(cohort.names, cohort.people, strict=True))
    people = People(tuple(file.samples), *zip(*(of[name] for name in file.samples), strict=True))
    ledger = Ledger()
    parts = count_sites(reader_of(file, people, engine)[0], people, rules, ledger, step)
    return {key: part.block for key, part in parts}, ledger


def by_hand(cohort: Cohort, mask: Mask = ADJ, basis: str = "gvcf", *, normalised: bool = False) -> Expected:
    """Count the same text by the oracle."""
    balance = None if mask.min_ab is None else Fraction(str(mask.min_ab))
    rules = Rules(
        mask.min_gq, mask.min_dp, mask.min_dp_haploid, balance,
        declared=DECLARED if basis == "declared" else {},
        unknown_outside=basis == "variant_only", normalised=normalised,
    )  # fmt: skip
    return Count(cohort.genome, rules, cohort.text, cohort.people, blocks.BLOCK_SIZE).expected()


def rows(found: Mapping[BlockKey, Block], table: str, keys: int) -> Rows:
    """All rows of a table: the first `keys` columns -> the others."""
    listed = [row for block in found.values() for row in getattr(block, table).iter_rows()]
    assert len({row[:keys] for row in listed}) == len(listed), "a key is there twice"
    return {row[:keys]: row[keys:] for row in listed}


def bases_of(track: Rows, genome: Genome, strata: set[str]) -> dict[tuple[str, str], list[tuple[int, ...]]]:
    """The AN track written out base by base."""
    every: dict[tuple[str, str], list[tuple[int, ...]]] = {
        (contig, s): [(0, 0, 0)] * len(bases) for contig, (_, bases) in genome.contigs.items() for s in strata
    }
    for (contig, start, end, stratum), called in track.items():
        every[contig, stratum][start:end] = [called] * (end - start)
    return every


def assert_equal(found: Mapping[BlockKey, Block], ledger: Ledger, expected: Expected, cohort: Cohort) -> None:
    """Leaf table, AN track, histograms and ledger, number by number."""
    assert rows(found, "variants", 5) == {key: tuple(row) for key, row in expected.variants.items()}
    strata = {stratum for _, stratum in cohort.people}
    assert bases_of(rows(found, "an_track", 4), cohort.genome, strata) == expected.track
    assert {k: n[0] for k, n in rows(found, "histograms", 5).items()} == dict(expected.histograms)
    assert +ledger.entries == +expected.ledger
    assert +ledger.records == +expected.records
    assert +ledger.bases == +expected.bases


@contextmanager
def written(text: str, name: str = "cohort.vcf") -> Iterator[Path]:
    """The text as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text)
        yield path


@contextmanager
def small_blocks(size: int, lookback: int = 100) -> Iterator[None]:
    """As if a block had `size` bases and left-alignment reached back `lookback` bases at most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_SIZE", size)
        patch.setattr(stretch, "BLOCK_SIZE", size)
        patch.setattr(stretch, "LOOKBACK", lookback)
        patch.setattr(keys, "LOOKBACK", lookback)
        yield


def bcftools(*arguments: str | Path) -> None:
    """Run bcftools out of the wheels."""
    subprocess.run([sys.executable, BCFTOOLS, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("basis", BASES_WITHOUT_RECORD)
@settings(max_examples=40)
@given(**COHORTS, mask=st.sampled_from(sorted(MASKS)), normalised=st.booleans())
def test_any_file_is_counted_as_by_hand(
    basis: str, engine: Engine, seed: int, people: int, lines: int, blocks: bool, mask: str, normalised: bool
) -> None:
    cohort = random_cohort(seed, people, lines, blocks=blocks)
    with written(cohort.text) as path:
        found, ledger = counted(path, cohort, MASKS[mask], basis, normalised=normalised, engine=engine)
    assert_equal(found, ledger, by_hand(cohort, MASKS[mask], basis, normalised=normalised), cohort)


@settings(max_examples=60)
@given(
    **{**COHORTS, "lines": MANY},
    size=st.sampled_from([7, 30, 64, 100]),
    step=st.sampled_from([1, 7, 1000]),
    engine=st.sampled_from(["kernel", "reference"]),
)
def test_block_borders_and_steps_do_not_change_what_is_counted(
    seed: int, people: int, lines: int, blocks: bool, size: int, step: int, engine: Engine
) -> None:
    cohort = random_cohort(seed, people, lines, blocks=blocks)
    with written(cohort.text) as path, small_blocks(size):
        found, ledger = counted(path, cohort, step=step, engine=engine)
        expected = by_hand(cohort)
    for key, block in found.items():
        assert block.an_track.filter(block.an_track["start"] // size != key.index).is_empty()
        assert block.an_track.filter(block.an_track["end"] > key.end).is_empty()
    assert_equal(found, ledger, expected, cohort)


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), lines=st.integers(1, 20), step=st.sampled_from([1, 7, 1000, 25_000]))
def test_a_file_moved_across_the_border_of_two_blocks_is_counted_the_same(seed: int, lines: int, step: int) -> None:
    cohort = only(random_cohort(seed, 3, lines, blocks=True), "chr1")
    offset = BLOCK_SIZE - 75
    with written(cohort.text) as path:
        here, _ = counted(path, cohort, normalised=True)
    there_cohort = moved(cohort, offset)
    with written(there_cohort.text) as path:
        there, _ = counted(path, there_cohort, normalised=True, step=step)
    assert {key.index for key in there} <= {0, 1}
    strata = {stratum for _, stratum in cohort.people}
    tracks = [bases_of(rows(f, "an_track", 4), c.genome, strata) for f, c in ((here, cohort), (there, there_cohort))]
    assert {key: bases[offset:] for key, bases in tracks[1].items()} == tracks[0]
    assert not any(any(base) for bases in tracks[1].values() for base in bases[:offset])
    back = {(c, pos - offset, *more): n for (c, pos, *more), n in rows(there, "variants", 5).items()}
    assert back == rows(here, "variants", 5)
    assert totals(there) == totals(here)


def only(cohort: Cohort, contig: str) -> Cohort:
    """The lines and the genome of one contig."""
    lines = cohort.text.splitlines(keepends=True)
    kept = "".join(line for line in lines if line.startswith(("##f", "##A", "##I", "##F", "#C", f"{contig}\t")))
    genome = Genome({contig: cohort.genome.contigs[contig]}, [], [])
    header = f"##contig=<ID={contig},length={len(genome.contigs[contig][1])}>\n"
    return Cohort(genome, cohort.names, cohort.people, kept.replace("#CHROM", f"{header}#CHROM"))


def moved(cohort: Cohort, offset: int) -> Cohort:
    """The same lines `offset` bases further on, and so much more of the contig before them."""
    ((contig, (kind, bases)),) = cohort.genome.contigs.items()
    text = ""
    for line in cohort.text.replace(f"length={len(bases)}>", f"length={offset + len(bases)}>").splitlines():
        cells = line.split("\t")
        if not line.startswith("#"):
            cells[1] = str(int(cells[1]) + offset)
            if cells[7].startswith("END="):
                cells[7] = f"END={int(cells[7][4:]) + offset}"
        text += "\t".join(cells) + "\n"
    return Cohort(Genome({contig: (kind, "N" * offset + bases)}, [], []), cohort.names, cohort.people, text)


def totals(found: Mapping[BlockKey, Block]) -> Counter[tuple[Any, ...]]:
    """Histograms without the block they lie in."""
    total: Counter[tuple[Any, ...]] = Counter()
    for (_, _, *cell), (number,) in rows(found, "histograms", 5).items():
        total[tuple(cell)] += number
    return total


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), blocks=st.booleans())
def test_vcf_bgzf_and_bcf_give_the_same_bytes(seed: int, blocks: bool) -> None:
    cohort = random_cohort(seed, 4, 25, blocks=blocks)
    with written(cohort.text) as path:
        bgzf, bcf = path.with_name("cohort.vcf.gz"), path.with_name("cohort.bcf")
        bcftools("view", "--no-version", "-Oz", "-o", bgzf, path)
        bcftools("view", "--no-version", "-Ob", "-o", bcf, path)
        found = [stored(*counted(file, cohort), path.with_name("summary")) for file in (path, bgzf, bcf)]
    assert found[1] == found[0]
    assert found[2] == found[0]


def stored(found: Mapping[BlockKey, Block], ledger: Ledger, out: Path) -> dict[str, bytes]:
    """The files of a summary of these blocks."""
    with new_summary(out) as writer:
        for key, block in found.items():
            writer.write(key, Part.of_block(block))
        writer.finish(Manifest({}, ledger=dict(ledger.entries)))
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize("basis", BASES_WITHOUT_RECORD)
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(2, 4))
def test_people_counted_one_by_one_and_added_equal_people_counted_together(basis: str, seed: int, people: int) -> None:
    cohort = random_cohort(seed, people, 25, blocks=basis == "gvcf")
    with written(cohort.text) as path:
        together, ledger = counted(path, cohort, basis=basis)
        parts = []
        for name in cohort.names:
            alone = path.with_name(f"{name}.vcf")
            bcftools("view", "--no-version", "-I", "-s", name, "-o", alone, path)
            parts.append(counted(alone, cohort, basis=basis))
    every = {key for found, _ in parts for key in found}
    assert every == set(together)
    for key in every:
        assert_same(combine([(found[key], 1) for found, _ in parts if key in found]), together[key])
    total = sum((Counter(own.entries) for _, own in parts), Counter())
    assert +total == +ledger.entries


def assert_same(found: Block, expected: Block) -> None:
    """The three tables, row by row and column by column."""
    for table in ("variants", "an_track", "histograms"):
        assert_frame_equal(getattr(found, table), getattr(expected, table))
