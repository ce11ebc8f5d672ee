"""Every VCF of the public conformance suites, with what the specification and the file's own words say of it.

`conformance.tsv` was written from the specification, the rules of docs/refusals.md and each file's name and
CauseOfFailure line, never from what this code says. Its `problems` are rule@line or rule@first-last, and all of
them are compared, so a sound line that is refused fails as much as a broken one that passes.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.cohort.count import count_sites
from tessera.cohort.engine import Engine, reader_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.stretch import CountRules
from tessera.errors import InputError
from tessera.files.vcf import VariantFile
from tessera.files.vcf_check import OrderCheck, missing_newline, record_problems
from tessera.files.vcf_header import VcfHeader, VcfProblem, read_header
from tessera.genome.build import Build, Contig
from tessera.schemas.mask import ADJ
from tessera.summary.people import People

TABLE = Path(__file__).with_name("conformance.tsv")
with TABLE.open() as handle:
    ROWS = list(csv.DictReader(handle, delimiter="\t"))
GZIP = b"\x1f\x8b"


def expected(problems: str) -> set[tuple[str, int]]:
    """rule@line and rule@first-last, spelt out."""
    found = set()
    for problem in problems.replace(".", "").split():
        rule, _, at = problem.partition("@")
        first, _, last = at.partition("-")
        found |= {(rule, line) for line in range(int(first), int(last or first) + 1)}
    return found


def problems(raw: bytes) -> list[VcfProblem]:
    """What is wrong with a VCF, told by a reader that stops at a broken header and at the first disorder."""
    compressed = raw.startswith(GZIP)
    text = (gzip.decompress(raw) if compressed else raw).decode("utf-8", "surrogateescape")
    *lines, last = text.split("\n")
    lines += [last] if last else []
    rest = iter(lines)
    try:
        header = read_header(rest, "the file")
    except InputError as error:
        return [problem for problem in error.problems if isinstance(problem, VcfProblem)]
    found = list(body_problems(rest, header))
    return found + ([missing_newline(len(lines))] if last and not compressed else [])


def body_problems(lines: Iterator[str], header: VcfHeader) -> Iterator[VcfProblem]:
    order: OrderCheck | None = OrderCheck()
    for number, line in enumerate(lines, start=header.lines + 1):
        yield from record_problems(line, header, number)
        contig, _, rest = line.partition("\t")
        pos = rest.partition("\t")[0]
        if order and pos.isascii() and pos.isdigit() and (problem := order.problem(contig, int(pos), number)):
            yield problem
            order = None


def test_the_table_lists_every_vcf_of_the_suites(shared: Path) -> None:
    folder = shared / "06_conformance"
    vcfs = [path for path in folder.rglob("*.vcf*") if path.suffix != ".csi"]
    there = {str(path.relative_to(folder)) for path in vcfs}
    assert {row["file"] for row in ROWS} == there
    assert len(ROWS) == len(there)


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_file_is_refused_for_the_rules_that_it_breaks_and_no_others(row: dict[str, str], shared: Path) -> None:
    found = problems((shared / "06_conformance" / row["file"]).read_bytes())
    assert {(problem.rule.value, problem.line) for problem in found} == expected(row["problems"])
    assert row["outcome"] == ("refuse" if found else "accept")
    assert all(f"line {problem.line}" in problem.where for problem in found)


#: sound for a count, but htslib, which reads for the numpy engine, stumbles over a field that no count reads
HTSLIB_STUMBLES = {
    f"hts-specs_vcf/{version}/failed/failed_body_sample_{number}.vcf"
    for version in ("4.1", "4.2", "4.3")
    for number in ("007", "008")
}


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_a_file_is_counted_or_refused_with_its_line(row: dict[str, str], engine: Engine, shared: Path) -> None:
    """By either engine; nothing but a refusal comes out of a broken file."""
    path = shared / "06_conformance" / row["file"]
    if row["outcome"] == "accept" and not (engine == "reference" and row["file"] in HTSLIB_STUMBLES):
        assert count(path, engine).records["read"] >= 0
        return
    with pytest.raises(InputError) as refused:
        count(path, engine)
    lines = {line for _, line in expected(row["problems"])}
    told = {int(n) for p in refused.value.problems for n in re.findall(r"line (\d+)", p.where)}
    # order is told by position; and a container that is none has no lines
    in_place = "scattered" in row["problems"] or "unsorted" in row["problems"] or not told
    assert told <= lines or in_place


def count(path: Path, engine: Engine) -> Ledger:
    """Count a file without reference, on a build of all the contigs that it names."""
    file = VariantFile(path)
    raw = path.read_bytes()
    text = gzip.decompress(raw) if raw.startswith(GZIP) else raw
    cells = [line.split(b"\t") for line in text.split(b"\n") if not line.startswith(b"#") and b"\t" in line]
    furthest = max((int(cell[1]) for cell in cells if cell[1].isdigit()), default=0) + 100_000
    lengths = {**{cell[0].decode(): None for cell in cells}, **file.contig_lengths}
    build = Build("any", tuple(Contig(name, "autosome", length or furthest) for name, length in lengths.items()))
    people = People(tuple(file.samples), ("XX",) * len(file.samples), ("AA_F",) * len(file.samples))
    rules = CountRules(build, ADJ.for_fields(file.formats), None, {}, unknown_outside=False)
    ledger = Ledger()
    for _ in count_sites(reader_of(file, people, engine)[0], people, rules, ledger):
        pass
    return ledger


def test_must_pass_files_with_genotypes_are_refused_only_for_rules_that_the_documentation_tells() -> None:
    """Beyond the specification: no samples, POS 0, polyploids, no GT, undeclared GQ, bzip2; and one oversight."""
    beyond = {"no-samples", "pos", "ploidy", "no-gt", "undeclared-format", "fileformat", "header-line"}
    beyond.add("allele")  # passed_body_alt.vcf has 0|1 where ALT is `.`
    refused = [row for row in ROWS if "/passed/" in row["file"] and row["outcome"] == "refuse"]
    assert {rule for row in refused for rule, _ in expected(row["problems"])} <= beyond


#: of the public call sets, those that break a rule; the others (GATK 3 and 4, 1000 Genomes and more) are sound
BROKEN_CALL_SETS = {
    "03_cohort_vcf/1mb_sites_with_ref/z.vcf.gz": {"no-samples"},
    "03_cohort_vcf/chr1_1M_with_ref/Homo_sapiens_assembly19.dbsnp135.chr1_1M.exome_intervals.vcf": {"no-samples"},
    "03_cohort_vcf/edge/field_type_combos.vcf.gz": {"no-gt", "alt"},  # made by a program: no genotypes, ALT twice
    "03_cohort_vcf/edge/issue_251.vcf.gz": {"no-gt"},
    "03_cohort_vcf/edge/mixed_ploidy.vcf.gz": {"ploidy"},
    "03_cohort_vcf/edge/out_of_order_contigs.vcf.gz": {"no-samples"},
    "03_cohort_vcf/edge/sample_all_missing_gts.vcf.gz": {"no-gt"},
    "03_cohort_vcf/edge/sample_missing_contig.vcf.gz": {"undeclared-contig"},
    "03_cohort_vcf/edge/sample_no_genotypes_with_gt_header.vcf.gz": {"no-samples"},
    "03_cohort_vcf/edge/triploid.vcf.gz": {"ploidy"},
    "03_cohort_vcf/edge/triploid2.vcf.gz": {"ploidy"},
    "03_cohort_vcf/edge/triploid3.vcf.gz": {"ploidy"},
    "03_cohort_vcf/hail/trioDup.vcf": {"fileformat", "sample-name"},  # VCFv3.3, and a tab after the last sample
    "04_gvcf/gatk_MT/sample1.MT.g.vcf": {"ploidy"},  # mitochondria called with many copies
    "04_gvcf/gatk_MT/sample2.MT.g.vcf": {"ploidy"},
    "04_gvcf/gatk_MT/threeSamples.MT.g.vcf.gz": {"ploidy"},
}


def call_sets(shared: Path) -> list[Path]:
    folders = [shared / "03_cohort_vcf", shared / "04_gvcf"]
    kinds = (".vcf", ".vcf.gz", ".vcf.bgz")
    return sorted(path for folder in folders for path in folder.rglob("*.vcf*") if path.name.endswith(kinds))


def test_real_call_sets_are_sound_but_for_those_that_are_not(shared: Path) -> None:
    found = {
        str(path.relative_to(shared)): {p.rule.value for p in problems(path.read_bytes())} for path in call_sets(shared)
    }
    assert len(found) > 80
    assert {name: rules for name, rules in found.items() if rules} == BROKEN_CALL_SETS
