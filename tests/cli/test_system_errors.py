"""What the operating system refuses, and who goes away, ends in words and a known exit code; never in a traceback."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import polars as pl
import pyarrow.parquet as pq
import pytest

from commands import Done, Tessera
from nation import Nation, files_of

SHOW = (sys.executable, "-m", "tessera", "show")


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise error

    return refuse


def assert_said(done: Done, *said: str) -> None:
    assert done.code == 2
    for sentence in said:
        assert sentence in done.err
    assert done.err.startswith("tessera: error: ")
    assert "Traceback" not in done.err
    assert ".unfinished." not in done.err


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what an output cannot be, or lie under."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("file/x", "file: it is there and no folder"),
        ("file/x/y", "it is there and no folder"),
        ("loop/x", "loop: it is there and no folder"),
        ("folder", "folder: a folder; expected the name of a file to write"),
        (f"{'a' * 260}", f"{'a' * 260}: File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_by_its_name(tessera: Tessera, place: Path, out: str, said: str) -> None:
    before = sorted(place.iterdir())
    assert_said(tessera("write-ploidy", "--build", "GRCh38", "--out", place / out), said)
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    ("out", "said"),
    [("file/x", "it is there and no folder"), ("loop", "loop: it is there and no folder"), ("file", "no folder")],
)
def test_a_summary_that_cannot_be_written_is_told_by_its_name(
    tessera: Tessera, nation: Nation, place: Path, out: str, said: str
) -> None:
    assert_said(tessera("merge", nation.summaries / "cedar", "--out", place / out), said)


def test_a_folder_that_may_not_be_written_in_is_told(
    tessera: Tessera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path / ".x.unfinished.1"))
    monkeypatch.setattr("tessera.files.atomic.tempfile.mkstemp", raising(denied))
    done = tessera("write-ploidy", "--build", "GRCh38", "--out", tmp_path / "x")
    assert_said(done, f"{tmp_path / 'x'}: Permission denied")


def test_a_full_disk_is_not_the_fault_of_the_input(
    tessera: Tessera, nation: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "Error writing bytes to file")
    monkeypatch.setattr(pq.ParquetWriter, "write_table", raising(full))
    done = tessera("merge", nation.summaries / "cedar", nation.summaries / "birch", "--out", tmp_path / "sum")
    assert_said(done, f"{tmp_path / 'sum'}: No space left on device", "The input is not at fault: make room")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_where_polars_keeps_the_number_to_itself(
    tessera: Tessera, nation: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pl.DataFrame, "write_csv", raising(OSError("No space left on device (os error 28)")))
    policy = tmp_path / "qc.yaml"
    policy.write_text("version: 1\nrules: []\n")
    done = tessera(
        "gate-samples", "--samples", nation.folder / "cedar.tsv", "--policy", policy, "--consent", "DUO:0000042",
        "--out", tmp_path / "decisions.tsv",
    )  # fmt: skip
    assert_said(done, f"{tmp_path / 'decisions.tsv'}: No space left on device", "The input is not at fault")


def test_show_on_a_full_device_says_so(nation: Nation) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*SHOW, nation.summaries / "both"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert_said(Done(done.returncode, b"", done.stderr.decode()), "output: No space left on device")


@pytest.mark.parametrize("form", ["tsv", "parquet"])
def test_show_ends_silently_when_its_reader_has_gone(nation: Nation, form: str) -> None:
    """128 and the number of SIGPIPE, as a shell tells it of any program before `head`."""
    reads, writes = os.pipe()
    os.close(reads)
    words = [*SHOW, nation.summaries / "both", "--format", form]
    done = subprocess.run(words, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_ends_without_a_traceback_and_leaves_nothing(
    tessera: Tessera, nation: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """128 and the number of SIGINT."""
    monkeypatch.setattr("tessera.files.summary_sums.combine_manifests", raising(KeyboardInterrupt()))
    before = files_of(nation.summaries / "cedar")
    done = tessera("merge", nation.summaries / "cedar", nation.summaries / "birch", "--out", tmp_path / "sum")
    assert (done.code, done.err) == (130, "tessera: interrupted\n")
    assert list(tmp_path.iterdir()) == []
    assert files_of(nation.summaries / "cedar") == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("gone", "no such file"),
        ("folder", "a folder"),
        ("/dev/null", "a device or a pipe"),
        ("loop", "no file can be reached (Too many levels of symbolic links)"),
        ("file/x", "no file can be reached (Not a directory)"),
    ],
)
@pytest.mark.parametrize("option", ["--reference", "--build", "--callable", "--decisions"])
def test_what_is_no_file_is_called_what_it_is(
    tessera: Tessera, nation: Nation, place: Path, option: str, given: str, said: str
) -> None:
    known = {
        "--input": nation.folder / "vcf" / "cedar.vcf.gz",
        "--samples": nation.folder / "cedar.tsv",
        "--reference": nation.folder / "reference.fa",
        "--build": nation.folder / "build.yaml",
        "--out": place / "out",
    } | {option: place / given}
    done = tessera("count", *(word for pair in known.items() for word in pair))
    assert_said(done, f"{place / given}: {said}; expected")


def test_a_file_that_may_not_be_read_is_told(
    tessera: Tessera, nation: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tessera.files.paths.os.access", lambda path, _: "variants" not in str(path)
    )  # root may read everything
    done = tessera("check-truth", nation.summaries / "cedar", "--truth", nation.folder / "truth", "--scope", "cedar",
                   "--out", tmp_path / "out")  # fmt: skip
    assert_said(done, "variants.tsv: a file that cannot be read (Permission denied); expected")
