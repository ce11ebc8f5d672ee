"""The header of a BCF: its dictionaries of contigs and strings (BCF2, section 6.2.1)."""

import re
import struct
from dataclasses import dataclass

from tessera.files.vcf_header import entries_of

LINE = re.compile(r"##(contig|FILTER|INFO|FORMAT)=<(.*)>")
#: type -> bytes of a value, and how a whole number is read (BCF2, section 6.3.3)
SIZE_OF = {0: 0, 1: 1, 2: 2, 3: 4, 5: 4, 7: 1}
NUMBERS = {1: struct.Struct("<b"), 2: struct.Struct("<h"), 3: struct.Struct("<i")}
FLOATS = 5
#: bytes of the longest head of a field: its key, its type, and a length that has no room there
FIELD_HEAD = 11


@dataclass(frozen=True)
class BcfHeader:
    """`contigs` number -> name, `strings` name of a FILTER, INFO or FORMAT -> number; `numeric` are names of FORMAT
    fields that are declared to hold numbers."""

    contigs: dict[int, str]
    strings: dict[str, int]
    numeric: frozenset[str] = frozenset()


def read_bcf_header(data: bytes) -> tuple[BcfHeader, int] | None:
    """The header at the start of `data` and where the first record begins; None when more bytes are needed."""
    if len(data) < 9:
        return None
    (length,) = struct.unpack_from("<I", data, 5)
    if len(data) < 9 + length:
        return None
    text = data[9 : 9 + length].rstrip(b"\0").decode("utf-8", "surrogateescape")
    contigs: dict[int, str] = {}
    strings, numeric = {"PASS": 0}, set()
    for kind, fields in LINE.findall(text):
        said, _ = entries_of(fields)
        name, told = said.get("ID"), said.get("IDX", "")
        if name is None:
            continue
        if kind == "FORMAT" and said.get("Type") in ("Integer", "Float"):
            numeric.add(name)
        if kind == "contig":
            contigs[int(told) if told.isdigit() else len(contigs)] = name
        elif name not in strings:
            strings[name] = int(told) if told.isdigit() else max(strings.values()) + 1
    return BcfHeader(contigs, strings, frozenset(numeric)), 9 + length


def kinds_of_fields(record: bytes, people: int) -> dict[int, tuple[int, int]]:
    """Keys of the FORMAT fields of a record, with their types and bytes for each person; up to one that is none."""
    shared, *_, fields = struct.unpack_from("<II20xI", record)
    at, found = 8 + shared, dict[int, tuple[int, int]]()
    for _ in range(fields >> 24):
        head = read_field_head(record[at : at + FIELD_HEAD])
        if head is None:
            break
        key, kind, values, size = head
        found[key] = kind, size
        at += values + size * people
    return found


def read_field_head(data: bytes) -> tuple[int, int, int, int] | None:
    """Key and type of the FORMAT field at the start of `data`, where its values begin, and their bytes for each person.

    None when that is not how a field begins (BCF2, section 6.3.3), or it has no end in `data`.
    """
    key = _number(data, 0)
    if key is None or key[1] >= len(data):
        return None
    at = key[1]
    kind, length = data[at] & 15, data[at] >> 4
    values = at + 1
    if length == 15:
        told = _number(data, values)
        if told is None:
            return None
        length, values = told
    return (key[0], kind, values, length * SIZE_OF[kind]) if kind in SIZE_OF and length >= 0 else None


def _number(data: bytes, at: int) -> tuple[int, int] | None:
    """A typed whole number at `at`, and where it ends."""
    if at >= len(data) or data[at] >> 4 != 1:
        return None
    number = NUMBERS.get(data[at] & 15)
    if number is None or at + 1 + number.size > len(data):
        return None
    return int(number.unpack_from(data, at + 1)[0]), at + 1 + number.size
