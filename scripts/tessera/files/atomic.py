"""Outputs appear complete under their final name, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(final: Path) -> Iterator[Path]:
    """Yield a temporary path beside `final`; on success it takes the final name, on failure it vanishes."""
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.name}.", suffix="".join(final.suffixes), dir=final.parent)
    os.close(handle)
    aside = Path(name)
    aside.chmod(0o666 & ~_umask())
    try:
        yield aside
        aside.replace(final)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def directory_written_aside(final: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `final`; on success it replaces `final`, on failure it vanishes."""
    final.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{final.name}.", dir=final.parent))
    aside.chmod(0o777 & ~_umask())
    try:
        yield aside
        if final.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{final.name}.old.", dir=final.parent))
            final.replace(old / final.name)
            aside.replace(final)
            shutil.rmtree(old)
        else:
            aside.replace(final)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
