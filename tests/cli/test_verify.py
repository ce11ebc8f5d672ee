"""`tessera verify` finds every way we know to break a summary; digests are made to fit, so that only sense is left."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from commands import Done, Tessera
from handmade import sheet, vcf, write
from tessera.errors import InputError
from tessera.files.summaries import SummaryFolder

LENGTHS = {"chr1": 2_500_000, "chrM": 100}
BUILD = """\
name: long
contigs:
  - {name: chr1, kind: autosome, length: 2500000}
  - {name: chrM, kind: mt, length: 100}
"""
PEOPLE = {"ann": "XX EE", "ben": "XY EE", "cai": "NA FI"}
LINES = [
    "chr1 500 A C,G . . GT:GQ:DP:AD 0/1:50:30:15,15,0 1/2:50:30:0,14,16 0/0:50:30:30,0,0",
    "chr1 700 AT A . . GT:GQ:DP:AD 0/1:50:30:15,15 ./.:.:.:.,. 1/1:50:30:0,30",
    "chr1 1500000 A T . . GT:GQ:DP:AD 0/1:50:30:15,15 0/0:50:30:30,0 0/0:50:9:9,0",
    "chrM 7 A T . . GT:GQ:DP:AD 0/1:50:30:15,15 1:50:30:0,30 0:50:30:30,0",
]

Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A summary of two contigs and three blocks, to be copied and broken."""
    from click.testing import CliRunner

    from tessera.cli.count import command

    folder = tmp_path_factory.mktemp("whole")
    inputs = {
        "input": write(folder / "cohort.vcf", vcf(list(PEOPLE), LINES, LENGTHS)),
        "samples": write(folder / "samples.tsv", sheet(PEOPLE, "consent DUO:0000042")),
        "build": write(folder / "build.yaml", BUILD),
        "callable": write(folder / "callable.bed", "chr1\t100\t900\nchr1\t950\t1600000\nchrM\t0\t50\n"),
        "out": folder / "summary",
    }
    words = [word for name, value in inputs.items() for word in (f"--{name}", str(value))]
    done = CliRunner().invoke(command, [*words, "--assume-normalised"], catch_exceptions=False)
    assert done.exit_code == 0
    return folder / "summary"


@pytest.fixture
def summary(whole: Path, tmp_path: Path) -> Path:
    """A copy of the whole summary."""
    return Path(shutil.copytree(whole, tmp_path / "summary"))


def sign(summary: Path, **changed: Any) -> None:
    """Change keys of the manifest and give its members the digests they now have; None takes a key away."""
    manifest = json.loads((summary / "manifest.json").read_text())
    files = [path for path in summary.rglob("*") if path.is_file() and path.name != "manifest.json"]
    digests = {str(path.relative_to(summary)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    manifest |= {"members": digests} | changed
    kept = {key: value for key, value in manifest.items() if value is not None}
    (summary / "manifest.json").write_text(json.dumps(kept))


def rewrite(summary: Path, member: str, change: Change) -> None:
    """Change the rows of each row group of a member, as whole blocks, and sign the result."""
    path = summary / member
    with pq.ParquetFile(path) as file:
        groups = [pl.DataFrame(pl.from_arrow(file.read_row_group(i))) for i in range(file.num_row_groups)]
    store(path, [change(group) for group in groups])
    sign(summary)


def store(path: Path, groups: list[pl.DataFrame], metadata: dict[str, str] | None = None) -> None:
    tables = [group.to_arrow(compat_level=pl.CompatLevel.oldest()) for group in groups]
    schema = tables[0].schema.with_metadata(metadata)
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=metadata is not None) as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(metadata))


def first(column: str, value: object) -> Change:
    """Set a cell of the first row."""

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        values = [value, *rows[column][1:].to_list()]
        return rows.with_columns(pl.Series(column, values, dtype=rows.schema[column]))

    return change


def assert_found(done: Done, *said: str) -> None:
    assert done.code == 2, done.out
    for sentence in said:
        assert sentence in done.err
    assert "Traceback" not in done.err
    assert done.err.startswith("tessera: error: ")


def test_a_whole_summary_is_verified_and_said_in_numbers(tessera: Tessera, summary: Path) -> None:
    done = tessera("verify", summary)
    assert (done.code, done.err) == (0, "")
    # ann: C, the deletion, T, MT; ben: C and G, MT; cai: the deletion
    assert f"{summary}: verified; 3 people, 3 blocks, 8 carriers, rules sha256:" in done.text


def test_a_summary_signed_again_is_still_verified(tessera: Tessera, summary: Path) -> None:
    """Else the tests below would find the signing, not the break."""
    rewrite(summary, "variants/chr1.parquet", lambda rows: rows)
    assert tessera("verify", summary).code == 0


def test_a_changed_byte_is_found(tessera: Tessera, summary: Path) -> None:
    path = summary / "an_track" / "chr1.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert_found(tessera("verify", summary), "an_track/chr1.parquet is not the file the manifest names")


@pytest.mark.parametrize("command", ["show", "merge", "subtract", "export"])
def test_a_changed_byte_is_refused_by_whoever_reads_it(
    tessera: Tessera, whole: Path, summary: Path, command: str
) -> None:
    path = summary / "an_track" / "chr1.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    words = {"subtract": [whole, summary], "export": ["vcf", summary]}.get(command, [summary])
    out = [] if command == "show" else ["--out", summary.with_name("out.vcf.gz")]
    assert_found(tessera(command, *words, *out), "not the file the manifest names (sha256 differs)")


def test_a_missing_file_is_found(tessera: Tessera, summary: Path) -> None:
    (summary / "histograms" / "chrM.parquet").unlink()
    assert_found(tessera("verify", summary), "histograms/chrM.parquet is missing")


@pytest.mark.parametrize("name", ["people.tsv", "variants/ann.txt", "variants/.hidden", "notes/chr1.parquet"])
def test_a_file_too_many_is_found_also_when_the_manifest_names_it(tessera: Tessera, summary: Path, name: str) -> None:
    (summary / name).parent.mkdir(exist_ok=True)
    (summary / name).write_text("ann\t0/1\n")
    assert_found(tessera("verify", summary), f"{name} does not belong to a summary")
    sign(summary)
    assert_found(tessera("verify", summary), f"{name} does not belong to a summary")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: (folder / "notes").mkdir(), "notes does not belong"),
        (lambda folder: (folder / "variants" / "ann").mkdir(), "variants/ann does not belong"),
        (lambda folder: (folder / "variants" / "ann" / "0").mkdir(parents=True), "variants/ann/0 does not belong"),
        (lambda folder: (folder / "people.tsv").symlink_to("manifest.json"), "people.tsv is a link"),
        (lambda folder: (folder / "variants" / "gone").symlink_to("gone"), "variants/gone is a link"),
        (lambda folder: (folder / "up").symlink_to(".."), "up is a link"),
        (lambda folder: os.mkfifo(folder / "pipe"), "pipe does not belong"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "merge", "export"])
def test_a_folder_a_link_or_a_pipe_too_many_is_found(
    tessera: Tessera, summary: Path, command: str, make: Callable[[Path], object], said: str
) -> None:
    make(summary)
    words = {"verify": [], "merge": ["--out", summary.with_name("out")]}
    words["export"] = ["--out", summary.with_name("out.vcf.gz")]
    done = tessera(command, *(["vcf"] if command == "export" else []), summary, *words[command])
    assert_found(done, said)


def test_a_member_that_is_a_link_to_its_file_is_found(tessera: Tessera, summary: Path) -> None:
    """What is sent would be the link."""
    member = summary / "variants" / "chr1.parquet"
    member.rename(summary.with_name("elsewhere"))
    member.symlink_to(summary.with_name("elsewhere"))
    assert_found(tessera("verify", summary), "variants/chr1.parquet is a link")


def test_a_table_of_a_contig_that_is_not_of_the_build_is_found(tessera: Tessera, summary: Path) -> None:
    (summary / "variants" / "chr1.parquet").rename(summary / "variants" / "chr9.parquet")
    sign(summary)
    assert_found(tessera("verify", summary), "variants/chr9.parquet does not belong to a summary")


VARIANTS, TRACK, BINS = "variants/chr1.parquet", "an_track/chr1.parquet", "histograms/chr1.parquet"


#: member, a change of its rows, and what is wrong then
BROKEN = [
    (VARIANTS, lambda rows: rows.with_columns(sample=pl.lit("ann")), "variants has columns"),
    (VARIANTS, lambda rows: rows.drop("n_hemi"), "variants has columns"),
    (VARIANTS, lambda rows: rows.cast({"n_het": pl.Int64}), "variants has columns"),
    (VARIANTS, lambda rows: rows.select(rows.columns[::-1]), "variants has columns"),
    (VARIANTS, lambda rows: rows.reverse(), "variants is not sorted"),
    (VARIANTS, lambda rows: pl.concat([rows[:1], rows]), "the same contig, pos, ref, alt, stratum twice"),
    (VARIANTS, first("n_listed", 0), "a row that nobody lists"),
    (VARIANTS, first("n_listed", 9), "more people listed than counted in the stratum"),
    (VARIANTS, first("n_dip", 9), "more people called than counted in the stratum"),
    (VARIANTS, first("n_homalt", 1), "more diploid carriers than called"),
    (VARIANTS, first("n_hemi", 1), "more haploid carriers than called"),
    (VARIANTS, first("n_het", -1), "a negative count"),
    (VARIANTS, first("n_het", None), "an empty cell"),
    (VARIANTS, first("n_het", 2**31 - 1), "more carriers than people listed"),
    (VARIANTS, first("n_dip", 2**31 - 1), "more people called than counted in the stratum"),
    (VARIANTS, first("n_dip", 0), "more diploid carriers than called"),
    (VARIANTS, first("n_hap", 1), "people called with copies that nobody has on autosome"),
    (VARIANTS, first("an_unknown", 1), "more alleles unknown than of people not called"),
    ("variants/chrM.parquet", first("n_dip", 1), "people called with copies that nobody has on mt"),
    ("variants/chrM.parquet", first("ref", "A" * 95), "alleles beyond the end of the contig"),
    (VARIANTS, first("alt", "A"), "an allele that is not written in bases"),
    (VARIANTS, first("alt", "C\t.\t.\tPASS"), "an allele that is not written in bases"),
    (VARIANTS, first("alt", "C,G"), "an allele that is not written in bases"),
    (VARIANTS, first("alt", "<DEL>"), "an allele that is not written in bases"),
    (VARIANTS, first("alt", ""), "an allele that is not written in bases"),
    (VARIANTS, first("stratum", "AA_F"), "more people listed than counted in the stratum"),
    (VARIANTS, first("contig", "ben"), "another contig"),
    (VARIANTS, lambda rows: rows.with_columns(pos=pl.col("pos") + 999_400), "outside the block"),
    (TRACK, lambda rows: rows.with_columns(ann=1), "an_track has columns"),
    (TRACK, lambda rows: rows.reverse(), "an_track is not sorted"),
    (TRACK, first("n_dip", 9), "more people called than counted in the stratum"),
    (TRACK, first("n_dip", -1), "a negative count"),
    (TRACK, first("n_dip", 0), "a run of zeros"),
    (TRACK, first("end", 2_400_000), "a run outside the block"),
    ("an_track/chrM.parquet", first("end", 101), "a run outside the block"),
    ("variants/chrM.parquet", lambda rows: rows.with_columns(pos=pl.lit(101, pl.Int32)), "outside the block"),
    (TRACK, first("stratum", "AA_F"), "more people called than counted in the stratum"),
    (TRACK, first("n_hap", 1), "more people called than counted in the stratum"),
    (TRACK, first("an_unknown", 2**31 - 1), "more alleles unknown than of people not called"),
    (TRACK, first("n_dip", None), "an empty cell"),
    (TRACK, first("end", 100), "an empty or reversed run"),
    (TRACK, first("end", 960), "runs that overlap"),
    (
        TRACK,
        lambda rows: pl.concat(
            [rows.with_columns(end=pl.col("start") + 1), rows.with_columns(start=pl.col("start") + 1)]
        ).filter(pl.col("start") < pl.col("end")).sort("contig", "start", "stratum"),
        "equal runs that touch",
    ),
    (BINS, lambda rows: rows.with_columns(sample=pl.lit("ann")), "histograms has columns"),
    (BINS, lambda rows: rows.reverse(), "histograms is not sorted"),
    (BINS, first("metric", "age"), "an unknown metric or bin"),
    (BINS, first("bin", 21), "an unknown metric or bin"),
    (BINS, first("bin", -1), "an unknown metric or bin"),
    (BINS, first("count", 0), "a count below one"),
    (BINS, first("stratum", "ann_F"), "a stratum nobody is counted in"),
    (BINS, lambda rows: rows.with_columns(start=pl.col("start") + 5), "another contig or block"),
]  # fmt: skip


@pytest.mark.parametrize(("member", "change", "said"), [*BROKEN, (VARIANTS, first("n_het", 0), "carriers, the ledger")])
def test_a_table_that_cannot_be_is_found(
    tessera: Tessera, summary: Path, member: str, change: Change, said: str
) -> None:
    rewrite(summary, member, change)
    assert_found(tessera("verify", summary), said)


#: who reads which of the broken tables; exports leave histograms alone
READERS = [
    (command, *broken)
    for command in ("merge", "subtract", "export", "show")
    for broken in BROKEN
    if (command, broken[0]) != ("export", BINS)
]


@pytest.mark.parametrize(("command", "member", "change", "said"), READERS)
def test_a_table_that_cannot_be_is_refused_by_whoever_reads_it(
    tessera: Tessera, whole: Path, summary: Path, command: str, member: str, change: Change, said: str
) -> None:
    rewrite(summary, member, change)
    words = {
        "merge": [summary],
        "subtract": [whole, summary],
        "export": ["vcf", summary],
        "show": [summary],
    }[command]
    out = summary.with_name("out.vcf.gz")
    done = tessera(command, *words, *([] if command == "show" else ["--out", out]))
    assert_found(done, said)
    assert not out.exists()


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize(("member", "change", "said"), BROKEN)
def test_a_table_that_cannot_be_is_found_however_few_rows_are_read_at_a_time(
    summary: Path, member: str, change: Change, said: str, rows: int
) -> None:
    rewrite(summary, member, change)
    table, contig = Path(member).parent.name, Path(member).stem
    with pytest.raises(InputError, match=said):
        list(SummaryFolder(summary).batches(table, contig, rows=rows))


def groups_of(path: Path) -> list[pl.DataFrame]:
    with pq.ParquetFile(path) as file:
        return [pl.DataFrame(pl.from_arrow(file.read_row_group(i))) for i in range(file.num_row_groups)]


@pytest.mark.parametrize("member", [VARIANTS, TRACK, BINS])
def test_a_block_in_two_row_groups_is_found(tessera: Tessera, summary: Path, member: str) -> None:
    """A reader that takes one row group a block would lose the other."""
    groups = groups_of(summary / member)
    store(summary / member, [groups[0][:1], groups[0][1:], *groups[1:]])
    sign(summary)
    assert_found(tessera("verify", summary), f"{member} has blocks out of order or in several row groups")


def test_blocks_out_of_order_are_found(tessera: Tessera, summary: Path) -> None:
    store(summary / TRACK, groups_of(summary / TRACK)[::-1])
    sign(summary)
    assert_found(tessera("verify", summary), f"{TRACK} has blocks out of order or in several row groups")


def test_words_hidden_in_the_footer_of_a_table_are_found(tessera: Tessera, summary: Path) -> None:
    store(summary / VARIANTS, groups_of(summary / VARIANTS), {"carriers": "ann, ben"})
    sign(summary)
    assert_found(tessera("verify", summary), f"{VARIANTS} has metadata beside its rows")


def test_a_table_that_is_no_parquet_is_found(tessera: Tessera, summary: Path) -> None:
    (summary / TRACK).write_text("not a table")
    sign(summary)
    assert_found(tessera("verify", summary), "not a readable member")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"people": {"EE_F": 1, "EE_M": 2, "FI_U": 1}}, "people counted differ"),
        ({"consent": {"DUO:0000042": 4}}, "people counted differ"),
        ({"an_basis": {"gvcf": 1, "declared": 1}}, "people counted differ"),
        ({"an_basis": {"ann": 1, "ben": 2}}, "an_basis has the unknown name ann"),
        ({"consent": {"ann": 3}}, "consent has the unknown name ann"),
        ({"not_counted": {"ann": 1}}, "not_counted has the unknown name ann"),
        ({"ledger": {"ann smith": 8}}, "ledger has the unknown name ann smith"),
        ({"people": {"ann": 3}}, "people has the unknown name ann"),
        ({"people": {"EE_F": "1", "EE_M": 1, "FI_U": 1}}, "people EE_F is '1'"),
        ({"people": {"EE_F": True, "EE_M": 1, "FI_U": 1}}, "people EE_F is True"),
        (
            {"ledger": {"carriers_in": 8, "carriers_counted": 8, "carriers_dropped:filter": 0}},
            "ledger carriers_dropped:filter is 0",
        ),
        ({"people": {"EE_F": -1, "EE_M": 3, "FI_U": 1}}, "people EE_F is -1"),
        ({"not_counted": ["ann"]}, "not_counted"),
        ({"fingerprint": "sha256:0"}, "the fingerprint is not that of its rules"),
        ({"rules": {"build": {"contigs": []}}}, "does not belong to a summary"),
        ({"rules": {}}, "manifest.json"),
        ({"rules": "adj"}, "manifest.json"),
        ({"ledger": {"carriers_in": 9, "carriers_counted": 8}}, "the ledger does not balance"),
        ({"ledger": {"carriers_in": 9, "carriers_counted": 9}}, "the leaf table holds 8 carriers, the ledger 9"),
        ({"schema": 2}, "schema 2; expected schema 1"),
        ({"schema": None}, "missing or unknown keys: schema"),
        ({"samples": ["ann", "ben"]}, "missing or unknown keys: samples"),
        ({"members": {}}, "does not belong to a summary"),
        ({"members": ["variants/chr1.parquet"]}, "manifest.json"),
    ],
)
def test_a_manifest_that_cannot_be_is_found(
    tessera: Tessera, summary: Path, changed: dict[str, Any], said: str
) -> None:
    sign(summary, **changed)
    assert_found(tessera("verify", summary), said)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "\udcff", "[" * 100_000, '{"schema": 1, "schema": 1}', "[" * 30 + "]" * 30, '{"a": "\\ud800"}'],
)
def test_a_manifest_that_is_no_json_object_is_found(tessera: Tessera, summary: Path, text: str) -> None:
    (summary / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    assert_found(tessera("verify", summary), "manifest.json: ")


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 20, "9" * 5000, "-9007199254740992"]
)
@pytest.mark.parametrize("key", ["people", "ledger", "rules"])
def test_a_manifest_with_a_number_that_is_none_is_found(tessera: Tessera, summary: Path, key: str, number: str) -> None:
    """JSON has no NaN and no infinity; beyond 2^53 readers disagree (RFC 8259, section 6)."""
    manifest = json.loads((summary / "manifest.json").read_text())
    holder = manifest[key] if key != "rules" else manifest["rules"]["mask"]
    holder[next(iter(holder))] = "NUMBER"
    (summary / "manifest.json").write_text(json.dumps(manifest).replace('"NUMBER"', number))
    for command in ("verify", "show"):
        assert_found(tessera(command, summary), "manifest.json: not JSON as it is exchanged (the number ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contigs": 5}, "manifest.json"),
        ({"contigs": [{"name": "chr1", "kind": "autosome"}, {"name": "chrM", "kind": "mt", "length": 100}]}, "length"),
        ({"name": 7}, "rules.build name: found 7"),
        ({"par": 3}, "rules.build par: found 3"),
    ],
)
def test_a_manifest_with_a_build_that_is_none_is_found(
    tessera: Tessera, summary: Path, change: dict[str, Any], said: str
) -> None:
    rules = json.loads((summary / "manifest.json").read_text())["rules"]
    sign(summary, rules=rules | {"build": rules["build"] | change})
    for command in ("verify", "show"):
        assert_found(tessera(command, summary), said)


def test_a_manifest_with_a_reference_that_is_none_is_found(tessera: Tessera, summary: Path) -> None:
    rules = json.loads((summary / "manifest.json").read_text())["rules"]
    for odd in (rules | {"reference": "GRCh38\n#ann"}, {name: rules[name] for name in rules if name != "reference"}):
        sign(summary, rules=odd)
        assert_found(tessera("verify", summary), "which is no digest of a sequence collection")


def test_a_folder_that_is_no_summary_is_refused(tessera: Tessera, tmp_path: Path) -> None:
    assert_found(tessera("verify", tmp_path), "no manifest.json; expected a summary folder")
    assert_found(tessera("verify", tmp_path / "gone"), "no such folder; expected a summary folder")
    (tmp_path / "loop").symlink_to("loop")
    assert_found(tessera("verify", tmp_path / "loop"), "no folder; expected a summary folder")
    (tmp_path / "manifest.json").mkdir()
    assert_found(tessera("verify", tmp_path), "manifest.json: a folder; expected a summary folder")
