"""Versions out of provenance files are versions, and nothing else that somebody may have written there."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tessera.errors import InputError
from tessera.files.provenance import TOOLS, versions_told, write_provenance


def provenance(folder: Path, name: str, **changed: Any) -> Path:
    """A provenance file in which versions are changed; None takes one away."""
    write_provenance(folder / name, "count", {}, {})
    path = folder / f"{name}.provenance.json"
    document = json.loads(path.read_text())
    document["versions"] = {k: v for k, v in (document["versions"] | changed).items() if v is not None}
    path.write_text(json.dumps(document))
    return path


def test_versions_of_all_counts_are_told(tmp_path: Path) -> None:
    paths = [provenance(tmp_path, "ann"), provenance(tmp_path, "ben", polars="1.30.0rc1")]
    told = versions_told(paths)
    assert set(told) == {"tessera", "python", "snakemake", *TOOLS}
    assert told["polars"] == " ".join(sorted({"1.30.0rc1", version("polars")}))
    assert versions_told([]) == {"snakemake": version("snakemake")}


@pytest.mark.parametrize("odd", ["ann", "1.0 ann", "/home/ann/1.0", "1.0\nann", "", None, 1, ["1.0"]])
def test_what_is_no_version_is_refused(odd: Any, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"ann\.provenance\.json versions\.numpy: .* expected a version such as 1\.2\.0"
    ):
        versions_told([provenance(tmp_path, "ann", numpy=odd)])


@pytest.mark.parametrize("text", ["[]", "{}", '{"versions": "1.0"}'])
def test_a_file_without_versions_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "odd.provenance.json").write_text(text)
    with pytest.raises(InputError) as refused:
        versions_told([tmp_path / "odd.provenance.json"])
    assert len(refused.value.problems) == 2 + len(TOOLS)


def test_a_word_that_is_no_version_is_not_told_even_of_other_software(tmp_path: Path) -> None:
    assert "ann" not in str(versions_told([provenance(tmp_path, "one", secret="ann")]))
