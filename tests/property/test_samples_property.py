"""For any sheet: either it is read, or an InputError says why; and what is valid comes back as it was."""

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.errors import InputError
from tessera.files.samples import read_samples
from tessera.schemas.sample_checks import LINES_LISTED
from tessera.schemas.samples import SAMPLE_ROWS, SAMPLES, SEX_SPELLINGS, SEX_STRATA

CELL = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["a", "b", "XX", "F", "EE", "1", "withdrawn", "DUO:0000042", "x.fq", "$X/y", " a", "../x", "."]),
)
COLUMN = st.one_of(st.sampled_from(SAMPLES.names), st.text(max_size=4))
TABLE = st.lists(COLUMN, min_size=1, max_size=12).flatmap(
    lambda header: st.lists(st.lists(CELL, min_size=1, max_size=len(header) + 1), max_size=6).map(
        lambda rows: "\n".join("\t".join(line) for line in [header, *rows]).encode("utf-8", "surrogatepass")
    )
)
NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True)
PERSON = st.fixed_dictionaries(
    {
        "sex": st.sampled_from(sorted(SEX_SPELLINGS)),
        "population": st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
        "batch": st.one_of(st.just(""), NAME),
        "consent": st.one_of(st.just("withdrawn"), st.from_regex(r"DUO:[0-9]{7}", fullmatch=True)),
    }
)


@pytest.mark.parametrize("need_inputs", [True, False])
@given(content=st.one_of(st.binary(max_size=200), TABLE))
def test_any_content_is_read_or_refused_in_words(content: bytes, need_inputs: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "samples.tsv"
        sheet.write_bytes(content)
        with contextlib.suppress(InputError):
            rows = read_samples(sheet, need_inputs=need_inputs, environment={})
            assert rows.schema == SAMPLE_ROWS.schema
            assert len(rows) > 0


@given(people=st.dictionaries(NAME, PERSON, min_size=1, max_size=8), data=st.data())
def test_a_valid_sheet_comes_back_as_it_was(people: dict[str, dict[str, str]], data: st.DataObject) -> None:
    columns = data.draw(st.permutations(["sample", "sex", "population", "batch", "consent"]))
    lines = [columns, *([{"sample": name, **person}[c] for c in columns] for name, person in people.items())]
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "samples.tsv"
        sheet.write_text("\n".join("\t".join(line) for line in lines), encoding="utf-8")
        rows = read_samples(sheet, need_inputs=False).to_dicts()
    assert [row["sample"] for row in rows] == list(people)
    for row, person in zip(rows, people.values(), strict=True):
        karyotype = SEX_SPELLINGS[person["sex"]]
        assert row["sex"] == karyotype
        assert row["stratum"] == f"{person['population']}_{SEX_STRATA.get(karyotype, 'U')}"
        assert row["batch"] == (person["batch"] or "1")
        assert (row["consent"], row["withdrawn"]) == (person["consent"], person["consent"] == "withdrawn")


@settings(max_examples=20)
@given(wrong=st.integers(min_value=1, max_value=60), right=st.integers(min_value=0, max_value=10))
def test_every_wrong_line_is_listed_or_counted(wrong: int, right: int) -> None:
    lines = [*(f"r{i}\tXX\tEE" for i in range(right)), *(f"w{i}\tW\tEE" for i in range(wrong))]
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "samples.tsv"
        sheet.write_text("\n".join(["sample\tsex\tpopulation", *lines]), encoding="utf-8")
        with pytest.raises(InputError) as refused:
            read_samples(sheet, need_inputs=False)
    said = [problem.found for problem in refused.value.problems]
    assert len([found for found in said if found == 'sex is "W"']) == min(wrong, LINES_LISTED)
    if wrong > LINES_LISTED:
        assert said[-1].startswith(f"... and {wrong - LINES_LISTED} more like line")
