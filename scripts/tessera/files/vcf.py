"""Reading VCF and BCF: records with their genotypes as small arrays, and clear words when a file is broken."""

import re
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cyvcf2 import VCF

from tessera.errors import refuse
from tessera.files.inflated import BGZF_END
from tessera.files.paths import refuse_unlike_file
from tessera.files.vcf_header import entries_of
from tessera.files.vcf_lines import judged_lines, read_text_header
from tessera.genome.alleles import NON_REF

MISSING, ABSENT = -1, -2
#: genotypes, and records, that are read at most to tell what a file is
GVCF_PEEK, GVCF_PEEK_RECORDS = 500_000, 2000


@dataclass(slots=True)
class Record:
    """One line of a VCF for the samples asked for (n samples, R alleles).

    `pos` is 1-based, [pos - 1, end) the reference bases it speaks of; `gt` is (n, 2) allele numbers with
    MISSING for `.` and ABSENT for the second allele of a haploid call; `gq`, `dp`, `min_dp` are (n,) and
    `ad` (n, R), or None when the record does not carry the field.
    """

    contig: str
    pos: int
    end: int
    ref: str
    alts: list[str]
    passes_filter: bool
    gt: npt.NDArray[np.int16]
    gq: npt.NDArray[Any] | None
    dp: npt.NDArray[Any] | None
    min_dp: npt.NDArray[Any] | None
    ad: npt.NDArray[Any] | None

    @property
    def is_reference(self) -> bool:
        """True for a reference block or monomorphic record: no allele but the reference is at stake."""
        return all(alt in NON_REF for alt in self.alts)

    @property
    def genotypes(self) -> "Record":
        """The same without another field of the samples."""
        return replace(self, gq=None, dp=None, min_dp=None, ad=None)


class VariantFile:
    """A VCF (plain, gzip, BGZF) or BCF; nothing is trusted before it is looked at.

    With `genotypes_only` it is read as if GT were its only FORMAT field.
    """

    def __init__(self, path: Path, *, genotypes_only: bool = False) -> None:
        _refuse_broken_container(path)
        self.path, self.genotypes_only = path, genotypes_only
        #: the header as text; None in a BCF
        self.text_header = read_text_header(path)
        header = self._open(None)
        raw = header.raw_header
        self.samples: list[str] = list(header.samples)
        declared = frozenset(_declared(raw, "FORMAT"))
        self.formats = declared & {"GT"} if genotypes_only else declared
        contigs = _declared(raw, "contig")
        #: contig -> bases, where the header tells
        self.contig_lengths = {name: _whole(said.get("length", "")) for name, said in contigs.items()}
        #: contig -> MD5 of its sequence, of those that tell
        self.contig_md5s = {name: said["md5"].lower() for name, said in contigs.items() if "md5" in said}
        header.close()

    def __reduce__(self) -> tuple[Callable[..., "VariantFile"], tuple[Path]]:
        """It travels to another process by its path."""
        return partial(VariantFile, genotypes_only=self.genotypes_only), (self.path,)

    def is_gvcf(self) -> bool:
        """Whether reference records answer for the bases without variants; judged by the first records.

        They do when they name `<NON_REF>` or `<*>`, or have an END: a record that merely lost its ALTs does not.
        """
        records = min(GVCF_PEEK_RECORDS, 1 + GVCF_PEEK // max(1, len(self.samples)))
        try:
            return any(
                all(alt in NON_REF for alt in site.ALT) and (site.ALT or site.INFO.get("END") is not None)
                for site in islice(self._open([]), records)
            )
        except UnicodeDecodeError:
            raise
        except Exception as error:  # cyvcf2 raises plain Exception for htslib's read errors
            for _ in judged_lines(self.path):  # says which rule the line breaks
                pass
            raise self._unreadable("the header") from error

    def records(self, samples: Sequence[str] | None = None) -> Iterator[Record]:
        """All records in file order, for `samples` (in file order) or for all.

        Raises InputError, naming the record before it, when a line cannot be read, has no GT, or has a
        genotype of more than two alleles.
        """
        return self._records(self._open(samples))

    def variant_records(self, samples: Sequence[str]) -> Iterator[Record]:
        """The same without reference records, which are passed over unread: a gVCF has little else."""
        return self._records(self._open(samples), wanted=lambda site: not all(alt in NON_REF for alt in site.ALT))

    def records_over(self, samples: Sequence[str], places: Iterable[tuple[str, int]]) -> Iterator[Record]:
        """The records that speak of one of these places, (contig, pos); the others are passed over unread."""
        by_contig: dict[str, list[int]] = {}
        for contig, pos in sorted(places):
            by_contig.setdefault(contig, []).append(pos)

        def wanted(site: Any) -> bool:
            here = by_contig.get(site.CHROM, [])
            at = bisect_left(here, site.POS)
            return at < len(here) and here[at] <= site.end

        return self._records(self._open(samples), wanted=wanted)

    def records_in(self, bcf: bytes, samples: Sequence[str]) -> Iterator[Record]:
        """The records of a part of this file, given as the bytes of a BCF, header included; as `records` gives them."""
        with tempfile.NamedTemporaryFile(suffix=".bcf") as part:
            part.write(bcf)
            part.flush()
            yield from self._records(VCF(part.name, samples=list(samples)))

    def _records(self, vcf: Any, *, wanted: Callable[[Any], bool] | None = None) -> Iterator[Record]:
        at = "the header"
        lines = iter(vcf)
        while True:
            try:
                variant = next(lines, None)
            except Exception as error:  # cyvcf2 raises plain Exception for htslib's read errors
                raise self._unreadable(at) from error
            if variant is None:
                return
            if wanted and not wanted(variant):
                continue
            at = f"{variant.CHROM}:{variant.POS}"
            yield self._record(variant, at)

    def checked_records(self, samples: Sequence[str]) -> Iterator[Record]:
        """The same as `records`, each line of a text judged first by every rule a count depends on."""
        lines = judged_lines(self.path)
        for record in self.records(samples):
            next(lines, None)
            yield record
        for _ in lines:
            pass

    def _open(self, samples: Sequence[str] | None) -> Any:
        try:
            return VCF(str(self.path), samples=None if samples is None else list(samples))
        except Exception as error:  # cyvcf2 raises OSError or plain Exception
            raise refuse(str(self.path), "not readable as VCF or BCF", "a VCF (plain or BGZF) or BCF") from error

    def _unreadable(self, at: str) -> Exception:
        found, remedy = f"unreadable record after {at}", "The file is truncated or damaged: copy or make it again."
        return refuse(str(self.path), found, "a complete VCF or BCF", remedy)

    def _record(self, variant: Any, at: str) -> Record:
        try:
            alleles = variant.genotype.array()[:, :-1]
        except Exception as error:  # cyvcf2 raises plain Exception, or gives None in a file without samples
            raise refuse(f"{self.path} {at}", "no GT in FORMAT", "a genotype (GT) in every record") from error
        if alleles.shape[1] > 2 and (alleles[:, 2:] != ABSENT).any():
            raise refuse(
                f"{self.path} {at}",
                "a genotype of more than two alleles",
                "haploid or diploid genotypes",
                "Call again with ploidy 1 or 2; polyploid genotypes are not counted.",
            )
        gt = np.full((alleles.shape[0], 2), ABSENT, dtype=np.int16)
        gt[:, : min(2, alleles.shape[1])] = alleles[:, :2]
        ref, alts = variant.REF, variant.ALT
        # of a text the line is judged, byte by byte
        if self.text_header is None and ((gt > len(alts)).any() or (gt < ABSENT).any()):
            raise refuse(f"{self.path} {at}", "a genotype of an allele that it does not have", "alleles of REF and ALT")
        end = variant.POS - 1 + len(ref)
        if all(alt in NON_REF for alt in alts):
            end = max(end, self._end(variant, at))
        fields = ["GT"] if self.genotypes_only else variant.FORMAT
        return Record(
            contig=variant.CHROM,
            pos=variant.POS,
            end=end,
            ref=ref.upper(),
            alts=[upper(alt) for alt in alts],
            passes_filter=variant.FILTER is None,
            gt=gt,
            gq=_scalar(variant, "GQ", fields),
            dp=_scalar(variant, "DP", fields),
            min_dp=_scalar(variant, "MIN_DP", fields),
            ad=variant.format("AD") if "AD" in fields else None,
        )

    def _end(self, variant: Any, at: str) -> int:
        """INFO/END, or 0; text when the header does not declare it."""
        found = variant.INFO.get("END") or 0
        if not str(found).isdigit():
            raise refuse(f"{self.path} {at}", f"INFO/END is {found}", "a position")
        return int(found)


def _scalar(variant: Any, field: str, fields: Sequence[str]) -> npt.NDArray[Any] | None:
    if field not in fields:
        return None
    values = variant.format(field)
    return None if values is None or values.dtype.kind not in "if" else values[:, 0]


def upper(allele: str) -> str:
    """Upper case, for an allele that is written in bases."""
    return allele.upper() if allele.isalpha() else allele


def _declared(raw_header: str, kind: str) -> dict[str, dict[str, str]]:
    """What a VCF header declares of a kind, by ID, and what each line says of it by key."""
    lines = (entries_of(body)[0] for body in re.findall(rf"##{kind}=<(.*)>", raw_header))
    return {said.get("ID", ""): said for said in lines}


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _refuse_broken_container(path: Path) -> None:
    """A missing or empty file, or a BGZF without its end-of-file block (SAM specification, section 4.1.2)."""
    refuse_unlike_file(path, "a VCF (plain or BGZF) or BCF")
    with path.open("rb") as handle:
        head = handle.read(18)
        if not head:
            raise refuse(str(path), "an empty file", "a VCF (plain or BGZF) or BCF")
        if head[:4] != b"\x1f\x8b\x08\x04" or head[12:14] != b"BC":
            return
        handle.seek(-min(len(BGZF_END), path.stat().st_size), 2)
        if handle.read() != BGZF_END:
            raise refuse(
                str(path),
                "a truncated BGZF: its end-of-file block is missing",
                "a complete file",
                "The copy or the job that wrote it was cut short: copy or make it again.",
            )
