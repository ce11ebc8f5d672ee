"""Lists of digests are read as `sha256sum` writes them, whatever files are called."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.errors import InputError
from tessera.files.sha256_lists import read_sha256_list, sha256_of

# a file called - would be standard input to sha256sum
NAMES = st.text(st.sampled_from("ab \\n\n\r*.é-"), max_size=8).map("x".__add__)


@settings(max_examples=30)
@given(contents=st.dictionaries(NAMES, st.binary(max_size=9), min_size=1, max_size=4))
def test_what_sha256sum_writes_is_read(contents: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            (Path(folder) / name).write_bytes(content)
        done = subprocess.run(["sha256sum", "--", *contents], cwd=folder, capture_output=True, check=True)
        listed = Path(folder, "a list").with_suffix(".sha256")
        listed.write_bytes(done.stdout)
        expected = [(name, hashlib.sha256(content).hexdigest()) for name, content in contents.items()]
        assert list(read_sha256_list(listed)) == expected
        assert [sha256_of(Path(folder) / name) for name in contents] == [digest for _, digest in expected]


@pytest.mark.parametrize("text", ["", "no digest\n", "0" * 63 + "  file\n", "A" * 64 + "  file\n", "0" * 64 + "\n"])
def test_a_line_that_is_no_digest_is_refused_with_its_number(text: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("0" * 64 + "  file\n" + (text or "\n"))
    with pytest.raises(InputError, match="list line 2: no digest of a file; expected 64 hexadecimal digits"):
        list(read_sha256_list(tmp_path / "list"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for read in (sha256_of, lambda path: list(read_sha256_list(path))):
        with pytest.raises(InputError, match="no such file"):
            read(tmp_path / "none")
