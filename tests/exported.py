"""What a summary says, worked out cell by cell with plain loops, and the same read back from each export."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from called_runs import called_runs

Place = tuple[str, int, str, str]
#: n_dip, n_hap, n_het, n_homalt, n_hemi, an_unknown
Counts = tuple[int, ...]
STUDY = ("--source", "A study", "--source-reference", "https://example.org/study")


@dataclass(frozen=True)
class Cell:
    """What every export tells of a group of people at a variant; people, not alleles, of each zygosity."""

    ac: int
    an: int
    het: int
    homalt: int
    hemi: int
    af: float | None

    @classmethod
    def of(cls, counts: Sequence[int]) -> Cell:
        """From the numbers of people."""
        dip, hap, het, homalt, hemi = counts[:5]
        ac, an = het + 2 * homalt + hemi, 2 * dip + hap
        return cls(ac, an, het, homalt, hemi, ac / an if an else None)


Told = dict[Place, dict[str, Cell]]


def leaves(summary: Path) -> dict[Place, dict[str, Counts]]:
    """Variant -> leaf stratum -> counts: the stored row, else the run of the AN track in which POS lies, else zeros."""
    manifest = json.loads((summary / "manifest.json").read_text())
    found: dict[Place, dict[str, Counts]] = {}
    for file in sorted((summary / "variants").glob("*.parquet")) if (summary / "variants").is_dir() else []:
        called: dict[tuple[str, int], Counts] = {}
        track = summary / "an_track" / file.name
        for run in called_runs(track).to_dicts() if track.is_file() else []:
            for base in range(run["start"], run["end"]):
                called[run["stratum"], base] = (run["n_dip"], run["n_hap"], 0, 0, 0, run["an_unknown"])
        for row in pq.read_table(file).to_pylist():
            place = (row["contig"], row["pos"], row["ref"], row["alt"])
            found.setdefault(place, {s: called.get((s, row["pos"] - 1), (0,) * 6) for s in manifest["people"]})
        for row in pq.read_table(file).to_pylist():
            counts = tuple(row[n] for n in ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi", "an_unknown"))
            found[row["contig"], row["pos"], row["ref"], row["alt"]][row["stratum"]] = counts
    return found


def summed(of: Mapping[str, Counts], name: str) -> Counts:
    """The counts of a group, named as `EE_F`, `EE`, `F`, or nothing for everybody."""
    inside = [counts for stratum, counts in of.items() if set(name.split("_")) - {""} <= set(stratum.split("_"))]
    return tuple(sum(column) for column in zip(*inside, strict=True))


def names_of(people: Sequence[str], sexes: str) -> list[str]:
    """Every group of leaf strata: everybody, by sex, by population, by both; only those with people."""
    populations = {stratum.split("_")[0] for stratum in people}
    wanted = ["", *sexes, *populations, *(f"{population}_{sex}" for population in populations for sex in sexes)]
    return [n for n in wanted if any(set(n.split("_")) - {""} <= set(s.split("_")) for s in people)]


def expected(
    of: Mapping[Place, Mapping[str, Counts]], sexes: str, *, carried: bool, called: bool, everybody: bool = True
) -> Told:
    """What an export should tell: of variants that somebody carries, of groups in which somebody is called."""
    told: Told = {}
    for place, strata in of.items():
        cells = {name: Cell.of(summed(strata, name)) for name in names_of(list(strata), sexes)}
        if cells[""].ac or not carried:
            kept = {name: cell for name, cell in cells.items() if (cell.an or not called) and (name or everybody)}
            told[place] = kept
    return told


def lines(path: Path) -> list[str]:
    """The lines of a file, compressed or not."""
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode().splitlines()


def info_of(path: Path) -> Iterator[tuple[Place, dict[str, str]]]:
    """Variants of a VCF and their INFO, read without a library."""
    for line in lines(path):
        if not line.startswith("#"):
            contig, pos, _, ref, alt, _, _, info = line.split("\t")
            yield (contig, int(pos), ref, alt), dict(entry.split("=") for entry in info.split(";"))


def _number(text: str) -> float | None:
    return None if text == "." else float(text)


def vcf(path: Path, _: Path) -> Told:
    """The VCF of the Genome of Europe and GDI."""
    told: Told = {}
    for place, info in info_of(path):
        for suffix in (tag.removeprefix("AN") for tag in info if tag.startswith("AN")):
            ac, an, het, hom, hemi = (
                int(info[n])
                for n in (f"AC{suffix}", f"AN{suffix}", *(f"AC{suffix}_{z}" for z in ("Het", "Hom", "Hemi")))
            )
            assert hom % 2 == 0
            cell = Cell(ac, an, het, hom // 2, hemi, _number(info[f"AF{suffix}"]))
            told.setdefault(place, {})[suffix.removeprefix("_")] = cell
    return told


def gnomad(path: Path, _: Path) -> Told:
    """The VCF with gnomAD's names."""
    told: Told = {}
    for place, info in info_of(path):
        for suffix in (tag.removeprefix("AN") for tag in info if tag.startswith("AN") and tag != "AN_grpmax"):
            values = [int(info[f"{n}{suffix}"]) for n in ("AC", "AN", "nhet", "nhomalt", "nhemi")]
            name = suffix.removeprefix("_").replace("XX", "F").replace("XY", "M")
            told.setdefault(place, {})[name] = Cell(*values, _number(info[f"AF{suffix}"]))
    return told


def gdi_parquet(path: Path, summary: Path) -> Told:
    """The Parquet of GDI's nodes, each file by the contig and the ten million bases in its name."""
    build = json.loads((summary / "manifest.json").read_text())["rules"]["build"]
    contig_of = {re.sub("^chr", "", c["name"]).replace("MT", "M"): c["name"] for c in build["contigs"]}
    told: Told = {}
    for file in sorted((path / build["name"]).iterdir()):
        match = re.fullmatch(r"allele-freq-chr(\w+)\.(\d+)\.parquet", file.name)
        assert match, file.name
        rows = pq.read_table(file).to_pylist()
        assert [row["POS"] for row in rows] == sorted(row["POS"] for row in rows)
        for row in rows:
            assert row["POS"] // 10_000_000 == int(match[2])
            assert row["AC_HOM"] % 2 == 0
            place = (contig_of[match[1]], row["POS"] + 1, row["REF"], row["ALT"])
            cell = Cell(row["AC"], row["AN"], row["AC_HET"], row["AC_HOM"] // 2, row["AC_HEMI"], row["AF"])
            assert row["POPULATION"] not in told.get(place, {})
            told.setdefault(place, {})[row["POPULATION"]] = cell
    return told


def sites(path: Path, _: Path) -> Told:
    """The Parquet of sites."""
    told: Told = {}
    for row in pq.read_table(path).to_pylist():
        cells = {}
        for suffix in (column.removeprefix("AN") for column in row if re.match(r"AN(?!_unknown)", column)):
            values = [row[f"{n}{suffix}"] for n in ("AC", "AN", "n_het", "n_homalt", "n_hemi", "AF")]
            assert row[f"AN{suffix}"] == 2 * row[f"n_dip{suffix}"] + row[f"n_hap{suffix}"]
            cells[suffix.removeprefix("_")] = Cell(*values)
        told[row["CHROM"], row["POS"], row["REF"], row["ALT"]] = cells
    return told


def beacon(path: Path, _: Path) -> Told:
    """Beacon's genomicVariations."""
    told: Told = {}
    for document in map(json.loads, lines(path)):
        _, contig, pos, ref, alt = document["variantInternalId"].split(":")
        variation = document["variation"]
        assert (variation["referenceBases"], variation["alternateBases"]) == (ref, alt)
        interval = {end: number["value"] for end, number in variation["location"]["interval"].items() if end != "type"}
        assert interval == {"start": int(pos) - 1, "end": int(pos) - 1 + len(ref)}
        (study,) = document["frequencyInPopulations"]
        cells = {}
        for of in study["frequencies"]:
            hom, het, hemi = (of[f"alleleCount{z}"] for z in ("Homozygous", "Heterozygous", "Hemizygous"))
            assert hom % 2 == 0
            cell = Cell(of["alleleCount"], of["alleleNumber"], het, hom // 2, hemi, of["alleleFrequency"])
            cells[of["population"].replace("Total", "")] = cell
        assert len(cells) == len(study["frequencies"])
        told[contig, int(pos), ref, alt] = cells
    return told


def va_spec(path: Path, summary: Path) -> Told:
    """VA-Spec's study results; which contig is meant is told by the expression of the allele."""
    build = json.loads((summary / "manifest.json").read_text())["rules"]["build"]
    contig_of = {re.sub("^chr", "", c["name"]): c["name"] for c in build["contigs"]}
    told: Told = {}
    for document in map(json.loads, lines(path)):
        allele = document["focusAllele"]
        chromosome, pos, ref, alt = allele["expressions"][0]["value"].split("-")
        cells = dict(_results(document, allele["id"]))
        told[contig_of[chromosome], int(pos), ref, alt] = cells
    return told


def _results(result: dict[str, Any], allele: str) -> Iterator[tuple[str, Cell]]:
    """A result and those of its subcohorts, each by the name of its cohort."""
    focus, people = result["focusAllele"], result["ancillaryResults"]
    assert allele == (focus["id"] if isinstance(focus, dict) else focus)
    values = [result["focusAlleleCount"], result["locusAlleleCount"]]
    values += [people[name] for name in ("heterozygotes", "homozygotes", "hemizygotes")]
    yield result["cohort"]["name"].replace("Total", ""), Cell(*values, result["focusAlleleFrequency"])
    for below in result.get("subCohortFrequency", ()):
        yield from _results(below, allele)


@dataclass(frozen=True)
class Form:
    """An export: file or folder it is written to, how it is read, and which cells it tells."""

    out: str
    read: Callable[[Path, Path], Told]
    sexes: str
    carried: bool = True
    called: bool = False
    everybody: bool = True
    options: tuple[str, ...] = ()
    needs_reference: bool = False

    def expected(self, of: Mapping[Place, Mapping[str, Counts]]) -> Told:
        """What it should tell."""
        how = {"carried": self.carried, "called": self.called, "everybody": self.everybody}
        return expected(of, self.sexes, **how)


FORMS = {
    "vcf": Form("x.vcf.gz", vcf, "FM"),
    "gnomad": Form("x.vcf.gz", gnomad, "FM"),
    "gdi-parquet": Form("x", gdi_parquet, "FM", called=True, everybody=False),
    "sites": Form("x.parquet", sites, "FMU", carried=False),
    "beacon": Form("x.jsonl.gz", beacon, "FMU", called=True, options=STUDY),
    "va-spec": Form("x.ndjson.gz", va_spec, "FMU", called=True, needs_reference=True),
}


def words(form: str, summary: Path, reference: Path, out: Path) -> tuple[object, ...]:
    """The arguments of `tessera` that write an export."""
    more = ("--reference", reference) if FORMS[form].needs_reference else ()
    return ("export", form, summary, *FORMS[form].options, *more, "--out", out)
