"""Outputs appear whole or not at all, and unfinished ones go once nobody works on them."""

from pathlib import Path

import pytest

from tessera.files import atomic
from tessera.files.atomic import directory_beside, directory_written_aside, written_aside


def names(folder: Path) -> list[str]:
    """What lies in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def write_folder(final: Path, text: str) -> None:
    """A folder with one file."""
    with directory_written_aside(final) as aside:
        (aside / "file").write_text(text)


@pytest.mark.parametrize("swaps", [True, False], ids=["in one step", "by two renames"])
def test_a_folder_takes_the_place_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool) -> None:
    if not swaps:  # as on a file system that cannot
        monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    for text in ("old", "new"):
        write_folder(tmp_path / "out", text)
        assert (tmp_path / "out" / "file").read_text() == text
        assert names(tmp_path) == ["out"]


def test_this_system_swaps_folders_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_folder(tmp_path / name, name)
    assert atomic._exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "file").read_text() == "b"
    assert not atomic._exchange(tmp_path / "a", tmp_path / "missing")
    assert (tmp_path / "a" / "file").read_text() == "b"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", "old")
    (tmp_path / "file.txt").write_text("old")
    with pytest.raises(IsADirectoryError), directory_written_aside(tmp_path / "folder") as aside:
        aside.write_text("no file")
    with pytest.raises(NotADirectoryError), written_aside(tmp_path / "file.txt") as aside:
        next(aside.iterdir())
    assert names(tmp_path) == ["file.txt", "folder"]
    assert (tmp_path / "folder" / "file").read_text() == (tmp_path / "file.txt").read_text() == "old"


def test_what_a_dead_run_left_goes_when_the_same_output_is_completed(tmp_path: Path) -> None:
    for name in (".out.unfinished.dead", ".other.unfinished.dead", ".out.mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    (tmp_path / ".out.unfinished.file").touch()
    with pytest.raises(RuntimeError), directory_written_aside(tmp_path / "out"):
        raise RuntimeError
    assert ".out.unfinished.dead" in names(tmp_path), "it may be all that is left, as long as nothing is complete"
    write_folder(tmp_path / "out", "new")
    assert names(tmp_path) == [".other.unfinished.dead", ".out.mine", "out"]


def test_what_a_living_run_works_on_stays(tmp_path: Path) -> None:
    with directory_beside(tmp_path / "out") as living:
        write_folder(tmp_path / "out", "new")
        assert living.is_dir()
    with written_aside(tmp_path / "out.txt") as living_file:
        living_file.write_text("slow")
        with written_aside(tmp_path / "out.txt") as quick:
            quick.write_text("quick")
        assert living_file.read_text() == "slow"
    assert (tmp_path / "out.txt").read_text() == "slow"
    assert names(tmp_path) == ["out", "out.txt"]


def test_without_locks_leftovers_stay_and_work_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(handle: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    (tmp_path / ".out.unfinished.dead").mkdir()
    write_folder(tmp_path / "out", "new")
    assert names(tmp_path) == [".out.unfinished.dead", "out"]
