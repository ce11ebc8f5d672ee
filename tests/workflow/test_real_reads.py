"""Reads of people, from files as sequencing centres made them: lanes, mitochondria and exomes, against what the files
themselves say and what others found in them."""

import csv
import gzip
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path

import polars as pl
import pysam
import pytest

from run_folder import RunFolder

READS = "01_reads_ref_truth"
#: for slices of a genome, whose coverage and call rate say nothing
POLICY = "{version: 1, rules: [{metric: pct_reads_mapped, min: 50, source: a slice}]}\n"


def run_slice(folder: Path, reference: Path, contigs: str, rows: Iterable[Sequence[object]]) -> RunFolder:
    """Run the workflow, on a build of these contigs, for the people of these rows, the first of them the header."""
    (folder / "build.yaml").write_text(f"name: slice\ncontigs: [{contigs}]\npar: []\n")
    (folder / "qc.yaml").write_text(POLICY)
    (folder / "samples.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    (folder / "config.yaml").write_text(
        f"reference: {reference}\nbuild: build.yaml\nqc_policy: qc.yaml\ntools: wheels\n"
        "nodes: {node: {samples: samples.tsv}}\n"
    )
    made = RunFolder(folder, "config.yaml")
    made.snakemake()
    return made


def summary(run: RunFolder, name: str = "results/federation/summary") -> dict[tuple[int, str, str], dict[str, int]]:
    """Variant -> its counts, in a summary of one contig."""
    shown = pl.read_csv(StringIO(run.tessera("show", name)), separator="\t", infer_schema_length=None)
    return {(row["pos"], row["ref"], row["alt"]): row for row in shown.iter_rows(named=True)}


def primary(run: RunFolder, cram: str) -> Iterator[pysam.AlignedSegment]:
    reference = str(run.folder / "results" / "reference" / "reference.fa")
    path = run.folder / "results" / "node" / "private" / "alignments" / cram
    with pysam.AlignmentFile(str(path), "rc", reference_filename=reference) as file:
        yield from (read for read in file.fetch(until_eof=True) if not read.is_secondary | read.is_supplementary)


# lanes

LANE_SHEET = "grch37_sarek_tiny/testdata/tsv/tiny.tsv"
#: sample -> lane -> its two FASTQ files
Lanes = dict[str, dict[str, tuple[Path, Path]]]


@pytest.fixture(scope="module")
def lanes(shared: Path) -> Lanes:
    """A normal and two tumours of one person, of five, three and three lanes, as the data's own sheet tells."""
    found: Lanes = defaultdict(dict)
    with (shared / READS / LANE_SHEET).open() as sheet:
        for _, _, _, sample, lane, *names in csv.reader(sheet, delimiter="\t"):
            first, second = (shared / READS / name.replace("Sarek-data", "grch37_sarek_tiny") for name in names)
            # the sheet names lanes of no reads that are not among the data
            if "dummy" not in names[0]:
                found[sample][lane] = (first, second)
    return found


@pytest.fixture(scope="module")
def of_lanes(lanes: Lanes, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    rows: list[Sequence[object]] = [("sample", "sex", "population", "read_group", "fastq_1", "fastq_2")]
    rows += [(sample, "XX", "SE", lane, *pair) for sample, of in lanes.items() for lane, pair in of.items()]
    lengths = {"1": 200000, "2": 200000, "3": 200000, "8": 1282, "11": 3696}
    contigs = [f'{{name: "{name}", kind: autosome, length: {length}}}' for name, length in lengths.items()]
    contigs.append("{name: X, kind: x, length: 200000}")
    reference = shared / READS / "grch37_sarek_tiny/reference/human_g1k_v37_decoy.small.fasta.gz"
    return run_slice(tmp_path_factory.mktemp("lanes"), reference, ", ".join(contigs), rows)


def bases_kept(qualities: str, cutoff: int = 20) -> int:
    """Bases that BWA's rule leaves: the 3' end goes where the sum of cutoff - quality is greatest."""
    best = total = 0
    kept = len(qualities)
    for place in range(len(qualities) - 1, -1, -1):
        total += cutoff - (ord(qualities[place]) - 33)
        if total < 0:
            break
        if total > best:
            best, kept = total, place
    return kept


def fastq(path: Path) -> Iterator[tuple[str, str]]:
    """Name, without the number of the read, and qualities of each read."""
    with gzip.open(path, "rt") as lines:
        for name, _, _, qualities in zip(*[iter(lines)] * 4, strict=True):
            yield name[1:].split()[0].removesuffix("/1").removesuffix("/2"), qualities.rstrip("\n")


def test_a_cram_has_the_reads_of_all_its_lanes_each_in_its_read_group(lanes: Lanes, of_lanes: RunFolder) -> None:
    assert {sample: len(of) for sample, of in lanes.items()} == {"1234N": 5, "9876T": 3, "9877R": 3}
    for sample, of in lanes.items():
        expected = Counter(
            (f"{sample}.{lane}", name, first)
            for lane, pair in of.items()
            for (name, one), (same, two) in zip(*map(fastq, pair), strict=True)
            # pairs of which less than 30 bases are left go, and no others
            if name == same and min(bases_kept(one), bases_kept(two)) >= 30
            for first in (True, False)
        )
        reads = list(primary(of_lanes, f"{sample}.cram"))
        assert Counter((read.get_tag("RG"), str(read.query_name), read.is_read1) for read in reads) == expected
        header = reads[0].header.to_dict()
        assert [(group["ID"], group["SM"]) for group in header["RG"]] == [(f"{sample}.{lane}", sample) for lane in of]
        assert header["HD"]["SO"] == "coordinate"


def five_prime(read: pysam.AlignedSegment) -> tuple[int, int, bool]:
    """Contig, where the read's first base would lie had nothing been clipped, and strand."""
    clips = (pysam.CSOFT_CLIP, pysam.CHARD_CLIP)
    operation, length = (read.cigartuples or [])[-1 if read.is_reverse else 0]
    clipped = length if operation in clips else 0
    place = int(read.reference_end or 0) + clipped if read.is_reverse else read.reference_start - clipped
    return read.reference_id, place, read.is_reverse


def test_of_pairs_that_begin_and_end_alike_in_whatever_lanes_all_but_one_are_duplicates(
    lanes: Lanes, of_lanes: RunFolder
) -> None:
    across = 0
    for sample in lanes:
        pairs: dict[str, list[pysam.AlignedSegment]] = defaultdict(list)
        for read in primary(of_lanes, f"{sample}.cram"):
            if not read.is_unmapped and not read.mate_is_unmapped:
                pairs[str(read.query_name)].append(read)
        alike: dict[tuple[tuple[int, int, bool], ...], list[list[pysam.AlignedSegment]]] = defaultdict(list)
        for pair in pairs.values():
            alike[tuple(sorted(map(five_prime, pair)))].append(pair)
        for group in alike.values():
            assert sorted(sum(read.is_duplicate for read in pair) for pair in group) == [0] + [2] * (len(group) - 1)
            across += len({pair[0].get_tag("RG") for pair in group}) > 1
    assert across > 100


def depths_of_reads(run: RunFolder, cram: str) -> dict[tuple[str, int], int]:
    """Contig and 0-based place -> reads with a base there: of proper pairs, no duplicates, overlaps once."""
    reference = str(run.folder / "results" / "reference" / "reference.fa")
    path = run.folder / "results" / "node" / "private" / "alignments" / cram
    with pysam.AlignmentFile(str(path), "rc", reference_filename=reference) as file:
        columns = file.pileup(stepper="samtools", min_base_quality=1, compute_baq=False, max_depth=10000)
        return {
            (str(column.reference_name), column.reference_pos): sum(
                base in "ACGTacgt" for base in column.get_query_sequences()
            )
            for column in columns
        }


def test_the_gvcf_of_a_sample_speaks_of_the_bases_under_its_reads(lanes: Lanes, of_lanes: RunFolder) -> None:
    for sample in lanes:
        depths = depths_of_reads(of_lanes, f"{sample}.cram")
        told: dict[tuple[str, int], int] = {}
        with pysam.VariantFile(str(of_lanes.folder / f"results/node/private/variants/{sample}.g.vcf.gz")) as calls:
            assert list(calls.header.samples) == [sample]
            for record in calls:
                if "INDEL" not in record.info:
                    depth = record.info.get("MIN_DP", record.samples[0]["DP"])
                    told.update({(record.chrom, place): depth for place in range(record.start, record.stop)})
        assert told.keys() == {base for base, depth in depths.items() if depth}
        deep = {base for base, depth in depths.items() if depth >= 10}
        assert len(deep) > 2000
        # base alignment quality, which the pileup here leaves out, moves single bases
        assert len(deep ^ {base for base, depth in told.items() if depth >= 10}) <= 3


# mitochondria


@pytest.fixture(scope="module")
def mitochondrial(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    data = shared / READS / "grch38_chrM_NA12878"
    rows = [("sample", "sex", "population", "bam"), ("NA12878", "XX", "UT", data / "NA12878.bam")]
    reference = data / "Homo_sapiens_assembly38.mt_only.fasta"
    contig = "{name: chrM, kind: mt, length: 16569}"
    return run_slice(tmp_path_factory.mktemp("mitochondrial"), reference, contig, rows)


def mutect2(shared: Path) -> Iterator[tuple[tuple[int, str, str], float]]:
    """Each ALT of the records that passed in Mutect2's calls of the same reads, and its share of the reads."""
    with pysam.VariantFile(str(shared / READS / "grch38_chrM_NA12878" / "filtered.vcf")) as calls:
        for record in calls:
            if "PASS" in record.filter:
                for alt, share in zip(record.alts or (), record.samples[0]["AF"], strict=True):
                    yield (record.pos, str(record.ref), alt), share


def test_a_bam_of_mitochondria_keeps_its_reads_groups_and_duplicates(mitochondrial: RunFolder, shared: Path) -> None:
    def described(read: pysam.AlignedSegment) -> tuple[object, ...]:
        return (
            read.query_name,
            read.flag,
            read.reference_start,
            read.cigarstring,
            read.query_sequence,
            read.get_tag("RG"),
        )

    with pysam.AlignmentFile(str(shared / READS / "grch38_chrM_NA12878" / "NA12878.bam")) as bam:
        came = Counter(described(read) for read in bam if not read.is_secondary | read.is_supplementary)
        groups = bam.header.to_dict()["RG"]
    reads = list(primary(mitochondrial, "imported/NA12878.cram"))
    assert Counter(map(described, reads)) == came
    assert reads[0].header.to_dict()["RG"] == groups
    assert len(groups) > 20


def test_homoplasmic_variants_of_mitochondria_are_one_allele_of_one(mitochondrial: RunFolder, shared: Path) -> None:
    homoplasmic = {variant for variant, share in mutect2(shared) if share > 0.95}
    assert homoplasmic == {(152, "T", "C"), (263, "A", "G"), (310, "T", "TC"), (750, "A", "G")}
    found = summary(mitochondrial)
    counts = {name: {variant: row[name] for variant, row in found.items()} for name in ("AC", "AN", "n_hap", "n_hemi")}
    for variant in homoplasmic:
        assert [counts[name][variant] for name in counts] == [1, 1, 1, 1]
        assert [found[variant][name] for name in ("n_dip", "n_het", "n_homalt")] == [0, 0, 0]
    # in and beside the run of C from 303 to 315 callers place an insertion differently; elsewhere nothing is there
    assert {(pos, ref, alt) for pos, ref, alt in found if not 301 <= pos <= 316} <= homoplasmic


def test_a_mixture_of_mitochondria_is_one_allele_too_and_told_as_heteroplasmy(
    mitochondrial: RunFolder, shared: Path, tmp_path: Path
) -> None:
    data = shared / READS / "grch38_chrM_NA12878"
    rules = ["--samples", "samples.tsv", "--build", "build.yaml", "--mask", "none"]
    rules += ["--reference", str(data / "Homo_sapiens_assembly38.mt_only.fasta")]
    count = [sys.executable, "-m", "tessera", "count", *rules, "--out", str(tmp_path / "mixture")]
    # Mutect2 lists every allele that it sees, four of them at 302: more than a genotype that is counted can have
    said = mitochondrial.call([*count, "--input", str(data / "filtered.vcf")], fails=True)
    assert 'chrM:302: sample "NA12878" has GT "0/1/2/3"' in said
    assert not (tmp_path / "mixture").exists()
    lines = (data / "filtered.vcf").read_text().splitlines(keepends=True)
    (tmp_path / "two_alleles.vcf").write_text("".join(line for line in lines if not line.startswith("chrM\t302\t")))
    mitochondrial.call([*count, "--input", str(tmp_path / "two_alleles.vcf")])
    # it writes 0/1 whatever the share; 301 did not pass its filters
    names = ("AC", "AN", "n_hap", "n_het", "n_hemi")
    found = {
        variant: [row[name] for name in names]
        for variant, row in summary(mitochondrial, str(tmp_path / "mixture")).items()
    }
    expected = {variant: [1, 1, 1, 1, 0] for variant, _ in mutect2(shared) if variant[0] != 302}
    assert len(expected) == 4
    assert found == expected | {(301, "A", "AC"): [0] * 5}


# exomes

TP53 = "grch37_tp53_exomes_93"
#: ten of the 93: each variant that Needlestack found in all of them is carried by one of these
EXOMES = (
    *("NA06985", "NA07056", "NA07357", "NA11994", "NA12003"),
    *("NA12005", "NA12044", "NA12814", "NA12815", "NA12843"),
)
#: places of the reference of TP53, 1-based, are those on 17 less this
BEFORE = 7_571_999


def write_slice(bam: Path, out: Path) -> None:
    """Write the pairs within TP53 as aligned to the reference of TP53: what came on 17 moves, and nothing else."""
    with pysam.AlignmentFile(str(bam)) as file:
        header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr17", "LN": 19001}], "RG": file.header.to_dict()["RG"]}
        slice_header = pysam.AlignmentHeader.from_dict(header)
        with pysam.AlignmentFile(str(out), "wb", header=slice_header) as moved:
            for read in file.fetch("17", BEFORE, BEFORE + 19001):
                ends = read.reference_start, int(read.reference_end or 0) - 1, read.next_reference_start
                if read.next_reference_id != read.reference_id or not all(0 <= end - BEFORE < 19001 for end in ends):
                    continue
                fields = read.to_string().split("\t")
                fields[2] = "chr17"
                fields[3], fields[7] = (str(int(fields[field]) - BEFORE) for field in (3, 7))
                moved.write(pysam.AlignedSegment.fromstring("\t".join(fields), slice_header))


@pytest.fixture(scope="module")
def exomes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("exomes")
    for person in EXOMES:
        write_slice(shared / READS / TP53 / "bam" / f"{person}.bam", folder / f"{person}.bam")
    rows: list[Sequence[object]] = [("sample", "sex", "population", "bam")]
    rows += [(person, "NA", "UT", f"{person}.bam") for person in EXOMES]
    reference = shared / READS / TP53 / "17_7572000-7591000.fasta"
    return run_slice(folder, reference, "{name: chr17, kind: autosome, length: 19001}", rows)


def counted(run: RunFolder) -> dict[tuple[int, str, str], list[int]]:
    """Variant, in places of 17 -> AN, people with one ALT, with two."""
    names = ("AN", "n_het", "n_homalt")
    return {(pos + BEFORE, ref, alt): [row[name] for name in names] for (pos, ref, alt), row in summary(run).items()}


def test_joint_counts_of_exomes_are_those_of_others_but_for_shallow_people(exomes: RunFolder, shared: Path) -> None:
    """Needlestack's calls, each person's own judged by the depth that it writes: 10 reads, as adj asks.

    Where it has no power it leaves a person uncalled (./.); nobody of these has ALT in a fifth of ten reads or more.
    From four of five reads on it calls 1/1.
    """
    found = counted(exomes)
    carriers = shallow = 0
    with pysam.VariantFile(str(shared / READS / TP53 / "1000G_CEU_TP53_needlestack.vcf.gz")) as calls:
        for record in calls:
            expected = [0, 0, 0]
            for person in EXOMES:
                cell = record.samples[person]
                copies = sum(allele or 0 for allele in cell["GT"])
                carriers += copies > 0
                if cell["DP"] < 10:
                    shallow += copies > 0
                    continue
                expected[0] += 2
                # with reads of REF, two of ten in NA07056, a person is heterozygous
                copies = min(copies, 1) if cell["RO"] else copies
                if copies:
                    expected[copies] += 1
            assert found[record.pos, str(record.ref), str((record.alts or ())[0])] == expected
    assert (carriers, shallow) == (15, 2)


def test_joint_counts_of_exomes_are_those_of_a_recount_of_their_reads(exomes: RunFolder, shared: Path) -> None:
    """Genotypes by the share of an allele alone, in the files as they came: one copy from 0.2 on, two from 0.85 on."""
    fasta = (shared / READS / TP53 / "17_7572000-7591000.fasta").read_text()
    reference = "".join(line for line in fasta.splitlines() if not line.startswith(">")).upper()
    called: Counter[int] = Counter()
    carriers: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for person in EXOMES:
        with pysam.AlignmentFile(str(shared / READS / TP53 / "bam" / f"{person}.bam")) as file:
            span = ("17", BEFORE, BEFORE + 19001)
            for column in file.pileup(
                *span, truncate=True, stepper="samtools", min_base_quality=1, compute_baq=False, max_depth=10000
            ):
                bases = [base.upper() for base in column.get_query_sequences()]
                if sum(base in {*"ACGT"} for base in bases) < 10:
                    continue
                place = column.reference_pos + 1
                called[place] += 2
                good = Counter(
                    base
                    for base, quality in zip(bases, column.get_query_qualities(), strict=True)
                    if quality >= 13 and base
                )
                ref = reference[place - BEFORE - 1]
                for base, reads in good.items():
                    if base != ref and reads >= 0.2 * good.total():
                        carriers[place, ref, base][reads >= 0.85 * good.total()] += 1
    expected = {variant: [called[variant[0]], *people] for variant, people in carriers.items()}
    found = {
        variant: row for variant, row in counted(exomes).items() if any(row[1:]) and len(variant[1] + variant[2]) == 2
    }
    assert len(expected) > 10
    assert found == expected
