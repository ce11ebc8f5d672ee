"""What can be wrong with a sample sheet, found column by column and never row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from tessera.errors import Problem
from tessera.schemas.document import nearest, quoted
from tessera.schemas.sample_rows import given, is_fastq, is_withdrawn, karyotype, lane, stripped, with_all_columns
from tessera.schemas.samples import (
    DUO_PATTERN,
    FASTQ_COLUMNS,
    KARYOTYPES,
    NAME_PATTERN,
    PERSON_COLUMNS,
    PERSONAL_COLUMNS,
    POPULATION_PATTERN,
    SAMPLES,
    WITHDRAWN,
)

#: lines listed for one kind of mistake; the others are counted
LINES_LISTED = 20
_ONCE = "A person is counted once."
_ONE_NODE = "each person once in a run, whatever node"


def check_header(header: Sequence[str], *, sheet: str) -> list[Problem]:
    """What is wrong with the column names of a sheet: unknown, duplicated, missing, blanks around them."""
    where = f"{sheet} line 1"
    expected = f"columns named {', '.join(SAMPLES.names)}"
    names = [name.strip() for name in header]
    absent = [name for name in SAMPLES.names if name not in names]
    problems, meant = [], set()
    for number, (cell, name) in enumerate(zip(header, names, strict=True), start=1):
        if name not in SAMPLES.names:
            guess = nearest(name, absent)
            meant.add(guess)
            remedy = f'Did you mean "{guess}"?' if guess else "Remove the column or rename it."
            problems.append(Problem(where, f"unknown column {quoted(cell)}", expected, remedy))
        elif name in names[: number - 1]:
            problems.append(Problem(where, f"column {number} is a second {name}", "each column once", _see(name)))
        elif cell != name:
            found = f"column name {quoted(cell)} has blanks around it"
            problems.append(Problem(where, found, f'"{name}"', "Remove the blanks."))
    # a misspelt required column is one mistake, not an unknown column and a missing one
    for name in SAMPLES.required:
        if name in absent and name not in meant:
            problems.append(Problem(where, f"the column {name} is missing", expected, _see(name)))
    return problems


def check_samples(rows: pl.DataFrame, *, sheet: str, need_inputs: bool) -> list[Problem]:
    """All mistakes in the cells of a sheet, by kind: `LINES_LISTED` lines of each, and how many more.

    `rows` has the column `line` and, all strings, the columns of `SAMPLES` that the sheet has; an empty cell
    is an empty string. With `need_inputs` each row needs exactly one input and no file may be given twice; a
    row whose consent is withdrawn needs none, its files may be gone.
    """
    rows = with_all_columns(rows)
    bare = stripped(rows)
    problems = _apply(_blank_checks(), rows, sheet) + _apply(_cell_checks(), bare, sheet)
    if need_inputs:
        used = bare.filter(~is_withdrawn())
        problems += _apply(_input_checks(), used, sheet) + _files_given_twice(used, sheet)
    return problems + _samples_given_twice(bare, sheet, need_inputs=need_inputs)


def check_widths(lines: pl.DataFrame, *, columns: int, sheet: str) -> list[Problem]:
    """Lines (`line`, `cells`) that have another number of cells than the header has columns."""
    wrong = pl.col("cells") != columns
    remedy = "Cells are separated by one tab; an empty cell keeps its tab."
    return _apply([_Check(wrong, "{cells} cells", f"{columns}, as in the header", remedy)], lines, sheet)


def check_files(cells: pl.DataFrame, *, sheet: str) -> list[Problem]:
    """Cells (`line`, `column`, `file`, `present`) whose file does not exist."""
    found = "there is no file {file}, named under {column}"
    remedy = "A relative path starts at the folder of the sheet, see config/README.md#inputs."
    return _apply([_Check(~pl.col("present"), found, "an existing file", remedy)], cells, sheet)


def check_people_once(cells: pl.DataFrame) -> list[Problem]:
    """Cells (`sheet`, `line`, `sample`, `column`, `file`, `real`: the file's path without links) that repeat a person.

    The sheets of a run are looked at together, in the order of the cells. A FASTQ, BAM, CRAM or gVCF is of one
    person; a cohort VCF is of many, and each is counted out of it once. A name alone may repeat between nodes.
    """
    cohort = pl.col("column") == "vcf"
    person = pl.struct("real", pl.when(cohort).then("sample"))
    first = pl.col("sheet", "line", "sample").first().over(person).name.suffix("_first")
    again = cells.with_columns(first, again=~person.is_first_distinct()).filter("again")
    where = "first as sample {sample_first} on line {line_first} of {sheet_first}"
    checks = [
        _Check(cohort, f"sample {{sample}} of cohort file {{file}} is given again, {where}", _ONE_NODE, _ONCE),
        _Check(~cohort, f"file {{file}} of sample {{sample}} is given again, {where}", _ONE_NODE, _ONCE),
    ]
    sheets = again["sheet"].unique(maintain_order=True)
    return [problem for sheet in sheets for problem in _apply(checks, again.filter(sheet=sheet), sheet)]


@dataclass(frozen=True)
class _Check:
    """One kind of mistake; `found` is a template over the row's columns, whose values it quotes."""

    wrong: pl.Expr
    found: str
    expected: str
    remedy: str


def _apply(checks: Sequence[_Check], rows: pl.DataFrame, sheet: str) -> list[Problem]:
    counts = rows.select(check.wrong.sum().alias(str(i)) for i, check in enumerate(checks)).row(0)
    problems: list[Problem] = []
    for check, count in zip(checks, counts, strict=True):
        if count:
            problems += _listed(rows.filter(check.wrong), check, sheet)
    return problems


def _listed(wrong: pl.DataFrame, check: _Check, sheet: str) -> Iterator[Problem]:
    listed = wrong.head(LINES_LISTED)
    for row in listed.iter_rows(named=True):
        shown = {name: value if isinstance(value, int) else quoted(value) for name, value in row.items()}
        found = check.found.format_map(shown)
        yield Problem(f"{sheet} line {row['line']}", found, check.expected, check.remedy)
    if more := len(wrong) - len(listed):
        found = f"... and {more} more like line {listed['line'][-1]}"
        yield Problem(sheet, found, check.expected)


def _see(column: str) -> str:
    return f"See config/README.md#{column}."


def _inputs_given() -> pl.Expr:
    one_each = [given(name).cast(pl.Int8) for name in (*PERSONAL_COLUMNS, "vcf")]
    return pl.sum_horizontal(is_fastq().cast(pl.Int8), *one_each)


def _blank_checks() -> list[_Check]:
    """On the cells as written; a cell of nothing but blanks counts as empty."""
    checks = []
    for name in SAMPLES.names:
        bare = pl.col(name).str.strip_chars()
        wrong = (pl.col(name) != bare) & (bare != "")
        found = f"{name} is {{{name}}}, with blanks around it"
        checks.append(_Check(wrong, found, "no blanks at the ends of a cell", "Remove the blanks."))
    return checks


def _cell_checks() -> list[_Check]:
    """On cells without blanks around them, each by itself."""
    empty = [
        _Check(pl.col(name) == "", f"{name} is empty", "a value in every row", _see(name))
        for name in (*SAMPLES.required, "consent")
    ]
    letters = "letters, digits, '.', '_' and '-', the first a letter or digit"
    names = [_mismatch(name, NAME_PATTERN, letters) for name in ("sample", "batch", "read_group")]
    return [
        *empty,
        *names,
        _Check(
            given("sex") & karyotype().is_null(),
            "sex is {sex}",
            f"{', '.join(KARYOTYPES[:-1])} or NA (or F, female, 2; M, male, 1; U, unknown, 0)",
            "Sex here is the karyotype, see config/README.md#sex.",
        ),
        _mismatch("population", POPULATION_PATTERN, "1 to 16 letters or digits"),
        _mismatch("consent", f"{DUO_PATTERN}|^{WITHDRAWN}$", "a DUO code such as DUO:0000042, or withdrawn"),
    ]


def _mismatch(name: str, pattern: str, expected: str) -> _Check:
    wrong = given(name) & ~pl.col(name).str.contains(pattern)
    return _Check(wrong, f"{name} is {{{name}}}", expected, _see(name))


def _input_checks() -> list[_Check]:
    """On the inputs of a row; a sheet without a single input column has no row with an input."""
    one = "one input: fastq_1 and fastq_2, or one of bam, cram, gvcf, vcf"
    pair, remedy = "both files of the pair", "See config/README.md#inputs."
    named = given("sample")  # a row without a name has been told of
    half = (given("fastq_1") != given("fastq_2")) & (_inputs_given() == 1)
    return [
        _Check(named & (_inputs_given() == 0), "sample {sample} has no input", one, remedy),
        _Check(named & (_inputs_given() > 1), "sample {sample} has more than one input", one, remedy),
        _Check(half & given("fastq_1"), "fastq_2 is empty beside {fastq_1}", pair, remedy),
        _Check(half & given("fastq_2"), "fastq_1 is empty beside {fastq_2}", pair, remedy),
    ]


def _files_given_twice(rows: pl.DataFrame, sheet: str) -> list[Problem]:
    """A FASTQ file in two cells; a BAM, CRAM or gVCF of two samples (its person would be counted twice)."""
    problems: list[Problem] = []
    for names in (FASTQ_COLUMNS, *((name,) for name in PERSONAL_COLUMNS)):
        cells = pl.concat(rows.select("line", "sample", file=pl.col(name)) for name in names)
        cells = cells.filter(given("file"))
        if cells["file"].n_unique() == len(cells):
            continue
        first = pl.col("line", "sample").first().over("file").name.suffix("_first")
        repeated = cells.sort("line", maintain_order=True).filter(pl.col("file").is_duplicated())
        repeated = repeated.with_columns(first, again=~pl.col("file").is_first_distinct())
        other_person = pl.col("sample") != pl.col("sample_first")
        wrong = pl.col("again") & (pl.lit(True) if names == FASTQ_COLUMNS else other_person)
        found = f"{names[0].removesuffix('_1')} file {{file}} is given again, first on line {{line_first}}"
        check = _Check(wrong, found, "each file once", _ONCE)
        problems += _apply([check], repeated, sheet)
    return problems


def _samples_given_twice(rows: pl.DataFrame, sheet: str, *, need_inputs: bool) -> list[Problem]:
    """What the rows of a sample may not do: differ about the person, share a lane, or be no lanes at all."""
    repeated = rows.filter(given("sample") & pl.col("sample").is_duplicated())
    if repeated.is_empty():
        return []
    other_input = ~is_fastq() & (_inputs_given() > 0 if need_inputs else pl.lit(True))
    repeated = repeated.with_columns(
        sex=pl.coalesce(karyotype(), "sex"), lane=lane(), other_input=other_input.any().over("sample")
    ).with_columns(
        pl.col("line", *PERSON_COLUMNS).first().over("sample").name.suffix("_first"),
        lane_seen=~pl.struct("sample", "lane").is_first_distinct(),
    )
    return _apply(_repeat_checks(), repeated, sheet)


def _repeat_checks() -> list[_Check]:
    later = pl.col("line") != pl.col("line_first")
    return [
        _Check(
            later & pl.col("other_input"),
            "sample {sample} is listed again, first on line {line_first}",
            "several rows for a sample only where each is a FASTQ lane",
            "See config/README.md#sample.",
        ),
        _Check(
            is_fastq() & pl.col("lane_seen") & ~pl.col("other_input"),
            "read group {lane} of sample {sample} is given again",
            "a read group of its own for each row of a sample",
            "See config/README.md#read_group.",
        ),
        *(
            _Check(
                given(name) & given(f"{name}_first") & (pl.col(name) != pl.col(f"{name}_first")),
                f"{name} of sample {{sample}} is {{{name}}}, but {{{name}_first}} on line {{line_first}}",
                "the same in all rows of a sample",
                _see(name),
            )
            for name in PERSON_COLUMNS
        ),
    ]
