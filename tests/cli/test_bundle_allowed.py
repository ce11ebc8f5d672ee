"""Names of people, paths and rows of one person do not leave a node, wherever in a summary somebody puts them.

Digests, fingerprint and form are made to fit each time, so that only the list of what may leave is left to object.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands import Tessera
from nation import run
from sent import count_people, groups_of, manifest_of, put_manifest
from tessera.cohort.genotypes import Reason
from tessera.federation.bundle import DROPPED
from tessera.files.summaries import HOW_WRITTEN, TEXTS
from tessera.summary.blocks import TABLES

Smuggle = Callable[[Path], None]
NAME = "HG00096"


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a summary and keys."""
    folder = tmp_path_factory.mktemp("counted")
    run("keys", "new", "--out", folder / "keys")
    return count_people(folder).parent


@pytest.fixture
def summary(counted: Path, tmp_path: Path) -> Path:
    """A copy of the summary."""
    return Path(shutil.copytree(counted / "summary", tmp_path / "summary"))


def store(path: Path, tables: list[pa.Table], told: dict[str, str] | None = None, **how: Any) -> None:
    """Write a member as ours are written, but for `how`; `told` is metadata of the file."""
    with pq.ParquetWriter(path, tables[0].schema, **HOW_WRITTEN[path.parent.name] | how) as writer:
        for table in tables:
            writer.write_table(table)
        if told:
            writer.add_key_value_metadata(told)


def arrow(path: Path) -> list[pa.Table]:
    """The row groups of a member, text as dictionaries."""
    with pq.ParquetFile(path, read_dictionary=TEXTS[path.parent.name]) as file:
        return [file.read_row_group(i) for i in range(file.num_row_groups)]


def beside(name: str) -> Smuggle:
    """A file in the summary's folder."""

    def put(summary: Path) -> None:
        (summary / name).parent.mkdir(exist_ok=True)
        (summary / name).write_text(NAME)

    return put


def listed(name: str) -> Smuggle:
    """A file that the manifest names as a member."""

    def put(summary: Path) -> None:
        beside(name)(summary)
        manifest = manifest_of(summary)
        manifest["members"][name] = ""
        put_manifest(summary, manifest)

    return put


def link(summary: Path) -> None:
    (summary / "variants" / "samples.tsv").symlink_to(summary.parent)


def said(change: Callable[[dict[str, Any]], object]) -> Smuggle:
    """Something else in the manifest."""

    def put(summary: Path) -> None:
        manifest = manifest_of(summary)
        change(manifest)
        put_manifest(summary, manifest)

    return put


def renamed(key: str, old: str, new: str) -> Smuggle:
    """Another name in one of the manifest's counts."""
    return said(lambda manifest: manifest[key].update({new: manifest[key].pop(old)}))


def counts(key: str, name: str) -> Smuggle:
    return said(lambda manifest: manifest[key].update({name: 1}))


def rule(change: Callable[[dict[str, Any]], object]) -> Smuggle:
    return said(lambda manifest: change(manifest["rules"]))


def tables(table: str, change: Callable[[pa.Table], pa.Table], **how: Any) -> Smuggle:
    """Other columns in one of the tables."""

    def put(summary: Path) -> None:
        path = summary / table / "chr1.parquet"
        store(path, [change(group) for group in arrow(path)], **how)
        put_manifest(summary, manifest_of(summary))

    return put


def one_more_column(table: pa.Table) -> pa.Table:
    return table.append_column("sample", pa.array([NAME] * len(table)))


def unused_word(column: str) -> Callable[[pa.Table], pa.Table]:
    """With a word in the dictionary of a column that no row uses."""

    def change(table: pa.Table) -> pa.Table:
        chunk = table[column].combine_chunks()
        chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
        words = pa.array([*chunk.dictionary.to_pylist(), NAME])
        at = table.column_names.index(column)
        return table.set_column(at, column, pa.DictionaryArray.from_arrays(chunk.indices, words))

    return change


def rows(table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Smuggle:
    """Other rows in the first block of a table."""

    def put(summary: Path) -> None:
        path = summary / table / "chr1.parquet"
        first, *rest = groups_of(path)
        texts = [pa.field(name, pa.dictionary(pa.int32(), pa.string())) for name in TEXTS[table]]
        stored = []
        for group in (change(first), *rest):
            found = group.to_arrow(compat_level=pl.CompatLevel.oldest())
            for field in texts:
                at = found.column_names.index(field.name)
                column = found[field.name].cast(pa.string()).dictionary_encode()
                found = found.set_column(at, field.name, column)
            stored.append(found)
        store(path, stored)
        put_manifest(summary, manifest_of(summary))

    return put


def set_text(column: str, text: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Another word in the first row."""
    return lambda frame: frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(text)).otherwise(pl.col(column).cast(pl.String)).alias(column)
    )


def of_one_person(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows once more, under the name of a person."""
    own = frame.with_columns(pl.col("stratum").cast(pl.String))
    return pl.concat([own, own.with_columns(stratum=pl.lit(f"{NAME}_F"))]).sort(frame.columns[:5])


def raw(change: Callable[[bytes], bytes]) -> Smuggle:
    """Other bytes of a member."""

    def put(summary: Path) -> None:
        path = summary / "an_track" / "chr1.parquet"
        path.write_bytes(change(path.read_bytes()))
        put_manifest(summary, manifest_of(summary))

    return put


def footer_size(content: bytes) -> int:
    return int.from_bytes(content[-8:-4], "little")


def before_footer(content: bytes) -> bytes:
    at = len(content) - 8 - footer_size(content)
    return content[:at] + NAME.encode() + content[at:]


def behind_footer(content: bytes) -> bytes:
    size = (footer_size(content) + len(NAME)).to_bytes(4, "little")
    return content[:-8] + NAME.encode() + size + content[-4:]


def maker(content: bytes) -> bytes:
    at = content.rindex(b"parquet-cpp-arrow")
    return content[:at] + b"HG00096-in-Tartu!" + content[at + 17 :]


def spread(summary: Path) -> None:
    """The manifest, with what is no JSON key: blanks."""
    path = summary / "manifest.json"
    path.write_text(path.read_text().replace("{\n", "{ \t \n", 1))


SMUGGLED: dict[str, tuple[Smuggle, str]] = {
    "file": (beside("samples.tsv"), "samples.tsv does not belong to a summary"),
    "provenance": (beside("summary.provenance.json"), "summary.provenance.json does not belong to a summary"),
    "hidden file": (beside(".samples"), ".samples does not belong to a summary"),
    "file in a table's folder": (beside("variants/samples.tsv"), "variants/samples.tsv does not belong to a summary"),
    "file in a folder": (beside("private/samples.tsv"), "private/samples.tsv does not belong to a summary"),
    "link": (link, "variants/samples.tsv is a link, which does not belong to a summary"),
    "listed file": (listed("samples.tsv"), "samples.tsv does not belong to a summary"),
    "listed path": (listed("../samples.tsv"), "../samples.tsv does not belong to a summary"),
    "table of a person": (listed(f"variants/{NAME}.parquet"), f"variants/{NAME}.parquet does not belong to a summary"),
    **{f"column of {t}": (tables(t, one_more_column), f"{t} has columns") for t in TABLES},
    **{f"metadata of {t}": (tables(t, lambda table: table, told={"sample": NAME}),
                            f"{t}/chr1.parquet has metadata beside its rows") for t in TABLES},
    **{f"schema of {t}": (tables(t, lambda table: table, store_schema=True),
                          f"{t}/chr1.parquet has metadata beside its rows") for t in TABLES},
    **{f"unused word of {t} {c}": (tables(t, unused_word(c)), f"{t}/chr1.parquet holds '{NAME}' in the column {c}")
       for t in TABLES for c in TEXTS[t]},
    "statistics of text": (tables("variants", lambda table: table, write_statistics=True),
                           "variants/chr1.parquet has statistics of the text column"),
    "bytes before the footer": (raw(before_footer), "an_track/chr1.parquet has bytes that belong to no column"),
    "bytes in the footer": (raw(behind_footer), "an_track/chr1.parquet has a footer with more than the fields"),
    "maker": (raw(maker), "an_track/chr1.parquet says it was made by 'HG00096-in-Tartu!"),
    "contig of a row": (rows("variants", set_text("contig", NAME)), f"holds '{NAME}' in the column contig"),
    "REF": (rows("variants", set_text("ref", "ANNSMITH")), "holds 'ANNSMITH' in the column ref"),
    "ALT": (rows("variants", set_text("alt", "ANNSMITH")), "holds 'ANNSMITH' in the column alt"),
    "path as ALT": (rows("variants", set_text("alt", "/home/ann")), "holds '/home/ann' in the column alt"),
    "symbolic ALT": (rows("variants", set_text("alt", f"<{NAME}>")), f"holds '<{NAME}>' in the column alt"),
    "metric": (rows("histograms", set_text("metric", NAME)), f"holds '{NAME}' in the column metric"),
    **{f"rows of one person in {t}": (rows(t, of_one_person), f"holds '{NAME}_F' in the column stratum")
       for t in TABLES},
    "key": (said(lambda m: m.update(samples=[NAME])), "missing or unknown keys: samples"),
    "blanks": (spread, "manifest.json is not written as tessera count writes it"),
    "stratum": (renamed("people", "FI_U", f"{NAME}_U"), f"manifest.json people names '{NAME}_U'"),
    "stratum in small letters": (renamed("people", "FI_U", "ann_U"), "manifest.json people names 'ann_U'"),
    "stratum with a path": (renamed("people", "FI_U", "/home/ann_U"), "people has the unknown name /home/ann_U"),
    "AN basis": (renamed("an_basis", "declared", NAME), f"an_basis has the unknown name {NAME}"),
    "consent": (renamed("consent", "DUO:0000042", "DUO:0000096"), "manifest.json consent names 'DUO:0000096'"),
    "text as consent": (renamed("consent", "DUO:0000042", NAME), f"consent has the unknown name {NAME}"),
    "reason": (counts("not_counted", "qc:ann_smith"), "manifest.json not_counted names 'qc:ann_smith'"),
    "ledger": (counts("ledger", "carriers_dropped:ann"), "manifest.json ledger names 'carriers_dropped:ann'"),
    "rule": (rule(lambda rules: rules.update(samples=NAME)), f"manifest.json rules.samples: {NAME} in the summary"),
    "text of a rule": (rule(lambda rules: rules.update(half_call=f"missing in {NAME}")),
                       f"manifest.json rules.half_call: missing in {NAME} in the summary"),
    "threshold": (rule(lambda rules: rules["mask"].update({NAME: 1})), "manifest.json rules.mask is"),
    "text as threshold": (rule(lambda rules: rules["mask"].update(min_gq=NAME)), "manifest.json rules.mask is"),
    "edges": (rule(lambda rules: rules["histogram_edges"].update({NAME: [0, 1, 1]})),
              f"manifest.json rules.histogram_edges.{NAME}"),
    "reference": (rule(lambda rules: rules.update(reference=NAME)), f"manifest.json rules.reference: {NAME} in"),
    "sequences": (rule(lambda rules: rules.update(sequences=[NAME] * len(rules["build"]["contigs"]))),
                  f"manifest.json rules.sequences is ['{NAME}'"),
    "build": (rule(lambda rules: rules["build"].update(name="reads-of-HG00096-and-mother")),
              "manifest.json rules.build.name names 'reads-of-HG00096-and-mother'"),
    "path as build": (rule(lambda rules: rules["build"].update(name="/home/ann")), 'name: found "/home/ann"'),
    "key of a build": (rule(lambda rules: rules["build"].update(samples=NAME)), 'unknown key "samples"'),
    "contig": (rule(lambda rules: rules["build"]["contigs"].append({"name": NAME, "kind": "autosome", "length": 9})),
               f"manifest.json rules.build.contigs names '{NAME}'"),
    "path as contig": (rule(lambda r: r["build"]["contigs"].append({"name": "a/b", "kind": "mt", "length": 9})),
                       'found "a/b"'),
    "key of a contig": (rule(lambda rules: rules["build"]["contigs"][0].update(sample=NAME)), 'unknown key "sample"'),
    "digest of a contig": (rule(lambda rules: rules["build"]["contigs"][0].update(digests=["a" * 32])),
                           "manifest.json rules.build.contigs: "),
    "PAR": (rule(lambda rules: rules["build"].update(par=[{"name": NAME, "x": [0, 1], "y": [0, 1]}])),
            f"manifest.json rules.build.par names '{NAME}'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SMUGGLED)
def test_what_is_not_on_the_list_does_not_leave(tessera: Tessera, counted: Path, summary: Path, name: str) -> None:
    smuggle, sentence = SMUGGLED[name]
    smuggle(summary)
    out = summary.parent / "alder.tar"
    done = tessera("bundle", "pack", summary, "--sign", counted / "keys" / "sign.sec", "--unencrypted", "--out", out)
    assert done.code == 2
    assert sentence in done.err
    assert not out.exists()


def test_a_summary_that_is_written_again_leaves(tessera: Tessera, counted: Path, summary: Path) -> None:
    """What the smugglers do to a summary is refused for what they put in, not for how they write."""
    for table in TABLES:
        tables(table, lambda stored: stored)(summary)
        rows(table, lambda frame: frame)(summary)
    words = ["--sign", counted / "keys" / "sign.sec", "--unencrypted", "--out", summary.parent / "alder.tar"]
    assert tessera("bundle", "pack", summary, *words).code == 0


def test_the_reasons_of_the_ledger_are_those_that_counting_gives() -> None:
    keyed = {reason.name.lower() for reason in Reason if reason != Reason.CALLED}
    assert set(DROPPED) == keyed | {"duplicate_record", "symbolic_allele"}


def test_no_name_of_a_sample_is_in_a_bundle(counted: Path, tmp_path: Path) -> None:
    words = ["--sign", counted / "keys" / "sign.sec", "--unencrypted", "--out", tmp_path / "alder.tar"]
    run("bundle", "pack", counted / "summary", *words)
    packed = (tmp_path / "alder.tar").read_bytes()
    assert b"EE_F" in packed
    assert all(word not in packed for word in (b"ann", b"ben", b"cai", bytes(counted), b"cohort"))
