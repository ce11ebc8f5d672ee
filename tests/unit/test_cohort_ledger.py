"""The ledger of a cohort: what its chain finds, what its head finds, and what neither can."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from growing import grown
from nation import files_of, run
from tessera.errors import InputError
from tessera.files.cohort_ledger import append_line, next_line, read_ledger
from tessera.schemas.cohort_ledger import EVENTS, check_line, check_receipt

Edit = Callable[[list[bytes]], list[bytes]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of five lines: init, add, release, withdraw, add."""
    here = tmp_path_factory.mktemp("history")
    growing = grown(here / "people", shared=False)
    run("cohort", "init", here / "cohort", *growing.rules)
    run("cohort", "add", here / "cohort", "--samples", growing.sheet(["ann-1", "ben-2"]))
    run("cohort", "release", here / "cohort", "--out", here / "release")
    run("cohort", "withdraw", here / "cohort", "ben-2")
    run("cohort", "add", here / "cohort", "--samples", growing.sheet(["cat-3"]))
    run("cohort", "verify", here / "cohort")
    return here / "cohort"


@pytest.fixture
def cohort(history: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(history, tmp_path / "cohort")
    return tmp_path / "cohort"


def edited(cohort: Path, edit: Edit) -> None:
    """The ledger with its lines changed."""
    path = cohort / "ledger.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in edit(path.read_bytes().splitlines())))


@pytest.mark.parametrize("verb", ["status", "verify", "release", "add", "withdraw"])
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda lines: [*lines[:1], lines[1].replace(b'"EE_F"', b'"EE_M"'), *lines[2:]], "line 3: does not follow"),
        (lambda lines: [*lines[:2], *lines[3:]], "line 3: does not follow"),
        (lambda lines: [*lines[:2], lines[3], lines[2], lines[4]], "line 3: does not follow"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "line 3: does not follow"),
        (lambda lines: lines[1:], "line 1: does not follow"),
        (lambda lines: [*lines[:3], lines[3][:40], lines[4]], "line 4: does not follow"),
        (lambda lines: lines[:-1], "Lines were lost, or the last was edited"),
        (lambda lines: lines[:-3], "Lines were lost, or the last was edited"),
        (lambda lines: [*lines[:-1], lines[-1].replace(b'"LV_F"', b'"LV_M"')], "Lines were lost, or the last was"),
        (lambda lines: [], "no line"),
    ],
    ids=[
        "edited",
        "deleted",
        "swapped",
        "repeated",
        "beheaded",
        "cut",
        "last lost",
        "three lost",
        "last edited",
        "empty",
    ],
)
def test_a_spoilt_ledger_is_found_by_every_command(cohort: Path, verb: str, edit: Edit, said: str) -> None:
    before = (cohort / "ledger.jsonl").read_bytes()
    edited(cohort, edit)
    spoilt = (cohort / "ledger.jsonl").read_bytes()
    assert spoilt != before
    words = {"release": ["--out", cohort.parent / "out"], "add": ["--samples", "none.tsv"], "withdraw": ["ann-1"]}
    with pytest.raises(InputError, match=said):
        run("cohort", verb, cohort, *words.get(verb, []))
    assert (cohort / "ledger.jsonl").read_bytes() == spoilt


def test_any_one_byte_that_changes_is_found(cohort: Path) -> None:
    path = cohort / "ledger.jsonl"
    whole, draw = path.read_bytes(), random.Random(1)
    for _ in range(60):
        at = draw.randrange(len(whole) - 1)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ draw.choice((1, 2, 4, 32))]) + whole[at + 1 :])
        with pytest.raises(InputError):
            run("cohort", "verify", cohort)


def test_half_a_line_at_the_end_is_an_interrupted_command_and_is_cut_by_the_next(cohort: Path, tmp_path: Path) -> None:
    path = cohort / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at":"2026-03-')
    run("cohort", "verify", cohort)
    assert len(read_ledger(path).lines) == 5
    run("cohort", "release", cohort, "--out", tmp_path / "out")
    assert path.read_bytes().startswith(whole + b"{")
    assert [json.loads(line)["line"] for line in path.read_bytes().splitlines()] == [1, 2, 3, 4, 5, 6]


def test_a_forged_end_with_a_forged_head_passes_unless_a_digest_was_kept_elsewhere(cohort: Path) -> None:
    """What docs/cohort.md says of the chain: it has no key. A receipt that is kept tells."""
    kept = head_of(cohort)
    edited(cohort, lambda lines: lines[:-1])
    (cohort / "head").write_text(f"{head_of(cohort)}\n")
    run("cohort", "verify", cohort)
    with pytest.raises(InputError, match=f"no line with the digest {kept}"):
        run("cohort", "verify", cohort, "--head", kept)


def head_of(cohort: Path) -> str:
    """Digest of the last line."""
    return sha256((cohort / "ledger.jsonl").read_bytes().splitlines()[-1])


def sha256(content: bytes) -> str:
    """As the ledger writes it, by the standard library alone."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda c: (c / "partials/000002/variants/chr1.parquet").write_bytes(b"x"), "sha256 differs"),
        (lambda c: (c / "partials/000002/an_track/chr1.parquet").unlink(), "an_track/chr1.parquet is missing"),
        (lambda c: shutil.rmtree(c / "partials/000004-1"), "000004-1: no summary; expected the partial of line 4"),
        (lambda c: shutil.copytree(c / "partials/000005", c / "partials/000003"), "000003: no line names it"),
        (lambda c: other_manifest(c / "partials/000002"), "another manifest; expected sha256:"),
        (lambda c: (c / "receipts/000004-ben-2.json").unlink(), "000004-ben-2.json: no such file"),
        (lambda c: other_receipt(c / "receipts/000004-ben-2.json"), "another text; expected the receipt of line 4"),
    ],
    ids=["altered", "missing file", "missing", "stranger", "manifest", "no receipt", "receipt"],
)
def test_a_spoilt_partial_or_receipt_is_found(cohort: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(cohort)
    with pytest.raises(InputError, match=said):
        run("cohort", "verify", cohort)


def other_manifest(partial: Path) -> None:
    manifest = partial / "manifest.json"
    manifest.write_text(manifest.read_text().replace("DUO:0000042", "DUO:0000006"))


def other_receipt(receipt: Path) -> None:
    receipt.write_text(receipt.read_text().replace('"line": 4', '"line": 3'))


def test_a_release_refuses_a_partial_that_is_not_the_ledgers(cohort: Path, tmp_path: Path) -> None:
    other_manifest(cohort / "partials/000002")
    with pytest.raises(InputError, match="another manifest"):
        run("cohort", "release", cohort, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_partial_that_was_not_counted_from_its_files_is_found_by_a_recount(history: Path, tmp_path: Path) -> None:
    """A whole and forged cohort, chain and all; only the people's files tell."""
    here = tmp_path / "people"
    growing = grown(here, shared=False)
    source, forged = growing.source("ann-1"), tmp_path / "cohort"
    honest = source.read_text()
    source.write_text(honest.replace("PASS", "LowQual"))
    run("cohort", "init", forged, *growing.rules)
    run("cohort", "add", forged, "--samples", growing.sheet(["ann-1", "ben-2"]))
    source.write_text(honest)
    run("cohort", "verify", forged)
    with pytest.raises(InputError, match="other bytes"):
        run("cohort", "verify", forged, "--recount", 1)
    wrong = sha256(honest.replace("PASS", "LowQual").encode())
    rewrite(forged, lambda line: line.replace(wrong, sha256(honest.encode())))
    with pytest.raises(InputError, match="recounted: sha256:"):
        run("cohort", "verify", forged, "--recount", 1)


def test_a_person_whose_count_is_no_longer_what_came_in_is_not_taken_out(tmp_path: Path) -> None:
    """As when another version of the command counts otherwise: less or more than the person would be subtracted."""
    growing, cohort = grown(tmp_path / "people", shared=False), tmp_path / "cohort"
    source = growing.source("ann-1")
    honest = source.read_text()
    otherwise = honest.replace("PASS", "LowQual")
    source.write_text(otherwise)
    run("cohort", "init", cohort, *growing.rules)
    run("cohort", "add", cohort, "--samples", growing.sheet(["ann-1", "ben-2"]))
    source.write_text(honest)
    rewrite(cohort, lambda line: line.replace(sha256(otherwise.encode()), sha256(honest.encode())))
    partials = sorted((cohort / "partials").iterdir())
    with pytest.raises(InputError, match="ann-1: counted again, other numbers than those that came in"):
        run("cohort", "withdraw", cohort, "ann-1")
    assert sorted((cohort / "partials").iterdir()) == partials


def test_a_person_who_came_in_by_other_bytes_of_the_same_numbers_is_taken_out(tmp_path: Path) -> None:
    """As when another version of the command wrote them: the batch, counted again, is what it was."""
    growing, cohort = grown(tmp_path / "people", shared=False), tmp_path / "cohort"
    run("cohort", "init", cohort, *growing.rules)
    run("cohort", "add", cohort, "--samples", growing.sheet(["ann-1", "ben-2"]))
    came_in = json.loads((cohort / "ledger.jsonl").read_text().splitlines()[-1])["people"][0]["tables"]
    rewrite(cohort, lambda line: line.replace(came_in, sha256(b"written otherwise")))
    run("cohort", "withdraw", cohort, "ann-1")
    run("cohort", "verify", cohort, "--recount", 1)
    run("cohort", "init", tmp_path / "ben", *growing.rules)
    run("cohort", "add", tmp_path / "ben", "--samples", growing.sheet(["ben-2"]))
    for name in ("cohort", "ben"):
        run("cohort", "release", tmp_path / name, "--out", tmp_path / f"{name}-released")
    assert files_of(tmp_path / "cohort-released") == files_of(tmp_path / "ben-released")


def rewrite(cohort: Path, change: Callable[[str], str]) -> None:
    """Change the last line, and the head with it."""
    edited(cohort, lambda lines: [*lines[:-1], change(lines[-1].decode()).encode()])
    (cohort / "head").write_text(f"{head_of(cohort)}\n")


def test_lines_and_receipts_are_as_their_schemas_say_and_every_key_is_asked(history: Path) -> None:
    lines = read_ledger(history / "ledger.jsonl").lines
    assert {line["event"] for line in lines} == set(EVENTS)
    for line in lines:
        assert check_line(line, where="here") == []
        for key in line:
            assert check_line({k: v for k, v in line.items() if k != key}, where="here")
        assert "unknown key" in str(check_line({**line, "more": 1}, where="here")[0])
    receipt = json.loads((history / "receipts" / "000004-ben-2.json").read_text())
    assert check_receipt(receipt, where="here") == []
    assert [problem.where for problem in check_receipt({**receipt, "counts": -1}, where="here")] == ["here counts"]


def test_a_line_that_its_schema_refuses_is_told_by_verify_and_is_no_traceback_elsewhere(cohort: Path) -> None:
    rewrite(cohort, lambda line: line.replace('"people"', '"persons"'))
    with pytest.raises(InputError, match='unknown key "persons"'):
        run("cohort", "verify", cohort)
    with pytest.raises(InputError, match="line 5: not what such a line holds"):
        run("cohort", "status", cohort)


def test_a_line_that_contradicts_those_before_is_refused(cohort: Path) -> None:
    ledger = read_ledger(cohort / "ledger.jsonl")
    gone = next(line for line in ledger.lines if line["event"] == "withdraw")["people"]
    line = next_line(ledger, "withdraw", "2026-03-01T12:00:00Z", {"people": gone})
    (cohort / "head").write_text(f"{append_line(cohort / 'ledger.jsonl', line)}\n")
    with pytest.raises(InputError, match="line 6: ben-2 left without being in"):
        run("cohort", "status", cohort)


def test_a_full_disk_while_a_line_is_written_leaves_the_ledger_as_it_was(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tessera.files import cohort_ledger

    def half(handle: int, content: bytes) -> None:
        os.write(handle, content[:30])
        raise OSError(28, "No space left on device")

    before = {path: path.read_bytes() for path in cohort.rglob("*") if path.is_file()}
    monkeypatch.setattr(cohort_ledger, "_write", half)
    for verb, words in (("withdraw", ["ann-1"]), ("release", ["--out", tmp_path / "out"])):
        with pytest.raises(OSError, match="No space"):
            run("cohort", verb, cohort, *words)
        assert {path: path.read_bytes() for path in cohort.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "out").exists()
