"""Reading a sample sheet: text to cells, paths to places, and everything that is wrong at once."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from tessera.errors import InputError, Problem, refuse
from tessera.files.paths import VARIABLE, WORTH_A_LISTING, is_file
from tessera.schemas.document import quoted
from tessera.schemas.sample_checks import check_files, check_header, check_samples, check_widths
from tessera.schemas.sample_rows import given, is_withdrawn, normalise_samples, with_all_columns
from tessera.schemas.samples import INPUT_COLUMNS, SAMPLES


def read_samples(path: Path, *, need_inputs: bool, environment: Mapping[str, str] = os.environ) -> pl.DataFrame:
    """Read and check a sample sheet; one row per row of the sheet, columns of `SAMPLE_ROWS`.

    With `need_inputs` each sample needs an input; paths are expanded by `environment`, taken relative to the
    sheet's folder, and must exist, except those of withdrawn samples. Without it the input columns are kept
    as written and not checked. Raises InputError with all problems of the sheet.
    """
    sheet = str(path)
    lines = _split_lines(_read_text(path), sheet)
    header = lines["text"][0].split("\t")
    body = lines.slice(1).filter(pl.col("cells") == len(header))
    rows = with_all_columns(_split_cells(body, header))
    problems = check_header(header, sheet=sheet)
    problems += check_widths(lines.slice(1), columns=len(header), sheet=sheet)
    if need_inputs:
        rows, unset = _resolve(rows, path.parent, environment, sheet)
        problems += unset + check_files(_files(rows), sheet=sheet)
    problems += check_samples(rows, sheet=sheet, need_inputs=need_inputs)
    if problems:
        raise InputError(problems)
    return normalise_samples(rows)


def _read_text(path: Path) -> str:
    expected = "a tab-separated table with a header"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise refuse(str(path), "there is no such file", expected, "Check the path.") from None
    except OSError as error:
        raise refuse(str(path), f"cannot be read ({error.strerror})", expected) from None
    except ValueError:
        raise refuse(quoted(path), "is no path", expected) from None
    try:
        # "utf-8-sig" drops the byte order mark that spreadsheets write
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        remedy = "Save the sheet as tab-separated text in UTF-8."
        raise refuse(f"{path} line {line}", "bytes that are not UTF-8", "text in UTF-8", remedy) from None


def _split_lines(text: str, sheet: str) -> pl.DataFrame:
    """The lines that hold something: `line`, `text`, `cells`; refuses a sheet without header or samples."""
    frame = pl.DataFrame({"text": text.split("\n")}, schema={"text": pl.String})
    frame = frame.with_columns(
        line=pl.int_range(1, pl.len() + 1), cells=pl.col("text").str.count_matches("\t", literal=True) + 1
    ).filter(pl.col("text").str.strip_chars() != "")
    columns = f"a header with at least {', '.join(SAMPLES.required)}"
    remedy = "See config/README.md#sample."
    if frame.is_empty():
        raise refuse(sheet, "is empty", columns, remedy)
    if frame["line"][0] != 1:
        raise refuse(f"{sheet} line 1", "is empty", columns, remedy)
    if len(frame) == 1:
        raise refuse(sheet, "has a header and no sample", "a line for each sample", remedy)
    return frame


def _split_cells(lines: pl.DataFrame, header: Sequence[str]) -> pl.DataFrame:
    """`line` and one column of cells for each known name of the header, the first if it is repeated."""
    names = [name.strip() for name in header]
    parts = pl.col("text").str.split_exact("\t", len(header) - 1).struct
    known = [parts.field(f"field_{names.index(name)}").alias(name) for name in SAMPLES.names if name in names]
    return lines.select("line", *known)


def _resolve(
    rows: pl.DataFrame, folder: Path, environment: Mapping[str, str], sheet: str
) -> tuple[pl.DataFrame, list[Problem]]:
    """Paths with variables expanded and the sheet's folder before relative ones; and the unset variables.

    A cell with blanks around it, or with an unset variable, stays as written.
    """
    problems: list[Problem] = []
    for name in INPUT_COLUMNS:
        variables = _variables(rows.filter(~is_withdrawn()), name)
        for variable, line in variables.items():
            if variable not in environment:
                found = f"the variable ${variable} of {name} is not set"
                problems.append(Problem(f"{sheet} line {line}", found, "a set variable", f"Say: export {variable}=..."))
        rows = rows.with_columns(_place(rows[name], folder, {v: environment.get(v) for v in variables}))
    return rows, problems


def _variables(rows: pl.DataFrame, name: str) -> dict[str, int]:
    """Each variable that a column's cells name, with the first line that does."""
    cells = rows.filter(pl.col(name).str.contains(r"$", literal=True))
    named = cells.select("line", variable=pl.col(name).str.extract_all(VARIABLE)).explode("variable")
    named = named.drop_nulls().unique("variable", keep="first", maintain_order=True)
    first: dict[str, int] = {}
    for line, variable in named.iter_rows():
        first.setdefault(variable.strip("${}"), line)
    return first


def _place(cells: pl.Series, folder: Path, variables: Mapping[str, str | None]) -> pl.Series:
    column = pl.col(cells.name)
    place = column
    for variable, value in sorted(variables.items()):
        if value is not None:
            pattern = rf"\$(?:\{{{variable}\}}|{variable}\b)"
            place = place.str.replace_all(pattern, value.replace("$", "$$"))
    if folder != Path():
        prefix = f"{folder}/".replace("//", "/")
        place = pl.when(place.str.starts_with("/")).then(place).otherwise(pl.lit(prefix) + place)
    keep = (column == "") | (column != column.str.strip_chars()) | place.str.contains(VARIABLE)
    placed = cells.to_frame().select(pl.when(keep).then(column).otherwise(place).alias(cells.name)).to_series()
    # "a//b", "./a" and "a/../b" are other spellings of a file that may stand elsewhere in the sheet
    loose = placed.filter(placed.str.contains(r"//|(^|/)\.\.?/")).unique().to_list()
    return placed.replace({path: os.path.normpath(path) for path in loose}) if loose else placed


def _files(rows: pl.DataFrame) -> pl.DataFrame:
    """Every file of samples that are not withdrawn: `line` that names it first, `column`, `file`, `present`."""
    used = rows.filter(~is_withdrawn())
    cells = used.unpivot(on=INPUT_COLUMNS, index="line", variable_name="column", value_name="file")
    cells = cells.filter(
        given("file") & ~pl.col("file").str.contains(VARIABLE) & (pl.col("file") == pl.col("file").str.strip_chars())
    )
    files = cells.unique("file", keep="first", maintain_order=True).sort("line", maintain_order=True)
    return files.with_columns(present=pl.col("file").is_in(_present(files["file"]).implode()))


def _present(files: pl.Series) -> pl.Series:
    """Those of the paths that are files."""
    parts = files.to_frame("file").with_columns(folder=pl.col("file").str.extract(r"^(.*/)").fill_null("./"))
    present: list[str] = []
    for (folder,), group in parts.group_by("folder"):
        names = group.select(pl.col("file").str.extract(r"([^/]*)$"), path="file")
        found = _files_of(Path(str(folder)), names["file"].to_list())
        present += names.filter(pl.col("file").is_in(found))["path"].to_list()
    return pl.Series("present", present, dtype=pl.String)


def _files_of(folder: Path, names: Sequence[str]) -> list[str]:
    wanted = set(names)
    if len(wanted) >= WORTH_A_LISTING:
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if entry.name in wanted and entry.is_file()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError):
            pass  # a folder may allow its files and not its listing
    return [name for name in names if is_file(folder / name)]
