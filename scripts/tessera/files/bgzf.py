"""Writing BGZF-compressed, indexed VCF text."""

from collections.abc import Iterable
from pathlib import Path

import pysam

from tessera.files.atomic import written_aside


def write_indexed_vcf(path: Path, lines: Iterable[str]) -> None:
    """Write lines (sorted, without line ends) as .vcf.gz with its .tbi; the index first, so both are whole."""
    index = path.with_name(f"{path.name}.tbi")
    with written_aside(path) as aside:
        with pysam.BGZFile(str(aside), "wb", None) as file:
            for line in lines:
                file.write(f"{line}\n".encode())
        with written_aside(index) as aside_index:
            pysam.tabix_index(str(aside), preset="vcf", force=True, index=str(aside_index))
