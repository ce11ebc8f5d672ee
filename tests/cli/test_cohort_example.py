"""The example of docs/cohort.md does what it says, word by word; only times, digests and sizes are of the day."""

import re
import shlex
from pathlib import Path

import pytest

from commands import Tessera
from nation import ROOT, Nation, files_of, run

PAGE = ROOT / "docs" / "cohort.md"


def example() -> list[tuple[str, str]]:
    """The commands of the page and what each says."""
    blocks = re.findall(r"(?:^    .*\n)+", PAGE.read_text(), flags=re.MULTILINE)
    shown = "".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks if block.startswith("    $ "))
    parts = re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]
    return [(command, said) for command, _, said in (part.partition("\n") for part in parts)]


def of_no_day(text: str, here: Path) -> str:
    """Text with one time, no digests, one size and one place."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-03-01T12:00:00Z", text.replace(str(here), "/data"))
    return re.sub(r"sha256:[0-9a-f]+", "sha256:...", re.sub(r"[\d,]+ bytes", "20,000 bytes", text))


def test_the_example_of_the_page_does_what_it_says(
    nation: Nation, tessera: Tessera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "nation").symlink_to(nation.folder)
    monkeypatch.chdir(tmp_path)
    told = example()
    assert {words.split()[2] for words, _ in told if words.startswith("tessera cohort")} == {
        "init", "add", "withdraw", "release", "status", "verify",
    }  # fmt: skip
    for words, expected in told:
        program, *arguments = shlex.split(words)
        assert program == "tessera"
        done = tessera(*arguments)
        assert (done.code, of_no_day(done.err + done.text, tmp_path)) == (0, expected), words
    run("merge", *(nation.summaries / name for name in ("iva", "kai", "liv", "nils")), "--out", tmp_path / "merged")
    assert files_of(tmp_path / "my" / "summer") == files_of(tmp_path / "merged")
