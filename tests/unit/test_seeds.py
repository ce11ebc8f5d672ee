"""The synthetic nation grows the same way each time, and its oracle counts as one does by hand."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "seeds"))

import grow
from facts import Block, Contig, Genotype, Interval, Member, Par, Record
from oracle import Genome, Key, Node, call_rate, called_bases, het_and_hom, key_of, normalise, run_lengths
from world import load_site, load_world

#                     1234567890123456789012345678901234567890
SEQUENCES = {
    "chr1": "GATTACAAAAAACCGTGTGTGTCCATGCATGCCTAGATCA",
    "chrX": "ACGTTGCAACGTTGCAACGTGGATCCATTTACGCATCCGA",
    "chrY": "NNNNNNNNNNNNNNNNNNNNACGGTACCATTAGCCATGCA",
    "chrM": "GATCACAGGTCTATCACCCTATTAACCACT",
}
KINDS = {"chr1": "autosome", "chrX": "x", "chrY": "y", "chrM": "mt"}
CONTIGS = [Contig(name, KINDS[name], len(bases)) for name, bases in SEQUENCES.items()]
TINY = Genome(CONTIGS, [Par("PAR1", (0, 20), (0, 20))], SEQUENCES)


def block(contig: str, start: int = 0, end: int = 30, gt: Genotype = (0, 0), min_dp: int = 30) -> Block:
    """A reference block, good unless said otherwise."""
    return Block(contig, start, end, gt, gq=60, dp=35, min_dp=min_dp)


def record(where: tuple[str, int, str, str], gt: Genotype, **more: object) -> Record:
    """A variant record, good unless said otherwise; ALTs are separated by commas."""
    contig, pos, ref, alts = where
    present = {a for a in gt if a is not None}
    ad = tuple(30 // len(present or {0}) if i in present else 0 for i in range(alts.count(",") + 2))
    values = {"ad": ad, "dp": 30, "gq": 60, **more}
    return Record(contig, pos, ref, tuple(alts.split(",")), gt, **values)  # type: ignore[arg-type]


def person(karyotype: str, *calls: Record | Block, sample: str = "someone", reason: str = "") -> Member:
    """Somebody with these calls and nothing else."""
    records = [c for c in calls if isinstance(c, Record)]
    blocks = [c for c in calls if isinstance(c, Block)]
    return Member(sample, karyotype, "AA", reason, records, blocks)


def counts(key: Key, *people: Member) -> dict[str, tuple[int, int, int, int, int]]:
    """stratum -> n_dip n_hap n_het n_homalt n_hemi."""
    for number, member in enumerate(people):
        member.sample = f"{member.sample}{number}"
    node = Node(TINY, people)
    return {stratum: node.count(key, stratum).row() for stratum in node.strata}


# ---- tiny worlds, counted by hand ----


def test_x_outside_the_par_counts_women_twice_men_once_and_others_never() -> None:
    key = ("chrX", 25, "C", "T")
    found = counts(
        key,
        person("XX", record(key, (0, 1))),
        person("XY", record(key, (1, 1))),
        person("XY", block("chrX", gt=(0,), min_dp=5)),
        person("X0", record(key, (1,))),
    )
    assert found == {"AA_F": (1, 0, 1, 0, 0), "AA_M": (0, 2, 0, 0, 1), "AA_U": (0, 0, 0, 0, 0)}


def test_the_par_of_x_counts_men_twice_and_not_from_a_haploid_genotype() -> None:
    key = ("chrX", 10, "C", "T")
    assert SEQUENCES["chrX"][9] == "C"
    found = counts(key, person("XY", record(key, (0, 1))), person("XY", record(key, (1,))))
    assert found == {"AA_M": (1, 0, 1, 0, 0)}


def test_a_het_in_a_man_outside_the_par_is_missing() -> None:
    key = ("chrX", 25, "C", "T")
    assert counts(key, person("XY", record(key, (0, 1)))) == {"AA_M": (0, 0, 0, 0, 0)}


def test_y_counts_men_only_and_no_par() -> None:
    key = ("chrY", 25, "T", "C")
    found = counts(key, person("XY", record(key, (1,))), person("XX", record(key, (0, 1))), person("XXY"))
    assert found == {"AA_F": (0, 0, 0, 0, 0), "AA_M": (0, 1, 0, 0, 1), "AA_U": (0, 0, 0, 0, 0)}


@pytest.mark.parametrize("gt", [(None, 1), (0, None), (None, None), (None,), ()])
def test_a_half_call_is_missing(gt: Genotype) -> None:
    key = ("chr1", 5, "A", "G")
    found = counts(key, person("XX", record(key, gt)), person("XX", block("chr1")))
    assert found == {"AA_F": (1, 0, 0, 0, 0)}


def test_under_a_deletion_one_is_called_and_not_this_alt() -> None:
    deletion, snv = ("chr1", 13, "CCGTG", "C"), ("chr1", 15, "G", "A")
    only_deletion = person("XX", block("chr1", 0, 12), record(deletion, (0, 1)))
    both = person("XX", record(deletion, (0, 1)), record(("chr1", 15, "G", "A,*"), (1, 2)))
    only_snv = person("XX", block("chr1", 0, 14), record(snv, (1, 1)))
    assert counts(snv, only_deletion, both, only_snv) == {"AA_F": (3, 0, 1, 1, 0)}


def test_under_a_failing_deletion_nobody_is_called() -> None:
    deletion = record(("chr1", 13, "CCGTG", "C"), (0, 1), gq=19)
    assert counts(("chr1", 15, "G", "A"), person("XX", block("chr1"), deletion)) == {"AA_F": (0, 0, 0, 0, 0)}


def test_mt_tells_homoplasmy_from_heteroplasmy_for_every_karyotype() -> None:
    key = ("chrM", 10, "T", "C")
    found = counts(
        key,
        person("XX", record(key, (0, 1), ad=(29, 1))),
        person("XX", record(key, (1, 1))),
        person("XX", record(key, (None, 1))),
        person("XXY", record(key, (1,), dp=5)),
        person("X0", record(key, (1,), dp=4)),
    )
    assert found == {"AA_F": (0, 2, 1, 0, 1), "AA_U": (0, 1, 0, 0, 1)}


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ((11, "AA", "A"), (6, "CA", "C")),  # a homopolymer, deleted at its right end
        ((12, "A", "AA"), (6, "C", "CA")),  # and lengthened there
        ((18, "TGT", "T"), (14, "CGT", "C")),  # one (GT) less
        ((24, "CATG", "CATC"), (27, "G", "C")),  # an SNV among equal bases
        ((24, "CATG", "AATG"), (24, "C", "A")),
        ((24, "CAT", "GTT"), (24, "CA", "GT")),  # an MNV stays one
    ],
)
def test_alleles_move_left_and_shrink(written: tuple[int, str, str], key: tuple[int, str, str]) -> None:
    assert normalise(SEQUENCES["chr1"], *written) == key


def test_a_record_answers_from_the_base_to_which_it_moves() -> None:
    shifted = record(("chr1", 11, "AA", "A"), (0, 1), gq=3)
    called = called_bases(TINY, person("XX", block("chr1", 0, 30), shifted), CONTIGS[0])
    assert [base for base in range(30) if not called[base]] == list(range(5, 12))


def test_of_records_that_start_together_all_must_pass() -> None:
    bad, good = record(("chr1", 25, "AT", "GC"), (0, 0), gq=5), record(("chr1", 25, "A", "G"), (0, 1))
    assert counts(("chr1", 25, "A", "C"), person("XX", bad, good)) == {"AA_F": (0, 0, 0, 0, 0)}
    assert counts(("chr1", 25, "A", "G"), person("XX", bad, good)) == {"AA_F": (1, 0, 1, 0, 0)}


def test_the_first_of_two_records_with_the_same_key_counts() -> None:
    first, second = record(("chr1", 6, "CA", "C"), (0, 0)), record(("chr1", 9, "AA", "A"), (1, 1))
    assert counts(("chr1", 6, "CA", "C"), person("XX", first, second)) == {"AA_F": (1, 0, 0, 0, 0)}


@pytest.mark.parametrize(
    ("gt", "more", "called"),
    [
        ((0, 1), {"gq": 20}, True),
        ((0, 1), {"gq": 19}, False),
        ((0, 1), {"gq": None}, False),
        ((0, 1), {"dp": 10, "ad": (8, 2)}, True),
        ((0, 1), {"dp": 9, "ad": (4, 5)}, False),
        ((0, 1), {"dp": None}, False),
        ((0, 1), {"dp": 26, "ad": (21, 5)}, False),
        ((0, 1), {"dp": 30, "ad": (1, 29)}, True),
        ((1, 1), {"dp": 30, "ad": (29, 1)}, True),
        ((0, 1), {"filter": "LowQual"}, False),
        ((0, 1), {"filter": "."}, True),
    ],
)
def test_the_mask_is_adj(gt: Genotype, more: dict[str, object], called: bool) -> None:
    key = ("chr1", 5, "A", "G")
    assert counts(key, person("XX", record(key, gt, **more)))["AA_F"][0] == int(called)


def test_a_block_of_seven_reads_is_too_thin_in_the_par_and_enough_beside_it() -> None:
    called = called_bases(TINY, person("XY", block("chrX", 10, 30, min_dp=7)), CONTIGS[1])
    assert list(called) == [0] * 20 + [1] * 10 + [0] * 10


def test_declared_bases_are_called_except_under_a_failing_record() -> None:
    member = person("XX", record(("chr1", 13, "CCG", "C"), (0, 1), gq=0))
    member.declared = [Interval("chr1", 10, 20)]
    called = called_bases(TINY, member, CONTIGS[0])
    assert [base for base in range(40) if called[base]] == [10, 11, 15, 16, 17, 18, 19]


def test_people_who_are_not_counted_add_nothing() -> None:
    key = ("chr1", 5, "A", "G")
    carrier = record(key, (1, 1))
    assert counts(key, person("XX", carrier, reason="withdrawn"), person("XX", carrier)) == {"AA_F": (1, 0, 0, 1, 0)}


def test_equal_neighbours_join_and_zeros_are_left_out() -> None:
    assert run_lengths([(0, 0), (1, 0), (1, 0), (0, 2), (0, 0)]) == [(1, 3, 1, 0), (3, 4, 0, 2)]


def test_carriers_fall_into_bins_once_for_each_alt() -> None:
    where = ("chr1", 5, "A", "C,G")
    node = Node(TINY, [person("XX", record(where, (1, 2), ad=(0, 10, 20), gq=99, dp=100))])
    found = node.histogram([("chr1", 5, "A", "C"), ("chr1", 5, "A", "G")])
    assert found == {}, "10 of 100 reads is below the balance"
    node = Node(TINY, [person("XX", record(where, (1, 2), ad=(0, 20, 80), gq=99, dp=100))])
    found = node.histogram([("chr1", 5, "A", "C"), ("chr1", 5, "A", "G")])
    cells = {(metric, number): n for (_, _, metric, number), n in found.items()}
    assert cells == {("gq_alt", 19): 2, ("dp_alt", 20): 2, ("ab_alt", 4): 1, ("ab_alt", 16): 1}


# ---- the nation itself ----


@pytest.fixture(scope="module")
def nation() -> grow.Nation:
    """The nation in memory."""
    return grow.grow_nation(load_world(grow.WORLD))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The nation grown twice, under the same relative name."""
    folders = []
    with pytest.MonkeyPatch.context() as patch:
        for _ in range(2):
            folders.append(tmp_path_factory.mktemp("home"))
            patch.chdir(folders[-1])
            assert grow.main(["nation"]) == 0
        yield [folder / "nation" for folder in folders]


def digests(folder: Path) -> dict[str, str]:
    """File name -> SHA-256."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def table(path: Path) -> list[list[str]]:
    """Rows of a TSV without its header."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def test_growing_twice_gives_the_same_bytes(grown: list[Path]) -> None:
    first, second = (digests(folder) for folder in grown)
    assert len(first) > 30
    assert first == second


# scope, site, number of the ALT, stratum: n_dip n_hap n_het n_homalt n_hemi, read off world.yaml by hand
BY_HAND = [
    ("alder", "half_call", 0, "XA_M", (2, 0, 1, 0, 0)),  # bo het, dag reference
    ("alder", "multi_allelic_snv", 0, "XA_M", (2, 0, 1, 0, 0)),  # dag 0|1
    ("alder", "multi_allelic_snv", 1, "XA_M", (2, 0, 1, 0, 0)),  # bo 0|2
    ("alder", "y_snv", 0, "XA_M", (0, 2, 0, 0, 1)),  # bo; eir has a Y, and is XXY
    ("alder", "y_snv", 0, "XA_U", (0, 0, 0, 0, 0)),
    ("alder", "mt_heteroplasmic", 0, "XA_F", (0, 2, 2, 0, 0)),  # ada and, by inheritance, cleo
    ("alder", "mt_homoplasmic", 0, "XA_F", (0, 2, 0, 0, 2)),
    ("birch", "half_call", 0, "XB_M", (1, 0, 1, 0, 0)),
    ("birch", "mnv", 0, "XB_M", (1, 0, 0, 0, 0)),  # kai has the SNV there: called, not this ALT
    ("birch", "par1_haploid_genotype", 0, "XB_M", (0, 0, 0, 0, 0)),
    ("birch", "par1_border_block", 0, "XB_M", (0, 0, 0, 0, 0)),  # 7 reads on two copies
    ("birch", "beside_par1_border_block", 0, "XB_M", (0, 1, 0, 0, 0)),  # 7 reads on one
    ("birch", "x_shallow_enough", 0, "XB_M", (0, 1, 0, 0, 0)),
    ("birch", "x_too_shallow", 0, "XB_M", (0, 0, 0, 0, 0)),
    ("birch", "in_an_empty_block", 0, "XA_M", (0, 0, 0, 0, 0)),
    ("birch", "in_a_low_min_dp_block", 0, "XB_M", (0, 0, 0, 0, 0)),
    ("birch", "x_hemizygous", 0, "XB_U", (0, 0, 0, 0, 0)),  # liv is X0
    ("birch", "mt_homoplasmic", 0, "XB_U", (0, 1, 0, 0, 1)),
    ("cedar", "half_call", 0, "XC_F", (1, 0, 0, 1, 0)),
    ("cedar", "half_call", 0, "XC_M", (2, 0, 0, 0, 0)),
    ("cedar", "low_gq", 0, "XC_M", (1, 0, 1, 0, 0)),  # per 19, vig 3, tor 20
    ("cedar", "bad_allele_balance", 0, "XC_F", (2, 0, 1, 1, 0)),
    ("cedar", "bad_allele_balance", 0, "XC_M", (2, 0, 0, 0, 0)),
    ("cedar", "bad_balance_of_one_of_two", 1, "XC_F", (2, 0, 2, 0, 0)),
    ("cedar", "filter_failed", 0, "XC_F", (0, 0, 0, 0, 0)),
    ("cedar", "snv_under_the_deletion", 0, "XC_F", (2, 0, 1, 1, 0)),
    ("cedar", "snv_under_the_deletion", 0, "XC_M", (3, 0, 0, 0, 0)),  # per has 0/*
    ("cedar", "snv_where_the_mnv_starts", 0, "XC_M", (3, 0, 1, 0, 0)),
    ("cedar", "birch_snv_where_the_mnv_starts", 0, "XC_M", (2, 0, 0, 0, 0)),  # per's MNV record fails
    ("cedar", "twice_first", 0, "XC_M", (3, 0, 1, 0, 0)),
    ("cedar", "twice_first", 0, "XC_F", (2, 0, 0, 0, 0)),  # sif's het is in the second record
    ("cedar", "outside_the_bed", 0, "XC_F", (0, 0, 0, 0, 0)),
    ("cedar", "outside_the_bed_but_called", 0, "XC_F", (2, 0, 1, 0, 0)),
    ("cedar", "missing_dp", 0, "XC_F", (1, 0, 1, 0, 0)),
    ("cedar", "x_hemizygous", 0, "XC_M", (0, 3, 0, 0, 2)),
    ("cedar", "x_hemizygous", 0, "XC_U", (0, 0, 0, 0, 0)),
    ("cedar", "x_low_depth", 0, "XC_M", (0, 2, 0, 0, 2)),  # per 5 reads, tor 4
    ("cedar", "par2_snv", 0, "XC_M", (3, 0, 1, 1, 0)),
    ("cedar", "y_het", 0, "XC_M", (0, 2, 0, 0, 1)),
    ("cedar", "y_seen_in_a_woman", 0, "XC_F", (0, 0, 0, 0, 0)),
    ("cedar", "mt_heteroplasmic", 0, "XC_F", (0, 2, 1, 0, 0)),
]


def test_the_truth_has_the_numbers_read_off_by_hand(grown: list[Path], nation: grow.Nation) -> None:
    rows = {tuple(row[:6]): tuple(map(int, row[6:])) for row in table(grown[0] / "truth" / "variants.tsv")}
    sites = {site.name: site for site in nation.sites}
    for scope, name, number, stratum, expected in BY_HAND:
        form, contig = sites[name].form, sites[name].contig
        key = normalise(nation.sequences[contig], form.pos, form.ref, form.alts[number])
        assert rows[(scope, contig, str(key[0]), *key[1:], stratum)] == expected, (scope, name, stratum)


def test_the_federation_is_the_sum_of_its_nodes_at_every_variant(grown: list[Path]) -> None:
    total: dict[tuple[str, ...], Counter[int]] = {}
    federation = {}
    for scope, *key, a, b, c, d, e in table(grown[0] / "truth" / "variants.tsv"):
        numbers = Counter({i: int(n) for i, n in enumerate((a, b, c, d, e))})
        if scope == "federation":
            federation[tuple(key)] = numbers
        else:
            total.setdefault(tuple(key), Counter()).update(numbers)
    assert federation == total


def test_every_way_to_write_a_site_means_the_same_variant(nation: grow.Nation) -> None:
    for site in nation.world.sites:
        for form in site.forms.values():
            for alt, other in zip(site.form.alts, form.alts, strict=True):
                sequence = nation.sequences[site.contig]
                one = normalise(sequence, site.form.pos, site.form.ref, alt)
                assert one == normalise(sequence, form.pos, form.ref, other), site.name


def test_records_list_only_variants_of_the_world(nation: grow.Nation, grown: list[Path]) -> None:
    keys = {tuple(row[1:5]) for row in table(grown[0] / "truth" / "variants.tsv")}
    for members in nation.members.values():
        for member in members:
            for call in member.records:
                found = [key_of(nation.genome, call, alt) for alt in call.alts]
                assert all((k[0], str(k[1]), k[2], k[3]) in keys for k in found if k)


def test_each_reason_happens_once(nation: grow.Nation) -> None:
    reasons = Counter(p.reason for p in nation.world.people.values() if p.reason)
    qc = ["call_rate", "het_hom_ratio", "mean_autosome_coverage", "pct_reads_mapped"]
    swapped = "qc:sex_karyotype;qc:x_heterozygosity"
    assert reasons == Counter(["withdrawn", "consent", swapped, *(f"qc:{metric}" for metric in qc)])


@pytest.mark.parametrize("node", ["birch", "cedar"])
def test_people_pass_every_gate_but_the_one_they_are_made_to_fail(nation: grow.Nation, node: str) -> None:
    for member in nation.members[node]:
        het, hom = het_and_hom(nation.genome, member)
        assert (call_rate(nation.genome, member) >= 0.97) == (member.reason != "qc:call_rate"), member.sample
        assert hom >= 20, member.sample
        assert (1.0 <= het / hom <= 2.5) == (member.reason != "qc:het_hom_ratio"), member.sample


def test_the_child_has_one_allele_of_each_parent(nation: grow.Nation) -> None:
    ada, bo, cleo = (nation.copies[name] for name in ("ada", "bo", "cleo"))
    for site in nation.sites:
        if nation.world.kind(site.contig) == "autosome":
            mother, father, child = (p.genotype(nation.world, site) for p in (ada, bo, cleo))
            assert child[0] in mother, site.name
            assert child[1] in father, site.name


def test_the_person_at_two_nodes_has_the_same_dna(nation: grow.Nation) -> None:
    assert nation.copies["dag"] is nation.copies["jon"]


def test_a_site_that_names_nobody_is_refused(nation: grow.Nation) -> None:
    row = {"name": "typo", "contig": "chr1", "pos": 9, "ref": "A", "alt": ["C"], "carriers": {"adda": "0|1"}}
    with pytest.raises(ValueError, match="nobody is called 'adda'"):
        load_site(row, nation.world.people)


def test_an_unknown_key_of_a_site_is_refused(nation: grow.Nation) -> None:
    row = {"name": "typo", "contig": "chr1", "pos": 9, "ref": "A", "alt": ["C"], "carrier": {}}
    with pytest.raises(ValueError, match="unknown keys"):
        load_site(row, nation.world.people)
