"""Sums and differences of summaries on disk, part by part, contigs side by side."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tessera.errors import InputError, Problem, all_at_once, refuse
from tessera.files.atomic import directory_beside
from tessera.files.paths import real_path
from tessera.files.summaries import ROWS_AT_ONCE, SummaryFolder, SummaryWriter, new_summary, refuse_altered
from tessera.summary.algebra import add_up
from tessera.summary.blocks import TABLES
from tessera.summary.columns import Columns
from tessera.summary.lineage import (
    TWICE,
    Lineage,
    Sources,
    joined_sources,
    not_contained,
    overlaps,
    remaining_sources,
)
from tessera.summary.manifest import Manifest, combine_manifests
from tessera.summary.parts import Cursor
from tessera.summary.preflight import Preflight, preflight
from tessera.summary.qc_sums import QcSums, add_qc_sums, odd_qc_sums
from tessera.summary.spelling import commonly_spelt, contig_names

#: Summaries added at a time; more are added in groups first. Bounds memory, does not change the sum.
FAN_IN = 16
#: Alleles of people, above which a table could not hold their number.
MOST_ALLELES = 2**31 - 1
MEASURED_TOO = "Subtract a summary that was counted with the same metrics as the people came in by."


def merge_summaries(
    paths: Sequence[Path], out: Path, workers: int, fan_in: int = FAN_IN, rows: int = ROWS_AT_ONCE
) -> Preflight:
    """Write the sum of summaries to `out`; `rows` of each table are held at a time. Gives what was converted and noted.

    Raises InputError when their rules differ, or one is given twice, be it as a copy.
    """
    found = refuse_unlike(paths, out)
    with directory_beside(out) as folder:
        _combine([(path, 1) for path in _few(paths, folder, workers, fan_in, rows)], out, workers, rows)
    return found


def refuse_unlike(paths: Sequence[Path], out: Path | None) -> Preflight:
    """What a sum of summaries would convert, and what there is to note.

    Raises InputError with everything for which they do not add up, rules and people who would be counted twice alike.
    """
    _refuse_repeated(paths)
    _refuse_within(paths, out)
    folders = _opened(paths)
    found = preflight([folder.manifest for folder in folders], [folder.lineage for folder in folders])
    problems = [*_copies(folders), *overlaps([folder.lineage for folder in folders]), *found.refused]
    if problems:
        raise InputError(problems)
    return found


def comparable(paths: Sequence[Path]) -> list[SummaryFolder]:
    """Summaries whose parts can be laid beside each other, contigs spelt alike. Raises InputError as a merge does."""
    refuse_unlike(paths, None)
    folders = _opened(paths)
    refuse_altered(folders)
    return _commonly_spelt(folders)


def contig_parts(
    folders: Sequence[SummaryFolder], rows: int = ROWS_AT_ONCE
) -> Iterator[tuple[str, list[Columns], list[Columns]]]:
    """Contig, leaf tables and AN tracks of each of some summaries, of the same stretch; about `rows` of each table."""
    each = max(1, rows // len(folders))
    for contig in _stored_contigs(folders):
        cursors = [
            [Cursor(TABLES[name], folder.batches(name, contig, rows=each), each) for folder in folders]
            for name in ("variants", "an_track")
        ]
        while sum(cursor.read_on() for table in cursors for cursor in table):
            cut = min(cursor.complete_to for table in cursors for cursor in table)
            variants, tracks = ([cursor.before(cut) for cursor in table] for table in cursors)
            yield contig, variants, tracks


def subtract_summary(whole: Path, part: Path, out: Path, workers: int, rows: int = ROWS_AT_ONCE) -> None:
    """Write `whole` without `part` to `out`. Raises InputError when rules differ or part is not contained."""
    if real_path(whole) == real_path(part):
        remedy = "Nobody would be left; tessera merge without summaries writes the summary of nobody."
        raise refuse(str(part), "the summary itself from which it is to be taken", "a part of it", remedy)
    _refuse_within([whole, part], out)
    _combine([(whole, 1), (part, -1)], out, workers, rows)


@contextmanager
def sum_of_parts(
    added: Sequence[Path],
    taken: Sequence[Path],
    out: Path,
    workers: int,
    fan_in: int = FAN_IN,
    rows: int = ROWS_AT_ONCE,
) -> Iterator[str]:
    """Yield the digest of the sum of `added` without `taken`; it appears at `out` when the block ends, unless it fails.

    Two parts may be alike to the byte: a person who was taken out and came in again. Raises InputError when rules
    differ or what is taken is not contained.
    """
    with directory_beside(out) as folder, new_summary(out) as writer:
        terms = [(path, 1) for path in _few(added, folder / "added", workers, fan_in, rows)]
        terms += [(path, -1) for path in _few(taken, folder / "taken", workers, fan_in, rows)]
        yield _write_sum(terms, writer, workers, rows)


def _few(paths: Sequence[Path], folder: Path, workers: int, fan_in: int, rows: int) -> Sequence[Path]:
    """Summaries with the same sum, at most `fan_in`: these, or sums of groups of them that are written to `folder`."""
    level = list(paths)
    while len(level) > fan_in:
        groups = [level[i : i + fan_in] for i in range(0, len(level), fan_in)]
        level = [folder / f"{len(level)}-{number}" for number in range(len(groups))]
        for group, part in zip(groups, level, strict=True):
            _combine([(path, 1) for path in group], part, workers, rows)
    return level


def _combine(terms: Sequence[tuple[Path, int]], out: Path, workers: int, rows: int) -> None:
    with new_summary(out) as writer:
        _write_sum(terms, writer, workers, rows)


def _write_sum(terms: Sequence[tuple[Path, int]], writer: SummaryWriter, workers: int, rows: int) -> str:
    """Contigs go side by side, each by one worker. Gives the digest of the sum."""
    folders = _opened([path for path, _ in terms])
    refuse_altered(folders)
    signs = [sign for _, sign in terms]
    manifest = combine_manifests([folder.manifest for folder in folders], signs, [str(path) for path, _ in terms])
    _refuse_too_many(manifest)
    sources = _sources(folders, signs, sum(manifest.people.values()))
    qc_sums = _qc_sums(folders, signs, manifest)
    folders = _commonly_spelt(folders)
    with ThreadPoolExecutor(workers) as pool:
        work = [
            pool.submit(_combine_contig, folders, signs, contig, writer, rows) for contig in _stored_contigs(folders)
        ]
        try:
            for done in work:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
    return writer.finish(manifest, sources, qc_sums)


def _combine_contig(
    folders: Sequence[SummaryFolder], signs: Sequence[int], contig: str, writer: SummaryWriter, rows: int
) -> None:
    each = max(1, rows // len(folders))
    cursors = [
        [Cursor(table, folder.batches(name, contig, rows=each), each) for name, table in TABLES.items()]
        for folder in folders
    ]
    for group in add_up(cursors, signs):
        writer.append(contig, group)
    writer.close_contig(contig)


def _sources(folders: Sequence[SummaryFolder], signs: Sequence[int], people: int) -> Sources:
    """The sources of a sum. Raises InputError for parts that are taken out of a whole of other sources."""
    if not any(folder.sources for folder in folders):
        return ()
    added, taken = ([f.lineage for f, s in zip(folders, signs, strict=True) if s == sign] for sign in (1, -1))
    whole = Lineage("the sum" if len(added) > 1 else added[0].name, "", 0, joined_sources(added))
    problems = not_contained(whole, taken, people)
    if problems:
        raise InputError(problems)
    return remaining_sources(whole, taken)


def _qc_sums(folders: Sequence[SummaryFolder], signs: Sequence[int], manifest: Manifest) -> QcSums:
    """The QC sums of a sum. Raises InputError when more people were measured than remain: they were not all taken."""
    if not any(folder.qc_sums for folder, sign in zip(folders, signs, strict=True) if sign > 0):
        # nobody's were ever added, as before there were any: there is nothing to take them out of
        return {}
    sums = add_qc_sums([folder.qc_sums for folder in folders], signs)
    odd = [Problem(sentence, "not contained", "sums of the people who remain", MEASURED_TOO)
           for sentence in odd_qc_sums(sums, manifest.people)]  # fmt: skip
    if odd:
        raise InputError(odd)
    return sums


def _commonly_spelt(folders: Sequence[SummaryFolder]) -> list[SummaryFolder]:
    spelt = commonly_spelt([folder.manifest.rules for folder in folders])
    return [folder.spelt_as(rules) for folder, rules in zip(folders, spelt, strict=True)]


def _stored_contigs(folders: Sequence[SummaryFolder]) -> list[str]:
    """Contigs of which one of some summaries that are spelt alike stores something, in the build's order."""
    stored = {contig for folder in folders for contig in folder.contigs}
    return [name for name in contig_names(folders[0].manifest.rules) if name in stored]


def _refuse_too_many(manifest: Manifest) -> None:
    people = sum(manifest.people.values())
    if 2 * people > MOST_ALLELES:
        raise refuse("people", f"{people:,} together", f"at most {MOST_ALLELES // 2:,}, whose alleles fit in Int32")


def _opened(paths: Sequence[Path]) -> list[SummaryFolder]:
    folders = []
    with all_at_once() as gathered:
        for path in paths:
            with gathered.trying():
                folders.append(SummaryFolder(path))
    return folders


def _refuse_repeated(paths: Sequence[Path]) -> None:
    places = [real_path(path) for path in paths]
    for place in sorted({place for place in places if places.count(place) > 1}):
        raise refuse(place, "the same summary twice", "each summary once", TWICE)


def _refuse_within(paths: Sequence[Path], out: Path | None) -> None:
    for place in map(real_path, paths):
        if out is None:
            continue
        if real_path(out) == place:
            raise refuse("--out", f"{out}, which is one of the summaries", "another folder")
        if real_path(out).startswith(f"{place}/"):
            raise refuse("--out", f"{out}, which lies in the summary {place}", "a folder outside of it")


def _copies(folders: Sequence[SummaryFolder]) -> Iterator[Problem]:
    """Two summaries whose tables are the same to the byte are one, copied.

    Without a variant they need not be: people in whom nothing was found may all be alike.
    """
    first: dict[tuple[tuple[str, str], ...], Path] = {}
    for folder in folders:
        members = tuple(sorted(folder.tables.items()))
        if folder.lists_variants:
            other = first.setdefault(members, folder.path)
            if other != folder.path:
                found = f"the same summary twice: it holds to the byte what {other} holds"
                yield Problem(str(folder.path), found, "each summary once", TWICE)
