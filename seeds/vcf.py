"""Writes records and blocks as BGZF-compressed gVCF and cohort VCF text."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from facts import Block, Genotype, Member, Record
from world import World

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

FORMATS = {
    "GT": '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    "AD": '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads of each allele">',
    "DP": '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Reads">',
    "GQ": '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    "MIN_DP": '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="Least depth of the block">',
}
END_LINE = '##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of the block">'
LOW_LINE = '##FILTER=<ID=LowQual,Description="Low quality">'
NON_REF_LINE = '##ALT=<ID=NON_REF,Description="Any allele that is not listed">'


def write_bgzf(path: Path, text: str) -> None:
    """Blocked gzip (SAM specification, section 4.1), without a clock in it."""
    data = text.encode()
    with path.open("wb") as out:
        for start in range(0, len(data), 0xFF00):
            out.write(bgzf_block(data[start : start + 0xFF00]))
        out.write(BGZF_END)


def bgzf_block(data: bytes) -> bytes:
    """One block: gzip member with its own size in the BC field."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + 25)
    return head + body + struct.pack("<II", zlib.crc32(data), len(data))


def header(world: World, extra: list[str], formats: list[str], samples: list[str]) -> str:
    """VCF 4.2 header with contigs and the FORMAT fields in use."""
    lines = ["##fileformat=VCFv4.2", *extra, LOW_LINE, *(FORMATS[f] for f in formats)]
    lines += [f"##contig=<ID={c.name},length={c.length}>" for c in world.contigs]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    return "\n".join([*lines, "\t".join(columns)]) + "\n"


def gt_text(gt: Genotype) -> str:
    """0/1, ./1, 1; a person without the contig gets ./."""
    return "/".join("." if a is None else str(a) for a in gt) if gt else "./."


def value(number: int | None) -> str:
    """A number, or a dot."""
    return "." if number is None else str(number)


def write_gvcf(world: World, member: Member, sequences: dict[str, str], path: Path) -> None:
    """One person's records and blocks in genome order, GATK's way: `<NON_REF>` is the last ALT everywhere."""
    order = {c.name: i for i, c in enumerate(world.contigs)}
    lines = [(order[r.contig], r.pos, record_line(r)) for r in member.records]
    lines += [(order[b.contig], b.start + 1, block_line(b, sequences)) for b in member.blocks]
    formats = ["GT", "AD", "DP", "GQ", "MIN_DP"]
    text = header(world, [NON_REF_LINE, END_LINE], formats, [member.sample])
    write_bgzf(path, text + "".join(line for _, _, line in sorted(lines)))


def record_line(record: Record) -> str:
    """A variant record of a gVCF."""
    alts = ",".join([*record.alts, "<NON_REF>"])
    ad = ",".join(str(n) for n in [*record.ad, 0])
    sample = f"{gt_text(record.gt)}:{ad}:{value(record.dp)}:{value(record.gq)}"
    cells = (record.contig, record.pos, ".", record.ref, alts, 500, record.filter, ".", "GT:AD:DP:GQ", sample)
    return "\t".join(str(cell) for cell in cells) + "\n"


def block_line(block: Block, sequences: dict[str, str]) -> str:
    """A reference block of a gVCF."""
    ref = sequences[block.contig][block.start]
    sample = f"{gt_text(block.gt)}:{block.dp}:{block.gq}:{block.min_dp}"
    info = f"END={block.end}"
    cells = (block.contig, block.start + 1, ".", ref, "<NON_REF>", ".", ".", info, "GT:DP:GQ:MIN_DP", sample)
    return "\t".join(str(cell) for cell in cells) + "\n"


def write_cohort(world: World, members: list[Member], path: Path) -> None:
    """All people's records side by side; every member has the same records in the same order."""
    order = {c.name: i for i, c in enumerate(world.contigs)}
    rows = members[0].records
    lines = []
    for i, record in enumerate(rows):
        alts = ",".join(record.alts)
        cells = [record.contig, record.pos, ".", record.ref, alts, 500, record.filter, ".", "GT:AD:DP:GQ"]
        cells += [sample_text(member.records[i]) for member in members]
        lines.append((order[record.contig], record.pos, i, "\t".join(str(c) for c in cells) + "\n"))
    text = header(world, [], ["GT", "AD", "DP", "GQ"], [m.sample for m in members])
    write_bgzf(path, text + "".join(line[-1] for line in sorted(lines)))


def sample_text(record: Record) -> str:
    """GT:AD:DP:GQ of one person; a person who lacks the contig has nothing."""
    if not record.gt:
        return "./.:.:.:."
    ad = ",".join(str(n) for n in record.ad)
    return f"{gt_text(record.gt)}:{ad}:{value(record.dp)}:{value(record.gq)}"
