"""`tessera compare-nodes`: a planted batch effect is listed, nothing else is, however little is read at a time."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Tessera
from handmade import BUILD, sheet, vcf, write
from nation import run
from tessera.federation.discordance import Comparison, Node
from tessera.files.summary_sums import comparable, contig_parts
from tessera.schemas.discordance import DISCORDANCE
from tessera.summary.rules import counted_build

PEOPLE, SITES = 80, range(10, 370, 3)
NODES = ("alder", "birch", "cedar")
#: birch calls a third of its heterozygotes homozygous at one site, and half of its people nowhere at another
MISCALLED, MISSED, ON_X, ON_Y = 100, 190, 100, 100


@dataclass(frozen=True)
class Genotypes:
    """The lines of a node's cohort file; frequencies are the same in all nodes, by population."""

    node: str

    def lines(self) -> list[str]:
        rng = np.random.default_rng(NODES.index(self.node))
        shared = np.random.default_rng(99)
        lines = []
        for pos in SITES:
            frequency = shared.uniform(0.1, 0.5, 2)
            copies = rng.binomial(2, frequency[np.arange(PEOPLE) % 4 // 2])
            if self.node == "birch" and pos == MISCALLED:
                copies[rng.random(PEOPLE) < 0.6] = 2
            cells = np.array(["0/0", "0/1", "1/1"])[copies]
            if self.node == "birch" and pos == MISSED:
                cells[: PEOPLE // 2] = "./."
            lines.append(f"chr1 {pos} A C PASS . GT {' '.join(cells)}")
        women, alleles = np.arange(PEOPLE) % 2 == 0, (rng.random(PEOPLE) < 0.4).astype(int).astype(str)
        on_x = np.where(women, np.char.add("0/", alleles), alleles)
        lines.append(f"chrX {ON_X} A C PASS . GT {' '.join(on_x)}")
        lines.append(f"chrY {ON_Y} A C PASS . GT {' '.join(np.where(women, '.', alleles))}")
        return lines


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Nodes of women and men of two populations, in turn."""
    folder = tmp_path_factory.mktemp("nodes")
    for node in NODES:
        names = [f"{node}{number}" for number in range(PEOPLE)]
        facts = [f"{('XX', 'XY')[n % 2]} {('EE', 'FI')[n % 4 // 2]}" for n in range(PEOPLE)]
        (folder / node).mkdir()
        run("count", "--input", write(folder / node / "a.vcf", vcf(names, Genotypes(node).lines())), "--samples",
            write(folder / node / "s.tsv", sheet(dict(zip(names, facts, strict=True)))), "--assume-normalised",
            "--build", write(folder / node / "b.yaml", BUILD), "--mask", "none", "--callable",
            write(folder / "c.bed", "chr1\t0\t400\nchrX\t0\t300\nchrY\t0\t200\n"), "--out", folder / node / "summary",
        )  # fmt: skip
    return [folder / node / "summary" for node in NODES]


def test_a_planted_effect_is_listed_and_nothing_else(tessera: Tessera, summaries: list[Path], tmp_path: Path) -> None:
    done = tessera("compare-nodes", *summaries, "--out", tmp_path / "list.tsv")
    assert (done.code, done.err) == (0, "")
    assert f"2 of {len(SITES) + 2:,} variants are discordant" in done.text
    found = pl.read_csv(tmp_path / "list.tsv", separator="\t")
    assert found.columns == DISCORDANCE.names
    assert found.select("pos", "node_discordant").rows() == [(MISCALLED, "allele_counts"), (MISSED, "call_rate")]
    assert found["highest_AF_node"][0] == found["lowest_call_rate_node"][1] == str(summaries[1])
    assert (found["lowest_call_rate"][1], found["highest_call_rate"][1]) == (0.5, 1.0)


def test_nothing_is_listed_where_nothing_is_planted(tessera: Tessera, summaries: list[Path], tmp_path: Path) -> None:
    done = tessera("compare-nodes", summaries[0], summaries[2], "--out", tmp_path / "list.tsv")
    assert f"0 of {len(SITES) + 2:,} variants" in done.text
    assert (tmp_path / "list.tsv").read_text() == "\t".join(DISCORDANCE.names) + "\n"


@pytest.mark.parametrize("rows", [6, 50, 100_000])
def test_the_list_does_not_depend_on_how_much_is_read_at_a_time_nor_on_order(summaries: list[Path], rows: int) -> None:
    lists = []
    for order in (summaries, summaries[::-1]):
        folders = comparable(order)
        nodes = [Node(folder.name, dict(folder.manifest.people)) for folder in folders]
        comparison = Comparison(nodes, counted_build(folders[0].manifest.rules))
        for part in contig_parts(folders, rows):
            comparison.take(*part)
        # each site of chr1 has a test of alleles and, where people are missing, one of call rates; X and Y have one
        assert (comparison.variants, comparison.tests) == (len(SITES) + 2, len(SITES) + 3)
        lists.append(comparison.discordant().select("pos", "node_discordant", "highest_AF_node").rows())
    assert lists[0] == lists[1]
    assert len(lists[0]) == 2


def test_one_summary_or_the_same_twice_is_refused(tessera: Tessera, summaries: list[Path], tmp_path: Path) -> None:
    for words, said in (([summaries[0]], "one summary"), ([summaries[0]] * 2, "the same summary twice")):
        done = tessera("compare-nodes", *words, "--out", tmp_path / "list.tsv")
        assert (done.code, said in done.err) == (2, True)
    assert not (tmp_path / "list.tsv").exists()
