"""The short ways past heavy libraries: what they accept, the long way accepts, and reads the same."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tessera.errors import InputError
from tessera.files.input_samples import read_people
from tessera.files.plain_sheet import read_plain_sheet
from tessera.schemas.build import SCHEMA
from tessera.schemas.consent import consent_reason
from tessera.schemas.document import surely_fits
from tessera.summary.people import Listed

FILE_CELLS = ["", "x.vcf", "./x.vcf", "y.vcf", "$X/y", " x.vcf"]
CELLS = {
    "sample": ["S1", "S2", "S3", "S1 ", "-"], "sex": ["XX", "f", "1", "NA", "no"],
    "population": ["EE", "a1", "e_e", ""],
    "batch": ["", "1", "?"], "consent": ["DUO:0000042", "DUO:0000004", "DUO:0000007", "withdrawn", ""],
    "gvcf": FILE_CELLS, "vcf": FILE_CELLS, "bam": ["", "x.bam"], "other": ["1"],
}  # fmt: skip
#: mostly what is right, so that whole sheets are
PICK = {name: st.sampled_from([*words[:2] * 6, *words]) for name, words in CELLS.items()}
NEEDED = ["sample", "sex", "population"]
HEADERS = st.lists(st.sampled_from(list(CELLS)[3:]), max_size=3).map(lambda more: [*NEEDED, *more])
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def sheets(draw: st.DrawFn) -> bytes:
    """A sheet, right or wrong."""
    header = draw(st.one_of(st.just(NEEDED), HEADERS))
    people = draw(st.one_of(st.permutations(["S1", "S2", "S3"]), st.lists(PICK["sample"], max_size=4)))
    rows = [[name, *(draw(PICK[column]) for column in header[1:])] for name in people]
    end = draw(ENDS)
    return end.join("\t".join(row) for row in [header, *rows]).encode() + end.encode() * draw(st.integers(0, 2))


@given(sheet=sheets(), held=st.permutations(["S1", "S2", "S3"]), number=st.integers(1, 3))
@example(b"sample\tsex\tpopulation\nS1\tf\tEE\nS2\tXY\tEE\n", ["S2", "S1"], 2)
def test_a_plain_sheet_is_read_as_by_the_long_way(sheet: bytes, held: list[str], number: int) -> None:
    with TemporaryDirectory() as folder:
        path, file, samples = Path(folder, "samples.tsv"), Path(folder, "x.vcf"), held[:number]
        path.write_bytes(sheet)
        plain = read_plain_sheet(path, file, samples)
        try:
            whole = Listed.of_frame(read_people(path, file, samples).with_columns(consent_reason()))
        except InputError:
            assert plain is None
            return
    if plain is not None:
        assert Listed(*map(list, (plain.names, plain.karyotypes, plain.strata, plain.consents, plain.reasons))) == whole


def test_a_sheet_of_three_columns_is_plain(tmp_path: Path) -> None:
    path = tmp_path / "samples.tsv"
    path.write_text("sample\tsex\tpopulation\nS1\tf\tEE\nS2\tXY\tEE\n")
    assert read_plain_sheet(path, tmp_path / "x.vcf", ["S2", "S1"]) is not None
    assert read_plain_sheet(path, tmp_path / "x.vcf", ["S2"]) is None


KEYS = st.sampled_from(["name", "contigs", "par", "kind", "length", "digests", "x", "y", "more"])
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, -1, 2**31, 1.0, 1.5, "", "chr1", "autosome", "x\n", "0" * 32, "chr 1"]),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(KEYS, below, max_size=4)),
    max_leaves=12,
)
CONTIG = st.fixed_dictionaries(
    {"name": st.sampled_from(["chr1", 1, "a b"]), "kind": st.sampled_from(["autosome", "mt", "z"]),
     "length": st.sampled_from([1, 100, 0, 2.0])},
    optional={"digests": VALUES},
)  # fmt: skip
BUILD = st.fixed_dictionaries({"name": st.just("b"), "contigs": st.lists(CONTIG, max_size=2)}, optional={"par": VALUES})


@given(document=st.one_of(VALUES, BUILD))
@example({"name": "b", "contigs": [{"name": "chr1", "kind": "autosome", "length": 5}]})
def test_what_surely_fits_a_schema_fits_it(document: Any) -> None:
    assert not surely_fits(document, SCHEMA) or Draft202012Validator(SCHEMA).is_valid(document)


def test_a_build_surely_fits() -> None:
    contig = {"name": "chr1", "kind": "autosome", "length": 5}
    assert surely_fits({"name": "b", "contigs": [contig]}, SCHEMA)
    assert not surely_fits({"name": "b", "contigs": [contig | {"length": 0}]}, SCHEMA)
