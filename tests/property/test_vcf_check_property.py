"""Records that are sound as they were made are accepted; one change that breaks a rule is refused by that rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.errors import InputError
from tessera.files.vcf_check import OrderCheck, record_problems
from tessera.files.vcf_header import COUNTED, Rule, VcfHeader, read_header

HEADER = VcfHeader(
    version="4.2",
    samples=["ann", "bob", "cal"],
    contigs={"chr1": 10**6, "chr2": None},
    formats={
        "GT": ("1", "String"),
        "GQ": ("1", "Integer"),
        "DP": ("1", "Integer"),
        "MIN_DP": ("1", "Integer"),
        "AD": ("R", "Integer"),
        "PL": ("G", "Integer"),
    },
)
NUMBERS = st.one_of(st.just("."), st.integers(0, 2**31 - 1).map(str))
ALTS = [
    "A", "c", "GATTACA", "N", "*", "<DEL>", "<DUP:TANDEM>", "<NON_REF>", "<*>", "G]17:198982]", "]13:123456]T",
    "[<ctg1>:7[C", ".A", "T.",
]  # fmt: skip


@dataclass(frozen=True)
class Made:
    """The columns of one record, and of each sample its fields."""

    chrom: str
    pos: str
    ref: str
    alt: str
    qual: str
    filters: str
    info: str
    keys: tuple[str, ...]
    people: tuple[tuple[str, ...], ...]
    end: str = ""

    def line(self) -> str:
        columns = [self.chrom, self.pos, "rs1;x y", self.ref, self.alt, self.qual, self.filters, self.info]
        return "\t".join([*columns, ":".join(self.keys), *map(":".join, self.people)]) + self.end

    def with_first(self, key: str, value: str) -> "Made":
        """Another value of one field of the first sample, which then has a value of every field."""
        first = list(self.people[0]) + ["."] * (len(self.keys) - len(self.people[0]))
        first[self.keys.index(key)] = value
        return replace(self, people=(tuple(first), *self.people[1:]))


@st.composite
def records(draw: st.DrawFn) -> Made:
    """Sound records of every kind that a count reads, among them reference blocks."""
    ref = draw(st.text("ACGTN", min_size=1, max_size=5))
    alts = draw(st.lists(st.sampled_from([alt for alt in ALTS if alt.upper() != ref]), unique=True, max_size=4))
    pos = draw(st.integers(1, 900_000))
    block = all(alt in ("<NON_REF>", "<*>") for alt in alts)
    end = f";END={draw(st.integers(pos, 999_999))}" if block and draw(st.booleans()) else ""
    keys = ("GT", *draw(st.permutations(["GQ", "DP", "MIN_DP", "AD", "PL", "XY"])))
    return Made(
        chrom=draw(st.sampled_from(["chr1", "chr2", "<assembled>"])),
        pos=str(pos),
        ref=ref,
        alt=",".join(alts) or ".",
        qual=draw(st.sampled_from([".", "0", "59.2", "1.05e-14", "4.9e+07", "-10", "inf"])),
        filters=draw(st.sampled_from([".", "PASS", "q10", "q10;s50", "q10;PASS"])),
        info=draw(st.sampled_from(["AC=-1", "DB", ".", "AA=x;AA=y"])) + end,
        keys=keys,
        people=tuple(draw(people(keys, 1 + len(alts))) for _ in HEADER.samples),
        end=draw(st.sampled_from(["", "\n", "\r\n"])),
    )


@st.composite
def people(draw: st.DrawFn, keys: tuple[str, ...], alleles: int) -> tuple[str, ...]:
    allele = st.one_of(st.just("."), st.integers(0, alleles - 1).map(str))
    genotype = draw(allele) + draw(st.one_of(st.just(""), st.builds(str.__add__, st.sampled_from("/|"), allele)))
    depths = st.one_of(st.just("."), st.lists(NUMBERS, min_size=alleles, max_size=alleles).map(",".join))
    values = {"GT": genotype, "AD": draw(depths), "PL": "any", "XY": "-thing"}
    made = [values.get(key) or draw(NUMBERS) for key in keys]
    return tuple(made[: draw(st.integers(1, len(keys)))])


#: a change that breaks a sound record, and the rule it breaks
Change = Callable[[Made], Made]
BREAKING: list[tuple[Rule, Change]] = [
    *((Rule.CHROM, lambda made, to=to: replace(made, chrom=to)) for to in ("", "chr 1", "chr,1", "<chr1", "chr1>")),
    (Rule.UNDECLARED_CONTIG, lambda made: replace(made, chrom="chr3")),
    *((Rule.POS, lambda made, to=to: replace(made, pos=to)) for to in ("", "0", "-1", ".", "1e3", "12x", "9" * 5000)),
    (Rule.BEYOND_CONTIG, lambda made: replace(made, chrom="chr1", pos="1000000", ref="CAT")),
    *((Rule.REF, lambda made, to=to: replace(made, ref=to, alt="A")) for to in ("", ".", "C,A", "B", "<DEL>", "C T")),
    (Rule.REF, lambda made: replace(made, ref="X", alt=".")),
    *(
        (Rule.ALT, lambda made, to=to: replace(made, alt=to))
        for to in ("", "A,", ",A", "A,,T", "A,.", "R", "A T", "<INS>X>", "<A B>", "[1:1[", "G]1:1[", "A,a", "<X>,<X>")
    ),
    (Rule.ALT, lambda made: replace(made, ref="ca", alt="CA")),
    *((Rule.QUAL, lambda made, to=to: replace(made, qual=to)) for to in ("", "high", "1,5", "PASS")),
    *(
        (Rule.FILTER, lambda made, to=to: replace(made, filters=to))
        for to in ("", "0", "q10;", ";q10", "q10;.", "q10;q10", "q 10")
    ),
    *(
        (Rule.END, lambda made, to=to: replace(made, pos="100", alt="<NON_REF>", info=f"DP=3;{to}"))
        for to in ("END=99", "END=", "END", "END=1.5", "END=x", "END=200;END=300")
    ),
    (Rule.FORMAT, lambda made: replace(made, keys=(*made.keys[1:], "GT"))),
    (Rule.FORMAT, lambda made: replace(made, keys=(*made.keys[:-1], "GT"))),
    (Rule.FORMAT, lambda made: replace(made, keys=(*made.keys[:-1], ""))),
    (Rule.FORMAT, lambda made: replace(made, keys=(*made.keys[:-1], "X Y"))),
    (Rule.NO_GT, lambda made: replace(made, keys=("TG", *made.keys[1:]))),
    (Rule.SUBFIELDS, lambda made: replace(made, people=((*"." * 8,), *made.people[1:]))),
    *(
        (Rule.GT, lambda made, to=to: made.with_first("GT", to))
        for to in ("", "/", "0/", "/1", "0//1", "0\\1", "x", "0/A", "-1", "0.5", "0 1")
    ),
    *((Rule.ALLELE, lambda made, to=to: made.with_first("GT", to)) for to in ("0/7", "7", "./7", "0/" + "1" * 5000)),
    *((Rule.PLOIDY, lambda made, to=to: made.with_first("GT", to)) for to in ("0/0/0", "./././.")),
    *(
        (Rule.NUMBER, lambda made, key=key, to=to: made.with_first(key, to))
        for key in ("GQ", "DP", "MIN_DP")
        for to in ("", "-1", "1.5", "1,2", "x", "nan", "2147483648", "9" * 5000)
    ),
    *((Rule.AD, lambda made, to=to: made.with_first("AD", to)) for to in ("", "1,2,3,4,5,6", "x", "-3,1", "1,,2")),
    *((Rule.COLUMNS, lambda made, to=to: replace(made, end=to)) for to in ("\t", "\t\t", "\t0/1", "\t\r\n")),
    (Rule.COLUMNS, lambda made: replace(made, people=made.people[:-1])),
    (Rule.NUL, lambda made: replace(made, info="DP=\0")),
]  # fmt: skip


@given(records(), st.integers(1, 10**9))
def test_a_sound_record_is_accepted(made: Made, number: int) -> None:
    assert record_problems(made.line(), HEADER, number) == []


@pytest.mark.parametrize(("rule", "broken"), BREAKING, ids=[rule for rule, _ in BREAKING])
@settings(max_examples=10)
@given(made=records())
def test_one_breaking_change_is_refused_by_its_rule_and_line(made: Made, rule: Rule, broken: Change) -> None:
    problems = record_problems(broken(made).line(), HEADER, 77)
    assert rule in {problem.rule for problem in problems}
    assert all(problem.line == 77 and problem.where.startswith("line 77") for problem in problems)


@given(records(), st.sampled_from(["GQ", "DP", "MIN_DP", "AD"]))
def test_a_field_that_the_mask_asks_is_refused_without_its_declaration(made: Made, key: str) -> None:
    header = replace(HEADER, formats={name: how for name, how in HEADER.formats.items() if name != key})
    assert [problem.rule for problem in record_problems(made.line(), header, 1)] == [Rule.UNDECLARED_FORMAT]


def cut(line: str, at: int) -> list[Rule]:
    return [problem.rule for problem in record_problems(line[:at], HEADER, 1)]


@given(records(), st.data())
def test_a_line_that_is_cut_before_its_last_sample_is_refused(made: Made, data: st.DataObject) -> None:
    line = made.line().rstrip()
    at = data.draw(st.integers(0, line.rindex("\t") - 1))
    assert cut(line, at) == [Rule.COLUMNS]


@given(st.binary(), st.sampled_from([HEADER, replace(HEADER, samples=["ann"])]))
def test_no_bytes_make_the_check_of_a_record_raise(raw: bytes, header: VcfHeader) -> None:
    assert record_problems(raw.decode("latin-1"), header, 1) != []


@given(records(), st.data())
def test_no_damage_to_a_record_makes_its_check_raise(made: Made, data: st.DataObject) -> None:
    line = list(made.line())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(line) - 1))
        line[at] = data.draw(st.one_of(st.sampled_from("\t:,;/|.<>[]=0"), st.integers(0, 255).map(chr)))
    for problem in record_problems("".join(line), HEADER, 1):
        assert str(problem).isascii()


@given(st.lists(st.one_of(st.text(), st.builds("##{}={}".format, st.sampled_from(["contig", "FORMAT"]), st.text()))))
def test_no_text_makes_the_reading_of_a_header_do_more_than_refuse(lines: list[str]) -> None:
    with pytest.raises(InputError):
        read_header(lines, "a file")


TYPES = st.sampled_from(["Integer", "Float", "String", "Character", "Flag", "Int", ""])


@given(st.dictionaries(st.sampled_from(sorted(COUNTED)), st.tuples(st.sampled_from("1.RAG2"), TYPES)))
def test_a_declaration_is_held_to_what_the_count_reads(formats: dict[str, tuple[str, str]]) -> None:
    lines = [f'##FORMAT=<ID={key},Number={n},Type={kind},Description="x">' for key, (n, kind) in formats.items()]
    sound = {
        key for key, (n, kind) in formats.items()
        if (key, n, kind) in {
            ("GT", "1", "String"), ("GQ", "1", "Integer"), ("GQ", "1", "Float"), ("DP", "1", "Integer"),
            ("MIN_DP", "1", "Integer"), ("AD", "R", "Integer"), ("AD", ".", "Integer"),
        }
    }  # fmt: skip
    columns = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "ann"])
    text = ["##fileformat=VCFv4.3", *lines, columns]
    if sound == set(formats):
        assert read_header(text, "a file").formats == formats
    else:
        with pytest.raises(InputError) as refusal:
            read_header(text, "a file")
        assert {problem.rule for problem in refusal.value.problems} == {Rule.FORMAT_DECLARATION}


PLACES = st.lists(st.tuples(st.sampled_from(["1", "2", "X", "<1>"]), st.integers(1, 9)), max_size=9)


@given(PLACES)
def test_order_is_asked_of_contigs_and_positions(places: list[tuple[str, int]]) -> None:
    """Against sorting: stable by the first place of each contig, then by POS, leaves ordered records as they are."""
    counted = [place for place in places if place[0] != "<1>"]
    firsts = {contig: at for at, (contig, _) in reversed(list(enumerate(counted)))}
    ordered = sorted(counted, key=lambda place: (firsts[place[0]], place[1])) == counted
    check = OrderCheck()
    problems = [check.problem(contig, pos, number) for number, (contig, pos) in enumerate(places, start=1)]
    assert ordered == (not any(problems))
