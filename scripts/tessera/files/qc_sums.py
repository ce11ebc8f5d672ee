"""The QC sums of a summary on disk: one JSON file, there where something was measured of somebody."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tessera.errors import InputError, Problem
from tessera.schemas.qc_sums import QC_SUMS, QC_SUMS_VERSION
from tessera.summary.qc_sums import QcSums, as_document, odd_qc_sums, of_document


def write_qc_sums(folder: Path, sums: QcSums) -> None:
    """Write the sums into the folder of a summary; none make no file."""
    if sums:
        (folder / QC_SUMS).write_text(_text(sums))


def judged_qc_sums(folder: Path, people: Mapping[str, int]) -> tuple[QcSums, list[str]]:
    """The sums of a summary's folder, and sentences about what is wrong with them.

    The file holds nothing beside the sums: written again, they are its bytes.
    """
    odd = f"{QC_SUMS} is not written as tessera count writes it: there may be more in it than sums"
    version = f"{QC_SUMS} is of another version than {QC_SUMS_VERSION}, which this version of tessera reads"
    if not (folder / QC_SUMS).is_file():
        return {}, []
    content = (folder / QC_SUMS).read_bytes()
    try:
        document = json.loads(content)
        if document["schema"] != QC_SUMS_VERSION:
            return {}, [version]
        sums = of_document(document)
        wrong = list(odd_qc_sums(sums, people))
        return sums, wrong or ([] if sums and _text(sums).encode() == content else [odd])
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return {}, [odd]


def read_qc_sums(folder: Path, members: Mapping[str, str], people: Mapping[str, int]) -> QcSums:
    """The sums of a summary. Raises InputError when the file is not the one that the manifest names, or is wrong."""
    if QC_SUMS not in members:
        return {}
    path = folder / QC_SUMS
    wrong = ["not the file the manifest names (sha256 differs)"]
    sums: QcSums = {}
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == members[QC_SUMS]:
        sums, wrong = judged_qc_sums(folder, people)
    if wrong:
        expected, remedy = "the summary as it was written", "Ask for it again; tessera verify tells more."
        raise InputError([Problem(str(path), sentence, expected, remedy) for sentence in wrong])
    return sums


def _text(sums: QcSums) -> str:
    return json.dumps(as_document(sums), indent=1, ensure_ascii=True) + "\n"
