"""The sample sheet: what is accepted, how it is normalised, and the sentence each mistake gets."""

from pathlib import Path

import polars as pl
import pytest

from tessera.errors import InputError
from tessera.files.samples import read_samples
from tessera.schemas.sample_rows import each_person
from tessera.schemas.samples import SAMPLE_ROWS

HEADER = "sample\tsex\tpopulation"


def write(folder: Path, *lines: str) -> Path:
    """A sheet of these lines, blanks standing for tabs and `-` for an empty cell."""
    cells = [["" if cell == "-" else cell for cell in line.split(" ")] for line in lines]
    return write_raw(folder, "".join("\t".join(line) + "\n" for line in cells).encode())


def write_raw(folder: Path, content: bytes) -> Path:
    sheet = folder / "samples.tsv"
    sheet.write_bytes(content)
    return sheet


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def read(sheet: Path, *, need_inputs: bool = False, **environment: str) -> pl.DataFrame:
    return read_samples(sheet, need_inputs=need_inputs, environment=environment)


def problems(sheet: Path, *, need_inputs: bool = False, **environment: str) -> list[str]:
    """What is said of a sheet, without the folder it lies in."""
    with pytest.raises(InputError) as refused:
        read(sheet, need_inputs=need_inputs, **environment)
    return [str(problem).replace(f"{sheet.parent}/", "") for problem in refused.value.problems]


def test_three_columns_are_enough_for_a_count(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "sample sex population", "a XX EE", "b XY EE"))
    assert rows.schema == SAMPLE_ROWS.schema
    assert rows["stratum"].to_list() == ["EE_F", "EE_M"]
    assert rows["batch"].to_list() == ["1", "1"]


@pytest.mark.parametrize(
    ("spelt", "karyotype", "stratum"),
    [
        *((word, "XX", "F") for word in ("XX", "xx", "F", "f", "female", "Female", "2")),
        *((word, "XY", "M") for word in ("XY", "M", "male", "MALE", "1")),
        *((word, "NA", "U") for word in ("NA", "na", "0", "unknown", "U")),
        *((word, word, "U") for word in ("X0", "XXY", "XYY", "XXX")),
    ],
)
def test_a_spelling_of_sex_becomes_its_karyotype(tmp_path: Path, spelt: str, karyotype: str, stratum: str) -> None:
    row = read(write(tmp_path, "sample sex population", f"a {spelt} EE")).row(0, named=True)
    assert (row["sex"], row["sex_stratum"], row["stratum"]) == (karyotype, stratum, f"EE_{stratum}")


def test_a_sex_nobody_knows_is_refused_with_its_line(tmp_path: Path) -> None:
    assert problems(write(tmp_path, "sample sex population", "a XX EE", "b W EE")) == [
        'samples.tsv line 3: sex is "W"; expected XX, XY, X0, XXY, XYY, XXX or NA '
        "(or F, female, 2; M, male, 1; U, unknown, 0).\n"
        "  Sex here is the karyotype, see config/README.md#sex."
    ]


def test_byte_order_mark_carriage_returns_and_empty_lines_are_tolerated(tmp_path: Path) -> None:
    sheet = write_raw(tmp_path, f"\ufeff{HEADER}\r\na\tXX\tEE\r\n\r\nb\tXY\tEE\r\n\t\t\r\n".encode())
    rows = read(sheet)
    assert rows.select("line", "sample", "population").rows() == [(2, "a", "EE"), (4, "b", "EE")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\n" + HEADER.encode() + b"\na\tXX\tEE\n", "line 1: is empty"),
        (HEADER.encode() + b"\n", "has a header and no sample"),
        (HEADER.encode() + b"\na\tXX\tEE\nb\tXX\t\xe9\n", "line 3: bytes that are not UTF-8"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused_at_once(tmp_path: Path, content: bytes, said: str) -> None:
    (problem,) = problems(write_raw(tmp_path, content))
    assert said in problem


def test_a_sheet_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "there is no such file" in problems(tmp_path / "nowhere.tsv")[0]


def test_a_folder_is_no_sheet(tmp_path: Path) -> None:
    assert "cannot be read" in problems(tmp_path)[0]


def test_a_misspelt_column_is_one_mistake(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "Sample sex population", "a XX EE"))
    assert 'line 1: unknown column "Sample"' in problem
    assert 'Did you mean "sample"?' in problem


def test_missing_and_repeated_columns_are_listed_together(tmp_path: Path) -> None:
    said = problems(write(tmp_path, "sample sex sex", "a XX XX"))
    assert ["column 3 is a second sex" in said[0], "the column population is missing" in said[1]] == [True, True]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("-a XX EE", 'line 2: sample is "-a"'),
        ("ü XX EE", 'line 2: sample is "ü"'),
        ("a/b XX EE", 'line 2: sample is "a/b"'),
        ("a XX E_E", 'line 2: population is "E_E"'),
        ("a XX EEEEEEEEEEEEEEEEE", 'line 2: population is "EEEEEEEEEEEEEEEEE"'),
        ("a - EE", "line 2: sex is empty"),
        ("a XX EE more", "line 2: 4 cells; expected 3"),
        ("a XX", "line 2: 2 cells; expected 3"),
        ("a \u00a0XX EE", 'line 2: sex is "\\xa0XX", with blanks around it'),
    ],
)
def test_a_bad_cell_is_one_mistake(tmp_path: Path, row: str, said: str) -> None:
    (problem,) = problems(write(tmp_path, "sample sex population", row))
    assert said in problem


def test_a_cell_of_control_characters_is_shown_on_one_line(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "sample sex population", "a\x1b[2J\rb XX EE"))
    assert '"a\\x1b[2J\\rb"' in problem


def test_many_lines_with_one_mistake_are_counted(tmp_path: Path) -> None:
    said = problems(write(tmp_path, "sample sex population", *(f"s{i} W EE" for i in range(1000))))
    assert len(said) == 21
    assert "... and 980 more like line 21" in said[-1]


def test_without_a_consent_column_consent_is_not_stated(tmp_path: Path) -> None:
    row = read(write(tmp_path, "sample sex population", "a XX EE")).row(0, named=True)
    assert (row["consent"], row["consent_stated"], row["withdrawn"]) == (None, False, False)


def test_with_a_consent_column_every_row_must_be_filled(tmp_path: Path) -> None:
    sheet = write(tmp_path, "sample sex population consent", "a XX EE DUO:0000042", "b XX EE -")
    assert "line 3: consent is empty" in problems(sheet)[0]


@pytest.mark.parametrize("code", ["DUO:42", "Withdrawn", "DUO:00000042", "yes"])
def test_a_consent_that_is_no_duo_code_is_refused(tmp_path: Path, code: str) -> None:
    (problem,) = problems(write(tmp_path, "sample sex population consent", f"a XX EE {code}"))
    assert f'consent is "{code}"' in problem


def test_a_withdrawn_sample_needs_no_input_and_no_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.bam")
    sheet = write(
        tmp_path,
        "sample sex population consent bam",
        "a XX EE DUO:0000042 a.bam",
        "b XX EE withdrawn -",
        "c XX EE withdrawn gone.bam",
        "d XX EE withdrawn $GONE/d.bam",
    )
    rows = read(sheet, need_inputs=True)
    assert rows["withdrawn"].to_list() == [False, True, True, True]


def test_each_row_has_exactly_one_input(tmp_path: Path) -> None:
    touch(tmp_path, "a", "b")
    sheet = write(tmp_path, "sample sex population bam cram", "s XX EE a b", "t XX EE - -")
    said = problems(sheet, need_inputs=True)
    assert ['sample "t" has no input' in said[0], 'sample "s" has more than one input' in said[1]] == [True, True]


def test_a_sheet_separated_by_commas_is_refused_for_its_header_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("sample,sex,population,gvcf\nann,XX,EE,a.g.vcf.gz\n")
    said = problems(tmp_path / "a.tsv", need_inputs=True)
    assert [": unknown column" in said[0], *("is missing" in text for text in said[1:])] == [True] * 4


@pytest.mark.parametrize(
    ("cells", "said"), [("a -", 'fastq_2 is empty beside "a"'), ("- a", 'fastq_1 is empty beside "a"')]
)
def test_half_a_pair_of_fastq_is_refused(tmp_path: Path, cells: str, said: str) -> None:
    touch(tmp_path, "a")
    sheet = write(tmp_path, "sample sex population fastq_1 fastq_2", f"s XX EE {cells}")
    (problem,) = problems(sheet, need_inputs=True)
    assert said in problem


def test_lanes_are_numbered_where_no_read_group_is_given(tmp_path: Path) -> None:
    touch(tmp_path, *"abcdef")
    sheet = write(
        tmp_path,
        "sample sex population read_group fastq_1 fastq_2",
        "s XX EE - a b",
        "t F EE - c d",
        "s F EE L2 e f",
    )
    assert read(sheet, need_inputs=True).select("sample", "read_group", "kind").rows() == [
        ("s", "1", "fastq"),
        ("t", "1", "fastq"),
        ("s", "L2", "fastq"),
    ]


def test_a_read_group_is_given_once_in_a_sample(tmp_path: Path) -> None:
    touch(tmp_path, *"abcdef")
    rows = ["s XX EE 2 a b", "s XX EE - c d", "t XX EE 2 e f"]
    sheet = write(tmp_path, "sample sex population read_group fastq_1 fastq_2", *rows)
    (problem,) = problems(sheet, need_inputs=True)
    assert 'line 3: read group "2" of sample "s" is given again' in problem


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["s XX EE a b", "t XX EE a c"], 'line 3: fastq file "a" is given again, first on line 2'),
        (["s XX EE a ./a"], 'line 2: fastq file "a" is given again, first on line 2'),
        (["s XX EE a b", "t XX EE c d/../b"], 'line 3: fastq file "b" is given again, first on line 2'),
    ],
)
def test_a_fastq_file_stands_in_one_cell(tmp_path: Path, rows: list[str], said: str) -> None:
    touch(tmp_path, *"abc")
    (problem,) = problems(write(tmp_path, "sample sex population fastq_1 fastq_2", *rows), need_inputs=True)
    assert said in problem


@pytest.mark.parametrize("kind", ["bam", "cram", "gvcf"])
def test_a_file_of_one_person_is_not_given_for_two(tmp_path: Path, kind: str) -> None:
    touch(tmp_path, "a")
    sheet = write(tmp_path, f"sample sex population {kind}", "s XX EE a", "t XX EE a")
    (problem,) = problems(sheet, need_inputs=True)
    assert f'line 3: {kind} file "a" is given again, first on line 2' in problem


def test_a_cohort_vcf_is_given_for_many(tmp_path: Path) -> None:
    touch(tmp_path, "a.vcf.gz")
    sheet = write(tmp_path, "sample sex population vcf", *(f"s{i} XX EE a.vcf.gz" for i in range(3)))
    assert read(sheet, need_inputs=True)["vcf"].unique().to_list() == [str(tmp_path / "a.vcf.gz")]


@pytest.mark.parametrize("need_inputs", [True, False])
def test_a_sample_listed_twice_is_refused(tmp_path: Path, need_inputs: bool) -> None:
    touch(tmp_path, "a", "b")
    sheet = write(tmp_path, "sample sex population bam", "s XX EE a", "s XX EE b")
    (problem,) = problems(sheet, need_inputs=need_inputs)
    assert 'line 3: sample "s" is listed again, first on line 2' in problem


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("s XY EE 1 DUO:0000042", 'sex of sample "s" is "XY", but "XX" on line 2'),
        ("s XX DD 1 DUO:0000042", 'population of sample "s" is "DD", but "EE" on line 2'),
        ("s XX EE 2 DUO:0000042", 'batch of sample "s" is "2", but "1" on line 2'),
        ("s XX EE 1 DUO:0000006", 'consent of sample "s" is "DUO:0000006", but "DUO:0000042" on line 2'),
    ],
)
def test_the_rows_of_a_sample_agree(tmp_path: Path, second: str, said: str) -> None:
    touch(tmp_path, *"abcd")
    rows = ["s F EE 1 DUO:0000042 a b", f"{second} c d"]
    sheet = write(tmp_path, "sample sex population batch consent fastq_1 fastq_2", *rows)
    (problem,) = problems(sheet, need_inputs=True)
    assert f"line 3: {said}" in problem


def test_paths_start_at_the_folder_of_the_sheet_and_variables_are_expanded(tmp_path: Path) -> None:
    touch(tmp_path, "here/a", "there/b", "there/c")
    sheet = write(
        tmp_path,
        "sample sex population bam",
        "s XX EE ./here//a",
        "t XX EE $DATA/b",
        "u XX EE ${DATA}/c",
    )
    rows = read(sheet, need_inputs=True, DATA=str(tmp_path / "there"))
    assert rows["bam"].to_list() == [str(tmp_path / name) for name in ("here/a", "there/b", "there/c")]


def test_a_variable_that_is_not_set_is_named_once(tmp_path: Path) -> None:
    sheet = write(tmp_path, "sample sex population bam", "s XX EE $DATA/a", "t XX EE $DATA/b")
    (problem,) = problems(sheet, need_inputs=True)
    assert "line 2: the variable $DATA of bam is not set" in problem


def test_a_file_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    sheet = write(tmp_path, "sample sex population vcf", "s XX EE gone.vcf", "t XX EE gone.vcf")
    (problem,) = problems(sheet, need_inputs=True)
    assert 'line 2: there is no file "gone.vcf", named under "vcf"' in problem


def test_many_files_in_one_folder_are_found_and_missed(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{i}.bam" for i in range(100) if i != 7))
    sheet = write(tmp_path, "sample sex population bam", *(f"s{i} XX EE {i}.bam" for i in range(100)))
    (problem,) = problems(sheet, need_inputs=True)
    assert "line 9: there is no file" in problem


def test_a_count_leaves_the_inputs_of_a_sheet_alone(tmp_path: Path) -> None:
    sheet = write(tmp_path, "sample sex population bam gvcf", "s XX EE gone.bam $X/y")
    assert read(sheet)["gvcf"].to_list() == ["$X/y"]


def test_each_person_is_one_row_however_many_lanes(tmp_path: Path) -> None:
    touch(tmp_path, *"abcdef")
    rows = ["t XX EE a b", "s XX EE c d", "t XX EE e f"]
    sheet = write(tmp_path, "sample sex population fastq_1 fastq_2", *rows)
    people = each_person(read(sheet, need_inputs=True))
    assert people["sample"].to_list() == ["t", "s"]
    assert "fastq_1" not in people.columns
