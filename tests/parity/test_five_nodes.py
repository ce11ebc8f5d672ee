"""1000 Genomes phase 3 as five nodes, each with a file of its own super-population and without the sites at which
nobody of it has an ALT: AC, AN and AF of their sum against INFO of the undivided file.

INFO was written by the makers of phase 3, from everybody's genotypes at once; bcftools divides the file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from commands import Bcftools, Tessera
from handmade import write
from nation import ROOT, run
from tessera.genome.alleles import is_sequence

EXAMPLE = ROOT / "config" / "examples" / "1000g-chr22"
FILE = "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"
NODES = ("AFR", "AMR", "EAS", "EUR", "SAS")
#: the contig of the file alone: of whole GRCh37 each base is unknown where nothing is declared
BUILD = "name: one\ncontigs:\n  - {name: '22', kind: autosome, length: 51304566}\n"
Key = tuple[int, str, str]


@dataclass(frozen=True)
class Federation:
    """Folder of each node's file, NODE.vcf.gz, and its sheet, NODE.tsv; what the files list, and what INFO says.

    `info` is AC, AN and the text of AF of each allele in bases that somebody carries; `listed` node -> POS and REF.
    """

    folder: Path
    info: dict[Key, tuple[int, int, str]]
    listed: dict[str, set[tuple[int, str]]]

    def merged(self, out: Path, *options: object) -> Path:
        """Count each node on its own, and add them up."""
        build = write(self.folder / "build.yaml", BUILD)
        for node in NODES:
            run("count", "--input", self.folder / f"{node}.vcf.gz", "--samples", self.folder / f"{node}.tsv",
                "--build", build, "--assume-normalised", "--mask", "none", *options,
                "--out", out / node)  # fmt: skip
        run("merge", *(out / node for node in NODES), "--out", out / "sum")
        return out / "sum"


@pytest.fixture(scope="module")
def federation(shared: Path, bcftools: Bcftools, tmp_path_factory: pytest.TempPathFactory) -> Federation:
    """The file divided."""
    folder, file = tmp_path_factory.mktemp("federation"), shared / FILE
    header, *rows = ["\t".join(line.split("\t")[:4]) for line in (EXAMPLE / "samples.tsv").read_text().splitlines()]
    listed = {}
    for node in NODES:
        mine = [row for row in rows if row.split("\t")[2] == node]
        (folder / f"{node}.tsv").write_text("\n".join([header, *mine]) + "\n")
        (folder / f"{node}.names").write_text("".join(row.partition("\t")[0] + "\n" for row in mine))
        part = folder / f"{node}.vcf.gz"
        bcftools("view", "--no-version", "-S", folder / f"{node}.names", "-c", "1", "-Oz", "-o", part, file)
        lines = bcftools("query", "-f", r"%POS\t%REF\n", part).splitlines()
        listed[node] = {(int(pos), ref) for pos, ref in (line.split("\t") for line in lines)}
    info: dict[Key, tuple[int, int, str]] = {}
    for line in bcftools("query", "-f", r"%POS\t%REF\t%ALT\t%AC\t%AN\t%AF\n", file).splitlines():
        pos, ref, *told = line.split("\t")
        alts, counts, (an,), frequencies = (value.split(",") for value in told)
        for alt, ac, af in zip(alts, counts, frequencies, strict=True):
            if is_sequence(alt) and ac != "0":
                info[int(pos), ref, alt] = int(ac), int(an), af
    assert len(info) > 6000
    return Federation(folder, info, listed)


def shown(tessera: Tessera, summary: Path) -> dict[Key, dict[str, float]]:
    """Variant -> AC, AN, AF, AN_unknown of everybody."""
    done = tessera("show", summary)
    assert done.code == 0, done.err
    table = pl.read_csv(io.BytesIO(done.out), separator="\t", schema_overrides={"contig": pl.String})
    return {(row["pos"], row["ref"], row["alt"]): row for row in table.iter_rows(named=True)}


def test_five_nodes_that_declare_where_they_are_callable_add_up_to_info_at_every_record(
    federation: Federation, tessera: Tessera, tmp_path: Path
) -> None:
    summary = federation.merged(tmp_path, "--callable", EXAMPLE / "callable.bed")
    found = shown(tessera, summary)
    assert {key: (row["AC"], row["AN"], f"{row['AF']:g}", row["AN_unknown"]) for key, row in found.items()} == {
        key: (ac, an, f"{float(af):g}", 0) for key, (ac, an, af) in federation.info.items()
    }
    alone = [key for key in found if sum(key[:2] in listed for listed in federation.listed.values()) == 1]
    assert len(alone) > 1000, "AN is asked of nodes that do not know the variant"


def test_five_nodes_that_declare_nothing_say_how_many_alleles_are_unknown(
    federation: Federation, tessera: Tessera, tmp_path: Path
) -> None:
    summary = federation.merged(tmp_path)
    found = shown(tessera, summary)
    assert found.keys() == federation.info.keys()
    people = {node: len((federation.folder / f"{node}.names").read_text().split()) for node in NODES}
    spans = {
        node: {base for pos, ref in listed for base in range(pos, pos + len(ref))}
        for node, listed in federation.listed.items()
    }
    for key, row in found.items():
        unknown = sum(2 * number for node, number in people.items() if key[0] not in spans[node])
        ac, an, _ = federation.info[key]
        assert (row["AC"], row["AN"], row["AN_unknown"]) == (ac, an - unknown, unknown), key
    assert sum(row["AN_unknown"] > 0 for row in found.values()) > 4000
    assert '"variant_only": 2504' in (summary / "manifest.json").read_text()
    done = tessera("export", "vcf", summary, "--out", tmp_path / "out.vcf.gz")
    assert done.code == 2
    assert "people of whom nothing is known" in done.err
