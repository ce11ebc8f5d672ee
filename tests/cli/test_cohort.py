"""`tessera cohort`: what goes in and out, what is refused, what is private, and what a change costs."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import rfc8785

from commands import Done, Tessera
from growing import PEOPLE, Growing, grown
from handmade import write
from nation import Nation, files_of

Cohort = Callable[..., Done]


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """Everybody's gVCF."""
    return grown(tmp_path / "people", shared=False)


@pytest.fixture
def cohort(tmp_path: Path, tessera: Tessera, growing: Growing) -> Cohort:
    """Run a verb on an empty cohort."""

    def run(verb: str, *words: object) -> Done:
        return tessera("cohort", verb, tmp_path / "cohort", *words)

    begun(run("init", *growing.rules))
    return run


def begun(done: Done) -> None:
    assert done.code == 0, done.err


def added(cohort: Cohort, growing: Growing, *names: str) -> None:
    begun(cohort("add", "--samples", growing.sheet(names)))


def assert_refused(done: Done, *said: str) -> None:
    """Exit code 2, the sentences, and no traceback."""
    assert (done.code, done.out) == (2, b""), done.err
    for sentence in said:
        assert sentence in done.err, done.err
    assert "Traceback" not in done.err


def state(folder: Path) -> dict[str, bytes]:
    """Every file of a cohort."""
    return files_of(folder)


def test_people_added_in_different_splits_and_orders_give_the_bytes_of_one_count(
    tessera: Tessera, tmp_path: Path
) -> None:
    for shared in (False, True):
        growing = grown(tmp_path / f"people-{shared}", shared=shared)
        splits = [["ann-1", "ben-2", "cat-3", "dan-4"]], [["dan-4"], ["ben-2", "ann-1"], ["cat-3"]]
        one_go = files_of(growing.counted_in_one_go(splits[0][0], tmp_path / f"one-{shared}"))
        for number, split in enumerate(splits):
            here = tmp_path / f"{shared}-{number}"
            begun(tessera("cohort", "init", here, *growing.rules))
            for batch in split:
                begun(tessera("cohort", "add", here, "--samples", growing.sheet(batch), *growing.callable))
            begun(tessera("cohort", "release", here, "--out", tmp_path / "release"))
            assert files_of(tmp_path / "release") == one_go


def test_the_nations_gvcfs_and_cohort_file_give_what_counting_and_merging_them_gave(
    nation: Nation, tessera: Tessera, tmp_path: Path
) -> None:
    """Birch person by person and cedar's one file, in one cohort; other tests hold their sum to the truth."""
    folder, here = nation.folder, tmp_path / "cohort"
    begun(tessera("cohort", "init", here, "--build", folder / "build.yaml", "--reference", folder / "reference.fa"))
    for node, more in (("cedar", ["--callable", folder / "callable.bed"]), ("birch", ["--workers", 2])):
        sheet, decisions = folder / f"{node}.tsv", folder / f"{node}.decisions.tsv"
        begun(tessera("cohort", "add", here, "--samples", sheet, "--decisions", decisions, *more))
    begun(tessera("cohort", "release", here, "--workers", 2, "--out", tmp_path / "release"))
    found, both = files_of(tmp_path / "release"), files_of(nation.summaries / "both")
    assert set(found) == set(both)
    assert {name for name in found if found[name] != both[name]} == {"manifest.json"}
    told, merged = json.loads(found["manifest.json"]), json.loads(both["manifest.json"])
    # mia has withdrawn: a count of her file says so, a cohort does not take her in
    assert merged["not_counted"].pop("withdrawn") == 1
    assert told == merged
    begun(tessera("cohort", "verify", here, "--recount", 2))


def test_a_release_is_verified_shown_exported_and_merged_like_any_summary(
    cohort: Cohort, growing: Growing, tessera: Tessera, tmp_path: Path
) -> None:
    added(cohort, growing, "ann-1", "ben-2")
    begun(cohort("release", "--out", tmp_path / "release"))
    begun(tessera("verify", tmp_path / "release"))
    begun(tessera("export", "vcf", tmp_path / "release", "--out", tmp_path / "a.vcf.gz"))
    assert b"chr1\t5\t" in tessera("show", tmp_path / "release").out
    other = growing.counted_in_one_go(["cat-3"], tmp_path / "cat-3")
    begun(tessera("merge", tmp_path / "release", other, "--out", tmp_path / "both"))
    assert files_of(tmp_path / "both") == files_of(
        growing.counted_in_one_go(["ann-1", "ben-2", "cat-3"], tmp_path / "all")
    )


def test_nothing_in_a_release_or_partial_names_a_person_or_a_place(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    added(cohort, growing, *PEOPLE)
    begun(cohort("withdraw", "ben-2"))
    begun(cohort("release", "--out", tmp_path / "release"))
    private = [*PEOPLE, str(tmp_path), growing.source("ann-1").name, "sha256:"]
    ledger = (tmp_path / "cohort" / "ledger.jsonl").read_text()
    assert all(word in ledger for word in private)
    for folder in (tmp_path / "release", *(tmp_path / "cohort" / "partials").iterdir()):
        contents = files_of(folder)
        for name in [name for name in contents if name.endswith(".parquet")]:
            contents[f"{name}, inflated"] = repr(pq.read_table(folder / name).to_pydict()).encode()
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest.pop("fingerprint").startswith("sha256:")
        contents["manifest.json"] = json.dumps(manifest).encode()
        for name, content in contents.items():
            assert [word for word in private if word.encode() in content or word in name] == []


def test_a_withdrawal_gives_a_receipt_with_what_changed_and_the_releases_that_hold_the_person(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    added(cohort, growing, "ann-1")
    begun(cohort("release", "--out", tmp_path / "before"))
    added(cohort, growing, "ben-2")
    begun(cohort("release", "--out", tmp_path / "during"))
    done = cohort("withdraw", "ben-2")
    begun(cohort("release", "--out", tmp_path / "after"))
    told = json.loads((tmp_path / "cohort" / "receipts" / "000006-ben-2.json").read_text())
    assert [Path(release["out"]).name for release in told["still_in"]] == ["during"]
    # ben-2 alone, counted by the other command: the rows that hold something of him
    alone = growing.counted_in_one_go(["ben-2"], tmp_path / "alone")
    rows, counts = table_sizes(alone)
    assert (told["rows"], told["counts"]) == (rows, counts)
    lines = (tmp_path / "cohort" / "ledger.jsonl").read_text().splitlines()
    assert json.loads(lines[6])["previous"] == told["digest"]
    assert "ben-2 is out of" in done.text
    assert f"{rows['variants']} rows of the leaf table" in done.text
    assert f"still in        {tmp_path}/during" in done.text
    assert "before" not in done.text


def table_sizes(summary: Path) -> tuple[dict[str, int], int]:
    """Rows of each table, and numbers above zero, read with pyarrow alone."""
    places = {"pos", "start", "end", "bin", "contig", "ref", "alt", "stratum", "metric"}
    rows, counts = {"variants": 0, "an_track": 0, "histograms": 0}, 0
    for table in rows:
        for file in (summary / table).glob("*.parquet"):
            found = pq.read_table(file).to_pydict()
            rows[table] += len(found["contig"])
            counts += sum(n > 0 for name, column in found.items() if name not in places for n in column)
    return rows, counts


def test_an_add_and_a_withdrawal_need_nothing_of_the_people_before(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    """Older partials, and the files of everybody else, are away meanwhile."""
    added(cohort, growing, "ann-1", "ben-2")
    partials, away = tmp_path / "cohort" / "partials", tmp_path / "away"
    before = files_of(partials / "000002")
    shutil.move(partials / "000002", away)
    for name in ("ann-1", "ben-2"):
        growing.source(name).rename(tmp_path / f"{name}.away")
    added(cohort, growing, "cat-3", "dan-4")
    shutil.move(partials / "000003", tmp_path / "away-too")
    growing.source("dan-4").rename(tmp_path / "dan-4.away")
    begun(cohort("withdraw", "cat-3"))
    shutil.move(away, partials / "000002")
    shutil.move(tmp_path / "away-too", partials / "000003")
    assert files_of(partials / "000002") == before
    begun(cohort("release", "--out", tmp_path / "release"))
    grown(growing.folder, shared=False)
    expected = growing.counted_in_one_go(["ann-1", "ben-2", "dan-4"], tmp_path / "one-go")
    assert files_of(tmp_path / "release") == files_of(expected)


def test_people_who_are_in_or_have_withdrawn_are_refused_all_at_once(cohort: Cohort, growing: Growing) -> None:
    added(cohort, growing, "ann-1", "ben-2")
    begun(cohort("withdraw", "ben-2"))
    assert_refused(
        cohort("add", "--samples", growing.sheet(["ann-1", "ben-2", "cat-3"])),
        "ann-1 is in the cohort since line 2", "ben-2 has withdrawn (line 3", "--reconsented ben-2",
    )  # fmt: skip
    assert_refused(
        cohort("add", "--samples", growing.sheet(["cat-3"]), "--reconsented", "ben-2", "--reconsented", "cat-3"),
        "--reconsented: ben-2, who has not withdrawn or is not among", "--reconsented: cat-3, who",
    )  # fmt: skip
    begun(cohort("add", "--samples", growing.sheet(["ben-2", "cat-3"]), "--reconsented", "ben-2"))
    assert json.loads(cohort("status", "--json").text)["in"] == ["ann-1", "ben-2", "cat-3"]


def test_who_is_not_in_cannot_withdraw(cohort: Cohort, growing: Growing, tmp_path: Path) -> None:
    added(cohort, growing, "ann-1", "ben-2")
    begun(cohort("withdraw", "ben-2"))
    before = state(tmp_path / "cohort")
    assert_refused(
        cohort("withdraw", "ann-1", "ann-1", "ben-2", "zoe"),
        "ann-1 twice; expected each person once", "ben-2 has left already (line 3", "nobody named zoe",
    )  # fmt: skip
    assert state(tmp_path / "cohort") == before


def test_a_person_whom_the_sheet_calls_withdrawn_is_not_added_and_must_be_taken_out(
    cohort: Cohort, growing: Growing
) -> None:
    added(cohort, growing, "ann-1")
    assert_refused(
        cohort("add", "--samples", growing.sheet(["ann-1"], "withdrawn")), "ann-1 is withdrawn and in the cohort",
        "tessera cohort withdraw",
    )  # fmt: skip
    assert_refused(cohort("add", "--samples", growing.sheet(["ben-2"], "withdrawn")), "nobody to add")


def test_a_person_whose_consent_does_not_cover_it_is_in_uncounted_and_goes_without_a_file(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    added(cohort, growing, "ann-1")
    begun(cohort("add", "--samples", growing.sheet(["ben-2"], "DUO:0000007")))
    begun(cohort("release", "--out", tmp_path / "release"))
    assert json.loads((tmp_path / "release" / "manifest.json").read_text())["not_counted"] == {"consent": 1}
    assert "counted      1; not counted: consent 1" in cohort("status").text
    growing.source("ben-2").unlink()
    begun(cohort("withdraw", "ben-2"))
    begun(cohort("release", "--out", tmp_path / "release"))
    assert files_of(tmp_path / "release") == files_of(growing.counted_in_one_go(["ann-1"], tmp_path / "one-go"))


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_a_source_that_is_gone_or_changed_stops_a_withdrawal_with_a_remedy(
    cohort: Cohort, growing: Growing, tmp_path: Path, change: str
) -> None:
    added(cohort, growing, "ann-1", "ben-2")
    source = growing.source("ben-2")
    kept = source.read_text()
    source.unlink()
    if change == "changed":
        write(source, kept.replace("0/1:60", "0/0:60"))
        assert source.read_text() != kept
    before = state(tmp_path / "cohort")
    assert_refused(
        cohort("withdraw", "ben-2"), "other bytes" if change == "changed" else "no such file",
        "the file that ben-2 was counted from (sha256:", "Put that file, or a link to it, back to this place",
    )  # fmt: skip
    assert state(tmp_path / "cohort") == before
    write(source, kept)
    begun(cohort("withdraw", "ben-2"))


def test_a_changed_callable_bed_stops_a_withdrawal(tessera: Tessera, tmp_path: Path) -> None:
    growing = grown(tmp_path / "people", shared=True)
    begun(tessera("cohort", "init", tmp_path / "c", *growing.rules))
    begun(tessera("cohort", "add", tmp_path / "c", "--samples", growing.sheet(["ann-1", "ben-2"]), *growing.callable))
    write(growing.folder / "callable.bed", "chr1\t0\t200\n")
    assert_refused(tessera("cohort", "withdraw", tmp_path / "c", "ann-1"), "callable.bed: other bytes")


@pytest.mark.parametrize("verb", ["add", "withdraw"])
def test_a_source_that_is_written_to_while_it_is_counted_is_refused(
    cohort: Cohort, growing: Growing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    from tessera.cli import count

    counted = count.count_into

    def meanwhile(*arguments: Any) -> Any:
        done = counted(*arguments)
        with growing.source("ben-2").open("a") as file:
            file.write("\n")
        return done

    added(cohort, growing, "ann-1", *(["ben-2"] if verb == "withdraw" else []))
    before = state(tmp_path / "cohort")
    monkeypatch.setattr(count, "count_into", meanwhile)
    words = ["ben-2"] if verb == "withdraw" else ["--samples", growing.sheet(["ben-2"])]
    assert_refused(cohort(verb, *words), "ben-2.g.vcf: it changed while it was counted")
    assert state(tmp_path / "cohort") == before


def test_a_changed_reference_is_refused(cohort: Cohort, growing: Growing) -> None:
    reference = growing.folder / "reference.fa"
    reference.write_text(reference.read_text().replace("ACGT", "ACGA", 1))
    assert_refused(
        cohort("add", "--samples", growing.sheet(["ann-1"])), "reference.fa: other bases than when the cohort began"
    )


def test_a_file_that_was_another_persons_own_is_refused(cohort: Cohort, growing: Growing, tmp_path: Path) -> None:
    added(cohort, growing, "ann-1")
    # the same place with another name in it
    source, original = growing.source("ann-1"), growing.source("ann-1").read_text()
    renamed = write(tmp_path / "ben-2.tsv", f"sample\tsex\tpopulation\tgvcf\nben-2\tXX\tEE\t{source}\n")
    write(source, original.replace("FORMAT\tann-1", "FORMAT\tben-2"))
    assert_refused(
        cohort("add", "--samples", renamed), "ann-1.g.vcf: the source of ann-1, now given for ben-2",
        "ann-1.g.vcf: other bytes than ann-1 was counted from",
    )  # fmt: skip
    write(source, original)
    # the same calls in another file, also after the person has left
    copy = write(tmp_path / "other.g.vcf", original.replace("FORMAT\tann-1", "FORMAT\tben-2"))
    renamed.write_text(renamed.read_text().replace(str(source), str(copy)))
    assert_refused(cohort("add", "--samples", renamed), "ben-2: the same counts to the byte as ann-1")
    begun(cohort("withdraw", "ann-1"))
    before = state(tmp_path / "cohort")
    assert_refused(cohort("add", "--samples", renamed), "come back under another name")
    assert state(tmp_path / "cohort") == before


def test_a_file_of_other_rules_is_refused_and_fits_a_cohort_made_like_it(
    cohort: Cohort, growing: Growing, tessera: Tessera, tmp_path: Path
) -> None:
    source = growing.source("ann-1")
    # a caller that writes no GQ, by another name for it
    write(source, source.read_text().replace("FORMAT=<ID=GQ", "FORMAT=<ID=RGQ").replace("GT:GQ", "GT:RGQ"))
    done = cohort("add", "--samples", growing.sheet(["ann-1", "ben-2"]))
    assert_refused(done, "rules.mask.min_gq: nothing in ", "expected 20 as in the cohort ", f"--like {source}")
    begun(tessera("cohort", "init", tmp_path / "other", *growing.rules, "--like", source))
    begun(tessera("cohort", "add", tmp_path / "other", "--samples", growing.sheet(["ann-1"])))
    assert_refused(
        tessera("cohort", "add", tmp_path / "other", "--samples", growing.sheet(["ben-2"])), "rules.mask.min_gq: 20 in "
    )


def test_people_of_one_file_may_be_named_by_input_and_a_file_without_them_is_refused(
    tessera: Tessera, tmp_path: Path
) -> None:
    growing = grown(tmp_path / "people", shared=True)
    sheet = growing.sheet_without_files(["ann-1", "ben-2"])
    begun(tessera("cohort", "init", tmp_path / "c", *growing.rules))
    file = growing.source("ann-1")
    begun(tessera("cohort", "add", tmp_path / "c", "--samples", sheet, "--sample", "ann-1", "--input", file))
    write(tmp_path / "zoe.tsv", "sample\tsex\tpopulation\nzoe\tXX\tEE\n")
    assert_refused(
        tessera("cohort", "add", tmp_path / "c", "--samples", tmp_path / "zoe.tsv", "--input", file),
        "cohort.vcf: no sample named zoe",
    )
    assert_refused(
        tessera("cohort", "add", tmp_path / "c", "--samples", sheet, "--sample", "zoe", "--input", file),
        "no line for zoe",
    )


def test_reads_are_refused_before_they_are_called(cohort: Cohort, tmp_path: Path) -> None:
    write(tmp_path / "zoe.bam", "x")
    write(tmp_path / "zoe.tsv", "sample\tsex\tpopulation\tbam\nzoe\tXX\tEE\tzoe.bam\n")
    assert_refused(cohort("add", "--samples", tmp_path / "zoe.tsv"), "sample zoe: bam, of which no calls are made")


@pytest.mark.parametrize("what", ["file", "folder", "cohort"])
def test_a_cohort_begins_in_an_empty_place_only(
    what: str, cohort: Cohort, growing: Growing, tessera: Tessera, tmp_path: Path
) -> None:
    place = tmp_path / ("cohort" if what == "cohort" else "place")
    if what == "folder":
        place.mkdir()
    if what != "cohort":
        write(place / "x" if what == "folder" else place, "x")
    assert_refused(tessera("cohort", "init", place, *growing.rules), "expected a new or an empty folder")
    assert_refused(
        tessera("cohort", "init", tmp_path / "new", *growing.rules, "--assume-normalised"),
        "both or none of --reference",
    )
    (tmp_path / "empty").mkdir()
    begun(tessera("cohort", "init", tmp_path / "empty", *growing.rules))


def test_what_is_no_cohort_is_refused(tessera: Tessera, tmp_path: Path) -> None:
    for verb, words in (
        ("status", []),
        ("verify", []),
        ("withdraw", ["ann-1"]),
        ("release", ["--out", tmp_path / "o"]),
    ):
        assert_refused(tessera("cohort", verb, tmp_path, *words), "no ledger.jsonl", "tessera cohort init")
        assert_refused(tessera("cohort", verb, tmp_path / "none", *words), "no such folder")


def test_a_release_within_the_private_folder_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    before = state(tmp_path / "cohort")
    assert_refused(cohort("release", "--out", tmp_path / "cohort" / "x"), "within the private folder of the cohort")
    assert_refused(cohort("release", "--out", tmp_path / "cohort"), "within the private folder of the cohort")
    assert state(tmp_path / "cohort") == before


def test_broken_files_are_told_together_by_workers_and_nothing_is_kept(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    for name in ("ann-1", "ben-2"):
        write(growing.source(name), growing.source(name).read_text().replace("chr1\t5\t.\tA", "chr1\t5\t.\tT"))
    before = state(tmp_path / "cohort")
    assert_refused(
        cohort("add", "--samples", growing.sheet(["ann-1", "ben-2", "cat-3"]), "--workers", 2),
        "ann-1.g.vcf REF: not the reference's in 2 records: chr1:5 T (reference: A); ",
        "ben-2.g.vcf REF: not the reference's in 2 records: chr1:5 T (reference: A); ",
    )
    assert state(tmp_path / "cohort") == before


def test_a_path_that_no_ledger_can_hold_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"caf\xe9")
    assert_refused(cohort("release", "--out", out), "a path that is not UTF-8; expected one that a ledger can hold")
    assert not out.exists()


def test_one_command_at_a_time_changes_a_cohort(cohort: Cohort, growing: Growing, tmp_path: Path) -> None:
    added(cohort, growing, "ann-1")
    handle = os.open(tmp_path / "cohort" / "lock", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    before = state(tmp_path / "cohort")
    for verb, words in (
        ("add", ["--samples", growing.sheet(["ben-2"])]), ("withdraw", ["ann-1"]), ("verify", []),
        ("release", ["--out", tmp_path / "out"]),
    ):  # fmt: skip
        assert_refused(cohort(verb, *words), "another tessera cohort command is at work on it; expected one at a time")
    begun(cohort("status"))
    assert state(tmp_path / "cohort") == before
    fcntl.flock(handle, fcntl.LOCK_SH)
    begun(cohort("verify"))
    assert_refused(cohort("withdraw", "ann-1"), "at work on it")
    os.close(handle)
    begun(cohort("withdraw", "ann-1"))


def test_status_tells_people_batches_releases_and_the_head(cohort: Cohort, growing: Growing, tmp_path: Path) -> None:
    added(cohort, growing, "ann-1", "ben-2")
    added(cohort, growing, "cat-3")
    begun(cohort("release", "--out", tmp_path / "first"))
    begun(cohort("withdraw", "ann-1"))
    told = json.loads(cohort("status", "--json").text)
    assert (told["in"], told["withdrawn"], told["counted"]) == (["ben-2", "cat-3"], ["ann-1"], 2)
    assert [(b["line"], b["people"], b["in"]) for b in told["batches"]] == [(2, 2, 1), (3, 1, 1)]
    assert [(r["counted"], r["withdrawn_since"]) for r in told["releases"]] == [(3, ["ann-1"])]
    assert told["bytes"] == sum(len(content) for content in state(tmp_path / "cohort").values())
    text = cohort("status").text
    assert "people in    2\n" in text
    assert f"first: 3 counted, 1 withdrawn since\nsize         {told['bytes']:,} bytes" in text
    assert text.endswith(f"ledger       5 lines, head {told['head']}\n")
    begun(cohort("verify", "--head", told["head"]))
    assert_refused(cohort("verify", "--head", "sha256:0"), "no line with the digest sha256:0")


def test_a_release_that_another_version_wrote_in_other_bytes_is_the_sum_as_long_as_it_is_there(
    cohort: Cohort, growing: Growing, tmp_path: Path
) -> None:
    added(cohort, growing, *list(PEOPLE)[:2])
    assert cohort("release", "--out", tmp_path / "spring").code == 0
    manifest = tmp_path / "spring" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text())))
    ledger = tmp_path / "cohort" / "ledger.jsonl"
    *lines, last = ledger.read_bytes().splitlines()
    told = json.loads(last) | {"digest": f"sha256:{hashlib.sha256(manifest.read_bytes()).hexdigest()}"}
    last = rfc8785.dumps(told)
    ledger.write_bytes(b"".join(line + b"\n" for line in [*lines, last]))
    (tmp_path / "cohort" / "head").write_text(f"sha256:{hashlib.sha256(last).hexdigest()}\n")
    assert cohort("verify").code == 0
    manifest.unlink()
    assert_refused(cohort("verify"), "the sum of the parts", "Make a release in its place")
