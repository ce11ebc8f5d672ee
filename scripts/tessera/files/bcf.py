"""The header of a BCF: its dictionaries of contigs and strings (BCF2, section 6.2.1)."""

import re
import struct
from dataclasses import dataclass

from tessera.files.vcf_header import entries_of

LINE = re.compile(r"##(contig|FILTER|INFO|FORMAT)=<(.*)>")


@dataclass(frozen=True)
class BcfHeader:
    """`contigs` number -> name, `strings` name of a FILTER, INFO or FORMAT -> number."""

    contigs: dict[int, str]
    strings: dict[str, int]


def read_bcf_header(data: bytes) -> tuple[BcfHeader, int] | None:
    """The header at the start of `data` and where the first record begins; None when more bytes are needed."""
    if len(data) < 9:
        return None
    (length,) = struct.unpack_from("<I", data, 5)
    if len(data) < 9 + length:
        return None
    text = data[9 : 9 + length].rstrip(b"\0").decode("utf-8", "surrogateescape")
    contigs: dict[int, str] = {}
    strings = {"PASS": 0}
    for kind, fields in LINE.findall(text):
        said, _ = entries_of(fields)
        name, told = said.get("ID"), said.get("IDX", "")
        if name is None:
            continue
        if kind == "contig":
            contigs[int(told) if told.isdigit() else len(contigs)] = name
        elif name not in strings:
            strings[name] = int(told) if told.isdigit() else max(strings.values()) + 1
    return BcfHeader(contigs, strings), 9 + length
