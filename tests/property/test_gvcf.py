"""One person's gVCF, whose plain blocks have a path of their own: against the count by hand, base by base; against
plain numpy where bytes are damaged; in shards; and that the blocks of the callers take that path."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from random_cohort import Cohort
from random_gvcf import DIALECTS, random_gvcf, rows_of
from random_gvcf import text_of as gvcf_text
from tessera.cohort import gvcf, kernel
from tessera.cohort.count import count_sites
from tessera.cohort.engine import reader_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.shards import CountJob, count_in_shards, count_shard, shards_of
from tessera.cohort.sites import Reader
from tessera.cohort.stretch import CountRules
from tessera.cohort.tally import TALLIES
from tessera.errors import InputError
from tessera.files.vcf import VariantFile
from tessera.files.vcf_index import read_index
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.mask import ADJ, NO_MASK
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.people import People
from test_count_oracle import MASKS, assert_equal, assert_same, bcftools, by_hand, counted, only, small_blocks, written
from test_kernel import DAMAGE
from vcf_oracle import Genome

BROKEN = [*DAMAGE, b"PASS", b";", b"END=3", b"<", b"\r"]
#: tallies of a file without a variant
NOTHING = np.zeros((1, len(TALLIES)), np.int64)
GVCFS = {
    "seed": st.integers(0, 2**32 - 1),
    "dialect": st.sampled_from(sorted(DIALECTS)),
    "lines": st.integers(1, 40),
}


def plain_lines(reader: Reader) -> tuple[int, int]:
    """Plain blocks, and all lines."""
    batches = [sites.blocks for sites in reader.batches()]
    return sum(b.lines - len(b.numbers) for b in batches if b), sum(b.lines for b in batches if b)


@pytest.mark.parametrize("basis", ["gvcf", "declared", "variant_only"])
@settings(max_examples=60)
@given(**GVCFS, mask=st.sampled_from(sorted(MASKS)))
def test_any_gvcf_is_counted_as_by_hand(basis: str, seed: int, dialect: str, lines: int, mask: str) -> None:
    cohort = random_gvcf(seed, DIALECTS[dialect], lines)
    with written(cohort.text) as path:
        found, ledger = counted(path, cohort, MASKS[mask], basis, engine="kernel")
        expected, reference = counted(path, cohort, MASKS[mask], basis, engine="reference")
    assert_equal(found, ledger, by_hand(cohort, MASKS[mask], basis), cohort)
    assert found.keys() == expected.keys()
    for key, block in found.items():
        assert_same(block, expected[key])
    assert np.array_equal(ledger.tallies + NOTHING, reference.tallies + NOTHING)


@settings(max_examples=60)
@given(
    **GVCFS, size=st.sampled_from([7, 30, 100]), step=st.sampled_from([1, 7, 1000]),
    batch=st.sampled_from([1, 2, 5, 1000]), others=st.sampled_from([1, 3, 1000]), alts=st.sampled_from([3, 4, 1000]),
)  # fmt: skip
def test_borders_of_blocks_steps_and_batches_change_nothing(
    seed: int, dialect: str, lines: int, size: int, step: int, batch: int, others: int, alts: int
) -> None:
    cohort = random_gvcf(seed, DIALECTS[dialect], lines)
    with written(cohort.text) as path, small_blocks(size), pytest.MonkeyPatch.context() as patch:
        patch.setattr(gvcf, "LINES", batch)
        patch.setattr(gvcf, "RECORDS", others)
        patch.setattr(kernel, "ALTS", alts)
        found, ledger = counted(path, cohort, step=step, engine="kernel")
        assert_equal(found, ledger, by_hand(cohort), cohort)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_blocks_of_every_caller_take_the_short_path(dialect: str) -> None:
    cohort = random_gvcf(3, DIALECTS[dialect], 40)
    lines = [line.split("\t") for line in cohort.text.splitlines() if line[0] != "#"]
    genotypes = {"0/0", "0|0", "0", "./.", "."}
    blocks = [f for f in lines if f[4] in (".", "<*>", "<NON_REF>") and f[9].split(":")[0] in genotypes]
    with written(cohort.text) as path:
        reader, _ = reader_of(VariantFile(path), People(("p0",), ("XX",), ("XA_F",)), "kernel")
        assert plain_lines(reader) == (len(blocks), len(lines))
    assert len(blocks) > len(lines) / 2


@pytest.mark.parametrize("seed", range(40))
def test_damaged_lines_are_refused_or_counted_as_lines_of_cohort_files_are(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    # where no border of ploidy is: a line across one is read again, with all that no count depends on
    cohort = only(random_gvcf(seed, DIALECTS[chance.choice(sorted(DIALECTS))], 12), "chr1")
    body = cohort.text.index("\nchr") + 1
    path = tmp_path / "damaged.g.vcf"
    for _ in range(60):
        text = bytearray(cohort.text.encode())
        for _ in range(chance.choice([1, 1, 3])):
            at = chance.randrange(body, len(text))
            text[at : at + chance.choice([0, 1, 1, 9])] = chance.choice(BROKEN)
        path.write_bytes(text)
        found = _outcome(path, cohort)
        with pytest.MonkeyPatch.context() as patch:
            # no line is plain whose FORMAT names what is not declared
            patch.setattr(gvcf, "DECLARED", ())
            expected = _outcome(path, cohort)
        assert found == expected


def _outcome(path: Path, cohort: Cohort) -> object:
    """What the kernel counts of a file, as plain values, or its problems."""
    try:
        found, ledger = counted(path, cohort, ADJ, engine="kernel")
    except InputError as error:
        return str(error)
    rows = {key: [table.rows() for table in (b.variants, b.an_track, b.histograms)] for key, b in found.items()}
    return rows, +ledger.entries, ledger.records, (ledger.tallies + NOTHING).tolist()


@pytest.mark.parametrize("karyotype", ["XX", "XY"])
@pytest.mark.parametrize("seed", range(4))
def test_shards_of_a_gvcf_count_what_numpy_counts_in_one_piece(seed: int, karyotype: str, tmp_path: Path) -> None:
    chance = Random(seed)
    length = 3 * BLOCK_SIZE + 500
    sequence = "".join(chance.choices("ACGT", k=length))
    build = Build("long", (Contig("chrX", "x", length),), (Par("P", (0, BLOCK_SIZE + 3), (0, 9)),))
    rows = []
    for border in (0, BLOCK_SIZE, 2 * BLOCK_SIZE, 3 * BLOCK_SIZE):
        start = max(0, border - 400)
        some = rows_of(chance, DIALECTS["gatk"], "chrX", sequence[start : start + 800], [(397, 403)], 60)
        for row in some:
            row[1] = str(int(row[1]) + start)
            if row[7].startswith("END="):
                reach = chance.choice((0, 0, 0, 0, 700_000)) if row is some[-1] else 0
                row[7] = f"END={min(length, int(row[7][4:]) + start + reach)}"
        rows += some
    text = tmp_path / "p0.g.vcf"
    text.write_text(gvcf_text(Genome({"chrX": ("x", sequence)}, [], []), rows))
    path = tmp_path / "p0.g.vcf.gz"
    bcftools("view", "--no-version", "-Oz", "-o", path, text)
    bcftools("index", path)
    file, people = VariantFile(path), People(("p0",), (karyotype,), ("XA_F",))
    mask = chance.choice((ADJ, NO_MASK)).for_fields(file.formats)
    rules = CountRules(build, mask, lambda _, a, b: sequence[a:b], {}, unknown_outside=False)
    whole, ledger = Ledger(), Ledger()
    parts = count_sites(reader_of(file, people, "reference")[0], people, rules, whole)
    expected = {key: part.block for key, part in parts}
    job = CountJob(file, people, rules)
    index = read_index(path, ["chrX"])
    assert index is not None
    cut = shards_of(index, build, 0, 1)
    parts = count_in_shards(job, cut, (count_shard(job, shard) for shard in cut), ledger)
    found = {key: part.block for key, part in parts}
    assert len(cut) == 4
    assert found.keys() == expected.keys()
    for key, block in found.items():
        assert_same(block, expected[key])
    assert (ledger.records, ledger.entries) == (whole.records, whole.entries)
    assert np.array_equal(ledger.tallies, whole.tallies)


def test_a_gvcf_of_gatk_counts_as_by_numpy(shared: Path) -> None:
    file = VariantFile(shared / "04_gvcf/b37_chr20/CEUTrio.20.21.gatk3.4.g.vcf.bgz")
    lengths = {name: file.contig_lengths[name] or 0 for name in ("20", "21")}
    build = Build("b37", tuple(Contig(name, "autosome", length) for name, length in lengths.items()))
    people = People(tuple(file.samples), ("XX",), ("XA_F",))
    rules = CountRules(build, ADJ.for_fields(file.formats), None, {}, unknown_outside=False)
    outcomes = []
    for engine in ("kernel", "reference"):
        ledger = Ledger()
        reader, _ = reader_of(file, people, engine)  # type: ignore[arg-type]
        outcomes.append(({key: part.block for key, part in count_sites(reader, people, rules, ledger)}, ledger))
        if engine == "kernel":
            plain, all_lines = plain_lines(reader)
            assert plain > all_lines / 2
    (found, counted_so), (expected, counted_slowly) = outcomes
    assert found.keys() == expected.keys()
    for key, block in found.items():
        assert_same(block, expected[key])
    assert counted_so.records == counted_slowly.records
    assert counted_so.entries == counted_slowly.entries
    assert np.array_equal(counted_so.tallies, counted_slowly.tallies)
