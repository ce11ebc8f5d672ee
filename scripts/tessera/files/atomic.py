"""Outputs appear complete under their final name, or not at all.

Work goes on in a hidden sibling, `.NAME.unfinished.*`, locked by its process. A killed run leaves it behind; the
next run that completes the same output removes it, for nobody holds its lock any more.
"""

import ctypes
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tessera.errors import refuse

#: from linux/fs.h and fcntl.h; Python has no name for them
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextmanager
def written_aside(final: Path) -> Iterator[Path]:
    """Yield a temporary path beside `final`; on success it takes the final name, on failure it vanishes.

    Raises InputError when `final` is a folder, or lies in what is none; an OSError within names `final`.
    """
    if final.is_dir():
        raise refuse(str(final), "a folder", "the name of a file to write")
    _make_folder(final.parent)
    with _named(final):
        handle, name = tempfile.mkstemp(prefix=_prefix(final), suffix="".join(final.suffixes), dir=final.parent)
        aside = Path(name)
        aside.chmod(0o666 & ~_umask())
        try:
            _lock(handle)
            yield aside
            aside.replace(final)
        finally:
            remove(aside)
            os.close(handle)
    _remove_leftovers(final)


@contextmanager
def directory_written_aside(final: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `final`; on success it replaces `final`, on failure it vanishes.

    Raises InputError when `final` lies in what is no folder; an OSError within names `final`.
    """
    with directory_beside(final) as aside:
        yield aside
        if not final.exists():
            aside.replace(final)
        elif not _exchange(aside, final):
            with directory_beside(final) as old:
                final.replace(old / final.name)
                aside.replace(final)
    _remove_leftovers(final)


@contextmanager
def directory_beside(final: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `final` for what is needed on the way; it vanishes in the end."""
    _make_folder(final.parent)
    with _named(final):
        aside = Path(tempfile.mkdtemp(prefix=_prefix(final), dir=final.parent))
        aside.chmod(0o777 & ~_umask())
        handle = os.open(aside, os.O_RDONLY)
        try:
            _lock(handle)
            yield aside
        finally:
            remove(aside)
            os.close(handle)


def refuse_foreign(out: Path, own: Callable[[str], bool], what: str) -> None:
    """Refuse to replace a folder that is not empty and no older `what`: `own` tells names of files that are in one."""
    if not out.exists() and not out.is_symlink():
        return
    found = "it is there and no folder"
    if out.is_dir():
        foreign = sorted(path.name for path in out.iterdir() if not own(path.name))
        if not foreign:
            return
        found = f"it holds {foreign[0]}, which is no part of {what}"
    raise refuse(str(out), found, f"a new folder or {what}", "Give another --out, or remove what is there.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise refuse(str(error.filename), "it is there and no folder", f"a folder, to write in {folder}") from error


@contextmanager
def _named(final: Path) -> Iterator[None]:
    """An OSError within that names no file, or the one beside `final`, names `final`: the name an operator knows."""
    try:
        yield
    except OSError as error:
        if error.filename is None or _prefix(final) in str(error.filename):
            error.filename, error.filename2 = str(final), None
        raise


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where system or file system cannot, and nothing has changed.

    renameat2(2) of Linux: at no moment is there no folder under either name, which two renames cannot promise.
    """
    swap = getattr(ctypes.CDLL(None), "renameat2", None)
    return swap is not None and swap(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def _remove_leftovers(final: Path) -> None:
    """Remove what killed runs left beside `final`; what cannot be locked is in use, or not ours, and stays."""
    for left in final.parent.iterdir():
        if left.name.startswith(_prefix(final)):
            with suppress(OSError):
                handle = os.open(left, os.O_RDONLY)
                try:
                    if _lock(handle):
                        remove(left)
                finally:
                    os.close(handle)


def _lock(handle: int) -> bool:
    """Hold an open file or folder until the handle is closed or the process ends, whatever ends it.

    False when somebody else holds it, or the file system has no such locks; then leftovers stay.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _prefix(final: Path) -> str:
    return f".{final.name}.unfinished."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
