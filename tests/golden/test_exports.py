"""Every export holds what the nation's makers expect and `tessera show` prints, and passes what its readers ask."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pysam
import pytest
from ga4gh.core import ga4gh_identify
from ga4gh.va_spec.base import CohortAlleleFrequencyStudyResult
from ga4gh.vrs import models
from referencing import Registry, Resource

import exported
from exported import FORMS, Cell, Told
from nation import Nation, files_of, run
from tessera.errors import InputError
from tessera.files.bgzf import BLOCK

DATASET = "GOE-EE-UT-20260301120000000"
#: form -> options of every use of it in these tests
MORE = {"gdi-parquet": ("--dataset", DATASET), "va-spec": ("--dataset", DATASET)}
#: a field of an INFO line of gnomAD 4: metric, then population, then karyotype
GNOMAD = re.compile(
    r"(AC|AN|AF|nhomalt|nhet|nhemi|faf95|faf99)(_[A-Z]{2})?(_XX|_XY)?|grpmax|(AC|AN|AF|nhomalt)_grpmax"
    r"|fafmax_faf9[59]_max(_gen_anc)?"
)
#: what GDI's nodes open a file with (gdi-mini-node 0.9.1)
GDI_SCHEMA = pa.schema(
    [("POS", pa.int32()), *((n, pa.string()) for n in ("REF", "ALT", "VT", "POPULATION")), ("AF", pa.float64())]
    + [(n, pa.int32()) for n in ("AC", "AC_HET", "AC_HOM", "AC_HEMI", "AN")]
)


def words(form: str, nation: Nation, out: Path, summary: str = "both") -> tuple[object, ...]:
    return (*exported.words(form, nation.summaries / summary, nation.folder / "reference.fa", out), *MORE.get(form, ()))


@pytest.fixture(scope="module")
def written(nation: Nation, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each export of birch and cedar together."""
    folder = tmp_path_factory.mktemp("exports")
    found = {}
    for name, form in FORMS.items():
        found[name] = folder / name / form.out
        run(*words(name, nation, found[name]))
    found["beacon with VRS"] = folder / "vrs" / "x.jsonl.gz"
    run(*words("beacon", nation, found["beacon with VRS"]), "--reference", nation.folder / "reference.fa")
    return found


@pytest.fixture(scope="module")
def truth(nation: Nation) -> dict[exported.Place, dict[str, exported.Counts]]:
    """What the makers of the nation expect of each variant that is listed, with every stratum."""
    strata = json.loads((nation.summaries / "both" / "manifest.json").read_text())["people"]
    found: dict[exported.Place, dict[str, exported.Counts]] = {}
    for (contig, pos, ref, alt, stratum), counts in nation.expected(["birch", "cedar"]).items():
        if alt.isalpha():
            of = found.setdefault((contig, pos, ref, alt), dict.fromkeys(strata, (0,) * 6))
            of[stratum] = (*counts, 0)
    return found


def documents(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in exported.lines(path)]


@pytest.mark.parametrize("name", FORMS)
def test_every_cell_is_the_true_one(
    nation: Nation, written: dict[str, Path], truth: dict[exported.Place, dict[str, exported.Counts]], name: str
) -> None:
    form = FORMS[name]
    found = form.read(written[name], nation.summaries / "both")
    expected = form.expected(truth)
    if not form.carried:
        # variants that nobody's own record lists are not in a summary
        listed = exported.leaves(nation.summaries / "both")
        expected = {place: cells for place, cells in expected.items() if cells[""].ac or place in listed}
    assert found == expected
    kinds = {(place[0], len(place[2]) == len(place[3])) for place in found}
    assert {(f"chr{c}", snv) for c in ("1", "X") for snv in (True, False)} | {("chrY", True), ("chrM", True)} <= kinds
    assert len({place[:2] for place in found}) < len(found), "the nation has sites with several ALT alleles"


@pytest.mark.parametrize("name", FORMS)
def test_every_cell_is_what_show_prints(
    nation: Nation, written: dict[str, Path], name: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    shown: Told = {}
    for by in ("", "sex", "population", "population,sex"):
        capsysbinary.readouterr()
        run("show", nation.summaries / "both", "--by", by)
        for row in csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode()), delimiter="\t"):
            values = [int(row[n]) for n in ("AC", "AN", "n_het", "n_homalt", "n_hemi")]
            place = (row["contig"], int(row["pos"]), row["ref"], row["alt"])
            cell = Cell(*values, float(row["AF"]) if row["AF"] else None)
            shown.setdefault(place, {})[row["stratum"].replace("Total", "")] = cell
    found = FORMS[name].read(written[name], nation.summaries / "both")
    assert len(found) > 300
    for place, cells in found.items():
        assert cells == {group: shown[place][group] for group in cells}, place


@pytest.mark.parametrize("name", FORMS)
def test_writing_again_gives_the_same_bytes(
    nation: Nation, written: dict[str, Path], tmp_path: Path, name: str
) -> None:
    again = tmp_path / "elsewhere" / written[name].name
    for _ in range(2):
        run(*words(name, nation, again))
        assert files_of(again.parent) == files_of(written[name].parent)


def test_manifests_say_what_was_exported_and_nothing_of_where(nation: Nation, written: dict[str, Path]) -> None:
    vrs = {"va-spec": "2.0.1", "beacon with VRS": "2.0.1", "beacon": None}
    summary = json.loads((nation.summaries / "both" / "manifest.json").read_text())
    for name in ("gdi-parquet", "sites", "beacon", "beacon with VRS", "va-spec"):
        inside = written[name] / "manifest.json"
        path = inside if written[name].is_dir() else written[name].with_name(f"{written[name].name}.manifest.json")
        manifest = json.loads(path.read_text())
        assert manifest["export"] == name.removesuffix(" with VRS")
        assert (manifest["people"], manifest["fingerprint"]) == (summary["people"], summary["fingerprint"])
        assert manifest.get("vrs_version") == vrs.get(name)
        assert manifest.get("dataset") == (DATASET if name in MORE else None)
        assert str(nation.folder.parent) not in path.read_text()


@pytest.mark.parametrize("name", ["gdi-parquet", "sites"])
def test_parquet_says_nothing_of_who_wrote_it(written: dict[str, Path], name: str) -> None:
    for file in [written[name]] if written[name].is_file() else sorted(written[name].rglob("*.parquet")):
        metadata = pq.read_metadata(file)
        assert metadata.metadata is None
        assert re.fullmatch(r"parquet-cpp-arrow version [\d.]+", metadata.created_by)


@pytest.mark.parametrize("name", ["vcf", "gnomad", "beacon", "va-spec"])
def test_text_is_bgzf_without_a_time_and_any_gzip_reads_it(written: dict[str, Path], name: str) -> None:
    data = written[name].read_bytes()
    assert data[:8] == b"\x1f\x8b\x08\x04\0\0\0\0"
    assert data.endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))
    with pysam.BGZFile(str(written[name]), "r", None) as file:
        assert file.read() == gzip.decompress(data)
    assert len(gzip.decompress(data)) > BLOCK


def test_row_groups_are_large_however_few_variants_are_held(
    nation: Nation, written: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tessera.summary.cells.VARIANTS_AT_ONCE", 7)
    run(*words("sites", nation, tmp_path / "x.parquet"))
    again = pq.ParquetFile(tmp_path / "x.parquet")
    assert again.num_row_groups == 1
    assert again.read().equals(pq.read_table(written["sites"]))
    monkeypatch.setattr("tessera.files.export_files.ROWS", 50)
    run(*words("sites", nation, tmp_path / "x.parquet"))
    again = pq.ParquetFile(tmp_path / "x.parquet")
    sizes = [again.metadata.row_group(group).num_rows for group in range(again.num_row_groups)]
    assert len(sizes) > 5
    assert all(50 <= size < 57 for size in sizes[:-1])
    assert again.read().equals(pq.read_table(written["sites"]))
    for name in ("vcf", "beacon"):
        run(*words(name, nation, tmp_path / name / FORMS[name].out))
        assert (tmp_path / name / FORMS[name].out).read_bytes() == written[name].read_bytes()


def gdi_files(written: dict[str, Path]) -> list[Path]:
    return sorted(written["gdi-parquet"].rglob("*.parquet"))


def test_gdi_nodes_find_each_variant_by_its_position_and_type(
    nation: Nation, written: dict[str, Path], truth: dict[exported.Place, dict[str, exported.Counts]]
) -> None:
    """The query of gdi-mini-node: a file by contig and start // 10,000,000, rows by POS, REF, ALT and VT."""
    (folder,) = {file.parent for file in gdi_files(written)}
    for contig, pos, ref, alt in [place for place, of in truth.items() if any(any(c[2:5]) for c in of.values())]:
        file = folder / f"allele-freq-{contig}.{(pos - 1) // 10_000_000}.parquet"
        kind = "INDEL" if len(ref) != len(alt) else "SNP" if len(ref) == 1 else "UNKNOWN"
        match = (ds.field("POS") == pos - 1) & (ds.field("REF") == ref) & (ds.field("ALT") == alt)
        rows = ds.dataset(file, schema=GDI_SCHEMA).filter(match & (ds.field("VT") == kind)).to_table().to_pylist()
        assert rows
        for row in rows:
            # its models take no row without a frequency
            assert isinstance(row["AF"], float)
            assert re.fullmatch("[MF]|[A-Z]{2}(_[MF])?", row["POPULATION"])
            assert row["AC_HET"] + row["AC_HOM"] + row["AC_HEMI"] == row["AC"] == round(row["AF"] * row["AN"])


def test_gdi_files_are_as_the_published_example(shared: Path, written: dict[str, Path]) -> None:
    example = pq.ParquetFile(next((shared / "08_standards/gdi-mini-node/data").rglob("allele-freq-*.parquet")))
    for path in gdi_files(written):
        file = pq.ParquetFile(path)
        assert file.schema_arrow == example.schema_arrow == GDI_SCHEMA
        assert file.metadata.row_group(0).sorting_columns == example.metadata.row_group(0).sorting_columns
        for group in (example.metadata.row_group(0), file.metadata.row_group(0)):
            assert group.column(0).compression == "ZSTD"
            assert group.column(0).statistics.has_min_max


@pytest.fixture(scope="module")
def beacon_schema(shared: Path) -> jsonschema.Draft202012Validator:
    """The schema of genomicVariations with everything that it points to."""
    schemas = shared.parent / "schemas"
    framework = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/common/ontologyTerm.json"
    common = schemas / "beacon-v2" / "common"
    known = {
        "https://w3id.org/ga4gh/schema/vrs/1.3/vrs.json": schemas / "vrs" / "vrs-1.3.json",
        framework: shared / "08_standards/beacon-v2/framework/json/common/ontologyTerm.json",
        **{f"https://beacon.test/common/{path.name}": path for path in common.glob("*.json")},
    }
    own = json.loads((schemas / "beacon-v2" / "genomicVariations" / "defaultSchema.json").read_text())
    resources = [
        (uri, Resource.from_contents(json.loads(path.read_text()))) for uri, path in known.items() if path.is_file()
    ]
    schema = {"$id": "https://beacon.test/genomicVariations/defaultSchema.json", **own}
    return jsonschema.Draft202012Validator(schema, registry=Registry().with_resources(resources))


@pytest.mark.parametrize("name", ["beacon", "beacon with VRS"])
def test_beacon_documents_are_valid(
    beacon_schema: jsonschema.Draft202012Validator, written: dict[str, Path], name: str
) -> None:
    seen = documents(written[name])
    for document in seen:
        beacon_schema.validate(document)
        assert document["frequencyInPopulations"][0]["source"] == "A study"  # type: ignore[index]
    assert len({document["variantInternalId"] for document in seen}) == len(seen)
    with pytest.raises(jsonschema.ValidationError):
        beacon_schema.validate({**seen[0], "frequencyInPopulations": [{"source": "A study"}]})
    with pytest.raises(jsonschema.ValidationError):
        beacon_schema.validate({**seen[0], "variation": {"variantType": "SNP"}})


def test_beacon_and_va_spec_name_the_same_vrs_alleles(written: dict[str, Path]) -> None:
    of_beacon = [d["identifiers"]["variantAlternativeIds"][0]["id"] for d in documents(written["beacon with VRS"])]  # type: ignore[index]
    assert of_beacon == [d["focusAllele"]["id"] for d in documents(written["va-spec"])]  # type: ignore[index]
    assert len(set(of_beacon)) == len(of_beacon)


def test_va_spec_results_are_valid_and_identified_by_what_they_say(written: dict[str, Path]) -> None:
    """Models of the reference implementation, which refuse unknown keys, and the library's own identifiers."""
    for document in documents(written["va-spec"]):
        result = CohortAlleleFrequencyStudyResult(**document)
        assert result.model_dump(exclude_none=True, mode="json").keys() == document.keys()
        assert document["sourceDataSet"] == {"type": "DataSet", "id": DATASET}
        allele = models.Allele(**document["focusAllele"])  # type: ignore[arg-type]
        assert ga4gh_identify(models.Allele(**allele.model_dump(exclude={"id", "digest"}))) == allele.id
        assert ga4gh_identify(allele.location) == allele.location.id
    with pytest.raises(ValueError, match="focusAlleleFrequency"):
        CohortAlleleFrequencyStudyResult(**{k: v for k, v in document.items() if k != "focusAlleleFrequency"})


def close(ours: str, theirs: str) -> bool:
    """The same to six digits, or both missing."""
    return ours == theirs if "." in (ours, theirs) else float(ours) == pytest.approx(float(theirs), rel=5e-6)


def test_gnomad_names_and_numbers(nation: Nation, written: dict[str, Path]) -> None:
    with pysam.VariantFile(str(written["gnomad"])) as file:
        declared = {name: (meta.number, meta.type) for name, meta in file.header.info.items()}
        read = list(file)
    assert len(read) == len(dict(exported.info_of(written["gnomad"])))
    for name, (number, kind) in declared.items():
        assert GNOMAD.fullmatch(name), name
        assert number == (1 if name.startswith("AN") and name != "AN_grpmax" else "A"), name
        text = "grpmax" if name == "grpmax" or name.endswith("gen_anc") else ""
        assert kind == ("String" if text else "Float" if name[:2] == "AF" or name[:3] == "faf" else "Integer"), name
    by_vcf = nation.summaries / "statistics.vcf.gz"
    run("export", "vcf", nation.summaries / "both", "--statistics", "--out", by_vcf)
    others = dict(exported.info_of(by_vcf))
    for place, info in exported.info_of(written["gnomad"]):
        assert info.keys() == declared.keys()
        for name in ("grpmax", "fafmax_faf95_max_gen_anc", "fafmax_faf99_max_gen_anc"):
            assert info[name] == others[place][name], place
        for name in ("fafmax_faf95_max", "fafmax_faf99_max", "faf95", "faf99"):
            assert close(info[name], others[place][name]), place
        for metric in ("AC", "AN", "AF", "nhomalt"):
            best = info["grpmax"]
            assert info[f"{metric}_grpmax"] == ("." if best == "." else info[f"{metric}_{best}"]), place
        for population in ("XA", "XB"):
            for karyotype, sex in (("", ""), ("_XX", "_F"), ("_XY", "_M")):
                if f"faf95_{population}{karyotype}" in info:
                    theirs = others[place][f"faf95_{population}{sex}"]
                    assert close(info[f"faf95_{population}{karyotype}"], theirs), place


@pytest.mark.parametrize("name", FORMS)
def test_where_an_is_an_interval_only_sites_are_written(nation: Nation, tmp_path: Path, name: str) -> None:
    nation.count("cedar", nation.folder / "vcf" / "cedar.vcf.gz", tmp_path / "variant_only")
    run("merge", tmp_path / "variant_only", nation.summaries / "birch", "--out", tmp_path / "sum")
    out = tmp_path / "out" / FORMS[name].out
    arguments = exported.words(name, tmp_path / "sum", nation.folder / "reference.fa", out)
    if name != "sites":
        with pytest.raises(InputError, match=r"variant_only.*\n.*--callable.* tessera export sites"):
            run(*arguments)
        assert not out.parent.exists()
        return
    run(*arguments)
    of = exported.leaves(tmp_path / "sum")
    assert FORMS[name].read(out, tmp_path / "sum") == FORMS[name].expected(of)
    rows = pq.read_table(out).to_pylist()
    for group in ("", "XC", "F"):
        column = f"AN_unknown_{group}".rstrip("_")
        unknown = {(row["CHROM"], row["POS"], row["REF"], row["ALT"]): row[column] for row in rows}
        assert unknown == {place: exported.summed(strata, group)[5] for place, strata in of.items()}
        assert any(unknown.values())


@pytest.mark.parametrize(
    ("form", "out"),
    [("gnomad", "x.vcf"), ("sites", "x.csv"), ("beacon", "x.json"), ("va-spec", "x.jsonl.gz")],
)
def test_another_ending_is_refused(nation: Nation, tmp_path: Path, form: str, out: str) -> None:
    with pytest.raises(InputError, match=r"--out.*a name that ends in"):
        run(*words(form, nation, tmp_path / out))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["gdi-parquet", "beacon", "va-spec"])
def test_an_id_that_is_none_is_refused(nation: Nation, tmp_path: Path, form: str) -> None:
    with pytest.raises(InputError, match=r"--dataset: 'mine'; expected a data set such as GOE-EE-UT-"):
        run(*words(form, nation, tmp_path / FORMS[form].out), "--dataset", "mine")
    assert list(tmp_path.iterdir()) == []


def test_another_reference_is_refused(nation: Nation, tmp_path: Path) -> None:
    other = tmp_path / "other.fa"
    shutil.copy(nation.folder / "reference.fa", other)
    text = other.read_text()
    at = text.index("\n", text.index(">chrX")) + 400
    at = next(i for i in range(at, len(text)) if text[i] in "ACGT")
    other.write_text(f"{text[:at]}{'A' if text[at] != 'A' else 'C'}{text[at + 1 :]}")
    pysam.faidx(str(other))
    out = tmp_path / "out" / "x.ndjson"
    for form, words in (("va-spec", ()), ("beacon", exported.STUDY)):
        where = out if form == "va-spec" else out.with_suffix(".jsonl")
        with pytest.raises(InputError, match=r"other\.fa: the digest .*; expected .* as in"):
            run("export", form, nation.summaries / "both", *words, "--reference", other, "--out", where)
    assert not out.parent.exists()


def test_gdi_parquet_replaces_an_export_and_nothing_else(nation: Nation, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match=r"mine: it holds letter\.txt, which is no part of an export"):
        run(*words("gdi-parquet", nation, out))
    assert [path.name for path in out.iterdir()] == ["letter.txt"]
    (out / "letter.txt").unlink()
    run(*words("gdi-parquet", nation, out, "cedar"))
    before = files_of(out)
    run(*words("gdi-parquet", nation, out))
    assert files_of(out) != before
    (out / "metadata.yaml").write_text("title: mine\n")
    with pytest.raises(InputError, match=r"it holds metadata\.yaml"):
        run(*words("gdi-parquet", nation, out))
    (tmp_path / "file").write_text("")
    shutil.copytree(nation.summaries / "cedar", tmp_path / "summary")
    for name, found in (("file", "it is there and no folder"), ("summary", "it holds an_track")):
        with pytest.raises(InputError, match=found):
            run(*words("gdi-parquet", nation, tmp_path / name))


def test_the_summary_of_nobody_has_exports_without_variants(nation: Nation, tmp_path: Path) -> None:
    reference = nation.folder / "reference.fa"
    run("merge", "--build", nation.folder / "build.yaml", "--reference", reference, "--out", tmp_path / "nobody")
    for name, form in FORMS.items():
        out = tmp_path / name / form.out
        run(*exported.words(name, tmp_path / "nobody", reference, out))
        assert form.read(out, tmp_path / "nobody") == {}
