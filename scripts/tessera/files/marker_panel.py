"""Panels of VerifyBamID2 and the bases that reads have at their markers."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pysam

from tessera.errors import InputError, Problem, all_at_once, refuse
from tessera.files.fasta import Reference
from tessera.files.paths import refuse_unlike_file
from tessera.genome.build import other_name

#: markers with their alleles, mean genotypes, and loadings of the principal components; a line each, in one order
PANEL_FILES = ("bed", "mu", "UD")
#: reads that are not asked: not aligned, secondary, failed by the instrument, duplicates
NOT_ASKED = 0x4 | 0x100 | 0x200 | 0x400
DEEPEST = 100_000
_EXPECTED = "a panel of VerifyBamID2: PANEL.bed, PANEL.mu and PANEL.UD"


@dataclass(frozen=True)
class Markers:
    """m SNVs: `contig`, `pos` (1-based), `ref` and `alt`."""

    contig: tuple[str, ...]
    pos: npt.NDArray[np.int64]
    ref: tuple[str, ...]
    alt: tuple[str, ...]

    def spelt_like(self, contigs: Container[str]) -> dict[tuple[str, int], tuple[int, str, str]]:
        """(contig, pos) -> number, REF and ALT; contigs spelt as in `contigs`, `chr1` and `1` being one."""
        names = [name if name in contigs else other_name(name) for name in self.contig]
        places = zip(names, self.pos.tolist(), strict=True)
        return {place: (at, self.ref[at], self.alt[at]) for at, place in enumerate(places)}


@dataclass(frozen=True)
class MarkerPanel(Markers):
    """Markers with the `mean` (m,) genotype and `loadings` (m, k) of the principal components."""

    mean: npt.NDArray[np.float64]
    loadings: npt.NDArray[np.float64]


def panel_files(prefix: Path) -> dict[str, Path]:
    """The files of a panel, by what ends their names."""
    return {part: Path(f"{prefix}.{part}") for part in PANEL_FILES}


def read_markers(path: Path) -> Markers:
    """The markers of a BED with REF and ALT. Raises InputError for the first line of another shape."""
    refuse_unlike_file(path, "markers (BED with REF and ALT)")
    rows = [line.split() for line in path.read_text(errors="replace").splitlines()]
    if not rows:
        raise refuse(str(path), "an empty file", "markers (BED with REF and ALT)")
    _refuse_odd_line(str(path), "bed", rows, 0)
    return _markers(rows)


def _markers(bed: list[list[str]]) -> Markers:
    return Markers(
        contig=tuple(row[0] for row in bed),
        pos=np.array([int(row[2]) for row in bed], np.int64),
        ref=tuple(row[3].upper() for row in bed),
        alt=tuple(row[4].upper() for row in bed),
    )


def read_panel(prefix: Path, components: int) -> MarkerPanel:
    """The panel of the files `prefix`.bed, .mu and .UD, with its first principal components.

    Raises InputError with every file that is missing, is of another shape or has another number of markers.
    """
    tables = {}
    with all_at_once() as gathered:
        for part, path in panel_files(prefix).items():
            with gathered.trying():
                refuse_unlike_file(path, _EXPECTED)
                tables[part] = [line.split() for line in path.read_text(errors="replace").splitlines()]
    lengths = {part: len(rows) for part, rows in tables.items()}
    if len(set(lengths.values())) > 1 or not lengths["bed"]:
        said = ", ".join(f"{number:,} in .{part}" for part, number in lengths.items())
        raise refuse(str(prefix), f"{said}", f"{_EXPECTED}, with a line for each marker")
    with all_at_once() as gathered:
        for part, rows in tables.items():
            with gathered.trying():
                _refuse_odd_line(f"{prefix}.{part}", part, rows, components)
    return MarkerPanel(
        **vars(_markers(tables["bed"])),
        mean=np.array([float(row[1]) for row in tables["mu"]]),
        loadings=np.array([[float(cell) for cell in row[:components]] for row in tables["UD"]]),
    )


def _refuse_odd_line(path: str, part: str, rows: list[list[str]], components: int) -> None:
    expected = {
        "bed": "contig, start, end, REF and ALT, one base each",
        "mu": "a marker and its mean genotype, from 0 to 2",
        "UD": f"at least {components} numbers",
    }[part]
    for number, row in enumerate(rows, start=1):
        if not _fits(part, row, components):
            raise refuse(f"{path} line {number}", repr(" ".join(row)[:60]), expected)


def _fits(part: str, row: list[str], components: int) -> bool:
    try:
        if part == "bed":
            alleles = {row[3].upper(), row[4].upper()}
            return int(row[2]) == int(row[1]) + 1 > 0 and len(alleles) == 2 and alleles <= set("ACGT")
        if part == "mu":
            return 0 <= float(row[1]) <= 2
        return len(row) >= components and all(np.isfinite(float(cell)) for cell in row[:components])
    except (IndexError, ValueError):
        return False


def marker_bases(
    alignments: Path, reference: Reference, panel: MarkerPanel, *, lowest: int, qualities: int
) -> npt.NDArray[np.int64]:
    """(m, 2, qualities) bases that are REF and ALT at each marker, by quality from `lowest` on.

    Mates that overlap count once. Markers on contigs that the reference lacks have none; `chr1` and `1` are one contig.
    Raises InputError when the file has no index, or the reference another base than REF: the panel is of another build.
    """
    found = np.zeros((len(panel.pos), 2, qualities), np.int64)
    names = [name if name in reference.lengths else other_name(name) for name in panel.contig]
    asked = [at for at, name in enumerate(names) if name in reference.lengths]
    _refuse_other_build(reference, panel, [(at, names[at]) for at in asked])
    with pysam.AlignmentFile(str(alignments), reference_filename=str(reference.path)) as file:
        if asked and not file.has_index():
            raise refuse(str(alignments), "no index", "an index beside it", "Make it: samtools index.")
        for at in asked:
            if names[at] in file.references:
                _add_bases(found[at], file, names[at], panel, at, lowest)
    return found


def _add_bases(
    found: npt.NDArray[np.int64], file: pysam.AlignmentFile, contig: str, panel: MarkerPanel, at: int, lowest: int
) -> None:
    start = int(panel.pos[at]) - 1
    columns = file.pileup(  # type: ignore[call-arg]  # pysam's stubs lack multiple_iterators
        contig, start, start + 1, truncate=True, stepper="all", flag_filter=NOT_ASKED, ignore_orphans=False,
        min_base_quality=lowest, max_depth=DEEPEST,
        multiple_iterators=False,
    )  # fmt: skip
    alleles = {panel.ref[at]: 0, panel.alt[at]: 1}
    for column in columns:
        bases, qualities = column.get_query_sequences(), column.get_query_qualities()
        for base, quality in zip(bases, qualities, strict=True):
            if base.upper() in alleles:
                # agreeing mates have their qualities added up
                found[alleles[base.upper()], min(quality, found.shape[1] - 1)] += 1


def _refuse_other_build(reference: Reference, panel: MarkerPanel, asked: list[tuple[int, str]]) -> None:
    def base(at: int, name: str) -> str:
        return reference.bases(name, int(panel.pos[at]) - 1, int(panel.pos[at])) or "the end of the contig"

    other = [(at, base(at, name)) for at, name in asked if base(at, name) != panel.ref[at]]
    if other:
        at, there = other[0]
        place = f"marker {panel.contig[at]}:{panel.pos[at]:,}"
        said = (
            f"REF is {panel.ref[at]}, and so with {len(other) - 1:,} more" if other[1:] else f"REF is {panel.ref[at]}"
        )
        raise InputError([Problem(place, said, f"{there} as in the reference", "Give the panel of this build.")])
