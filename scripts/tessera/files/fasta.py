"""A reference FASTA: bases by position, and the digests of its sequences and of what is counted on it."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tessera.errors import InputError, Problem, refuse
from tessera.files.builds import spelt_as
from tessera.files.inflated import is_compressed
from tessera.files.paths import refuse_unlike_file
from tessera.files.recorded import unchanged
from tessera.files.reference_digests import kept_digests, write_digests
from tessera.genome.build import Build, Contig
from tessera.genome.digests import refget

#: bases held, few enough for the processor's cache, and how many of them before what was asked for: alleles are aligned
#: to the left
WINDOW, BEFORE = 1 << 19, 1 << 15
#: what a letter and its capital have in common, and nothing else with any of them
UPPER = np.uint8(0xDF)
LINE_END = np.frombuffer(b"\r\n", np.uint8)


class Reference:
    """An indexed FASTA, read window by window so that memory does not grow with the contig."""

    def __init__(self, path: Path) -> None:
        import pysam  # loads for longer than a small file is counted

        refuse_unlike_file(path, "a reference FASTA", "Give --reference, or reference: in the config.")
        try:
            self._fasta = pysam.FastaFile(str(path))
            self.lengths = dict(zip(self._fasta.references, self._fasta.lengths, strict=True))
            if min(self.lengths.values(), default=0) < 1:
                raise ValueError("an index of no contig, or of one without bases")
        except (OSError, ValueError) as error:  # a name that is not UTF-8 is a ValueError
            raise refuse(
                str(path),
                f"not readable as an indexed FASTA ({error})",
                "FASTA, plain or BGZF, with .fai",
                f"Run: samtools faidx {path}",
            ) from error
        self.path = path
        #: contig -> offset of its first base, bases of a line, and bytes of a line
        self._lines = {} if is_compressed(path) else _lines(path)
        self._contig, self._start, self._window = "", 0, ""
        self._digests = kept_digests(path)

    def __reduce__(self) -> tuple[type["Reference"], tuple[Path]]:
        """It travels to another process by its path."""
        return Reference, (self.path,)

    def bases(self, contig: str, start: int, end: int) -> str:
        """Bases of [start, end), 0-based, upper case; shorter where the contig ends.

        Raises InputError for a contig that the FASTA does not hold.
        """
        if contig != self._contig or start < self._start or end > self._start + len(self._window):
            if contig not in self.lengths:
                raise refuse(str(self.path), f"no contig {contig}", "every contig the input has records on",
                             "Give the reference the file was made on.")  # fmt: skip
            self._contig, self._start = contig, max(0, start - BEFORE)
            stop = max(end, start + WINDOW)
            self._window = self._fetch(contig, self._start, min(stop, self.lengths[contig]))
        return self._window[start - self._start : end - self._start]

    def letters(self, contig: str, start: int, end: int) -> npt.NDArray[np.uint8]:
        """The same as `bases` as they stand in the file, in either case: to compare them to letters, which is fast.

        Raises InputError where there are fewer; that all are bases is not looked at.
        """
        try:
            found = self._letters(contig, start, end)
        except (OSError, ValueError, KeyError, ZeroDivisionError):
            found = np.empty(0, np.uint8)
        # what was asked of the wrong contig, or of a file that is not what its index says, is refused by `bases`
        return found if len(found) == end - start else np.frombuffer(self.bases(contig, start, end).encode(), np.uint8)

    def known_bases(self, contig: str) -> int:
        """Bases of a contig that are not N."""
        windows = (self.bases(contig, start, start + WINDOW) for start in range(0, self.lengths[contig], WINDOW))
        return sum(len(window) - window.count("N") for window in windows)

    def spelling(self, build: Build) -> Build:
        """The build in this FASTA's spelling of contigs; those spelt otherwise than in the build by their sequences.

        Raises InputError for a sequence that is not proven to be the contig's, for contigs of other lengths than the
        build's, and for a FASTA that has none of them.
        """
        fitted = spelt_as(build, self.lengths, str(self.path), self._why_another)
        self._check_against(fitted)
        return fitted

    def _why_another(self, name: str, contig: Contig) -> str:
        if not contig.digests:
            return f"the build has no digest of {contig.name}"
        if self.refget(name) in contig.digests or self.md5(name) in contig.digests:
            return ""
        return f"its sequence has the digests {self.refget(name)} and {self.md5(name)}"

    def _check_against(self, build: Build) -> None:
        counted = [contig for contig in build.contigs if contig.name in self.lengths]
        problems = [
            Problem(
                f"{self.path} contig {contig.name}",
                f"{self.lengths[contig.name]:,} bases",
                f"{contig.length:,} as in build {build.name}",
                "Give the FASTA of this build, or the build of this FASTA (--build).",
            )
            for contig in counted
            if self.lengths[contig.name] != contig.length
        ]
        if not counted:
            problems = [Problem(str(self.path), "none of the build's contigs", f"contigs of build {build.name}")]
        if problems:
            raise InputError(problems)

    def sequences(self, build: Build) -> list[str | None]:
        """The refget identifiers of the counted contigs, in the build's order; None for one that is not there."""
        return [self.refget(contig.name) if contig.name in self.lengths else None for contig in build.contigs]

    def refget(self, contig: str) -> str:
        """GA4GH refget identifier of a contig's bases."""
        if (contig, "refget") not in self._digests:
            self._digests[contig, "refget"] = refget(self._pieces(contig))
        return self._digests[contig, "refget"]

    def md5(self, contig: str) -> str:
        """MD5 of a contig's bases in upper case, as M5 states it (SAM specification, section 1.3, @SQ)."""
        if (contig, "md5") not in self._digests:
            digest = hashlib.md5(usedforsecurity=False)
            for piece in self._pieces(contig):
                digest.update(piece)
            self._digests[contig, "md5"] = digest.hexdigest()
        return self._digests[contig, "md5"]

    def keep_digests(self) -> None:
        """Hash every sequence, and keep the digests beside the FASTA."""
        self._digests.clear()
        with unchanged([self.path]):
            for contig in self.lengths:
                self.refget(contig)
                self.md5(contig)
        write_digests(self.path, self._digests)

    def _pieces(self, contig: str) -> Iterator[bytes]:
        """The bases of a contig, piece by piece."""
        length = self.lengths[contig]
        for start in range(0, length, WINDOW):
            yield self._fetch(contig, start, min(start + WINDOW, length)).encode("ascii")

    def _fetch(self, contig: str, start: int, end: int) -> str:
        """Bases in upper case. Raises InputError when the file does not hold what its index says."""
        try:
            found = self._letters(contig, start, end) & UPPER
        except (OSError, ValueError, ZeroDivisionError):  # bytes beyond ASCII and fewer than a line are a ValueError
            found = np.empty(0, np.uint8)
        if len(found) != end - start or found.min(initial=ord("A")) < ord("A") or found.max(initial=0) > ord("Z"):
            raise refuse(
                f"{self.path} {contig}:{start + 1}-{end}", "not the bases that its index (.fai) tells of",
                "a whole FASTA, and the index made from it", f"Copy it again, or run: samtools faidx {self.path}",
            )  # fmt: skip
        return str(found.data, "ascii")

    def _letters(self, contig: str, start: int, end: int) -> npt.NDArray[np.uint8]:
        """What stands for these bases in the file; fewer where it ends, and where no line ends as the index says.

        htslib reads letter by letter, which takes several times as long as whole lines.
        """
        if contig not in self._lines:
            return np.frombuffer(self._fasta.fetch(contig, start, end).encode("ascii"), np.uint8)
        offset, bases, width = self._lines[contig]
        (first, skipped), (last, within) = divmod(start, bases), divmod(end - 1, bases)
        if first == last:
            return np.fromfile(self.path, np.uint8, end - start, offset=offset + first * width + skipped)
        size = (last - first) * width + within + 1
        read = np.fromfile(self.path, np.uint8, size, offset=offset + first * width)
        whole = read[: (last - first) * width].reshape(last - first, width)
        if len(read) != size or not np.isin(whole[:, bases:], LINE_END).all():
            return read[:0]
        return np.concatenate([whole[:, :bases].ravel(), read[len(whole) * width :]])[skipped:]


def _lines(path: Path) -> dict[str, tuple[int, int, int]]:
    """Where the lines of a plain FASTA lie, by its index (.fai, samtools faidx)."""
    rows = [line.split("\t") for line in path.with_name(f"{path.name}.fai").read_text("utf-8").splitlines()]
    return {name: (int(offset), int(bases), int(width)) for name, _, offset, bases, width, *_ in rows}
