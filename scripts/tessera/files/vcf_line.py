"""One line of a VCF as a Record, for lines that the compiled engine leaves to others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tessera.files.vcf import ABSENT, MISSING, Record, upper
from tessera.genome.alleles import NON_REF


def parse_line(line: str, columns: npt.NDArray[np.intp]) -> Record:
    """The record of a line that breaks no rule (files/vcf_check), for the samples in `columns` (0 is the first)."""
    contig, pos, _, ref, alt, _, filters, info, keys, *samples = line.rstrip("\r\n").split("\t")
    alts = [] if alt == "." else [upper(one) for one in alt.split(",")]
    end = int(pos) - 1 + len(ref)
    if all(one in NON_REF for one in alts):
        told = dict(field.partition("=")[::2] for field in info.split(";")).get("END")
        end = max(end, int(told or 0))
    found = [dict(zip(keys.split(":"), samples[column].split(":"), strict=False)) for column in columns]
    fields = keys.split(":")
    return Record(
        contig=contig, pos=int(pos), end=end, ref=ref.upper(), alts=alts, passes_filter=filters in ("PASS", "."),
        gt=np.array([_alleles(sample["GT"]) for sample in found], np.int16).reshape(-1, 2),
        gq=_numbers(found, "GQ", fields), dp=_numbers(found, "DP", fields), min_dp=_numbers(found, "MIN_DP", fields),
        ad=_reads(found, 1 + len(alts)) if "AD" in fields else None,
    )  # fmt: skip


def _alleles(genotype: str) -> tuple[int, int]:
    alleles = [MISSING if one == "." else int(one) for one in genotype.lstrip("/|").replace("|", "/").split("/")]
    return alleles[0], alleles[1] if len(alleles) > 1 else ABSENT


def _numbers(samples: Sequence[dict[str, str]], name: str, fields: Sequence[str]) -> npt.NDArray[Any] | None:
    if name not in fields:
        return None
    texts = [sample.get(name, ".") for sample in samples]
    if all(text == "." or text.isdigit() for text in texts):
        return np.array([MISSING if text == "." else int(text) for text in texts], np.int64)
    return np.array([float("nan") if text == "." else float(text) for text in texts])


def _reads(samples: Sequence[dict[str, str]], alleles: int) -> npt.NDArray[np.int64]:
    table = np.full((len(samples), alleles), MISSING, np.int64)
    for row, sample in zip(table, samples, strict=True):
        for at, text in enumerate(sample.get("AD", ".").split(",")):
            if text != ".":
                row[at] = int(text)
    return table
