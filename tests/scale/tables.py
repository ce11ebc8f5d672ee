"""The measurements as the tables and the figure of docs/performance.md."""

import json
import os
import re
from pathlib import Path
from statistics import median
from typing import Any

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
NOISE = 0.03  # CPU seconds
FOUR = ("genotypes/cohort.vcf.gz", "genotypes/cohort.bcf", "joint/cohort.vcf.gz", "joint/cohort.bcf")
MANY, GENOTYPES_ONLY = "many-joint/cohort.bcf", "tessera --mask genotypes"
GVCF, GVCFS = "G0000.g.vcf.gz", "gvcfs/samples.tsv"
Results = dict[str, Any]


def machine() -> str:
    """Processor, cores and memory of this machine, and how busy it is."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = found[1].strip() if found else "an unknown processor"
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f}"


def write_tables(results: Path, target: Path) -> None:
    """Write the tables alone."""
    target.write_text(markdown(json.loads(results.read_text())) + "\n")


def write_page(results: Path, page: Path) -> None:
    """Put the tables between the marks of the page, and the figure beside it."""
    found = json.loads(results.read_text())
    before, rest = page.read_text().split(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{markdown(found)}\n{END}{rest.split(END)[1]}")
    _write_figure(found, page.with_name("performance.svg"))


def markdown(results: Results) -> str:
    """All tables, each under a sentence that says what it is."""
    heads = [
        f"{results['machine']}; {', '.join(results['versions'])}; runs of each command: {results['rounds']}.",
        *(f"{name} was not measured: {why}." for name, why in results["absent"].items()),
    ]
    tables = [table(results) for table in (_targets, _against, _core, _workers, _memory, _agreements)]
    return "\n\n".join([" ".join(heads), *tables, _merge(results)])


def _table(title: str, columns: str, rows: list[list[str]]) -> str:
    head = f"| {columns} |\n|{' --- |' * len(columns.split(' | '))}"
    return f"**{title}**\n\n" + "\n".join([head, *(f"| {' | '.join(row)} |" for row in rows)])


def _runs(results: Results, file: str, tool: str, key: str = "cpu_s") -> list[float]:
    return [row[key] for row in results["costs"] if row["file"] == file and row["tool"] == tool]


def ratio(results: Results, file: str, tool: str, to: str = "tessera", key: str = "cpu_s") -> float | None:
    """Median over the turns of how many times the cost of `to` a tool needs; None where it was not run."""
    pairs = zip(_runs(results, file, tool, key), _runs(results, file, to, key), strict=False)
    found = [one / other for one, other in pairs]
    return median(found) if found else None


def _parts(results: Results, file: str) -> list[str]:
    """The thinner parts of a cohort file: few people, then (if measured) one record."""
    folder, name = file.split("/")
    found = {row["file"] for row in results["inflations"]}
    parts = sorted(f for f in found if f.startswith(f"{folder}/") and f.endswith(f"/{name}") and f.count("/") == 2)
    return sorted(parts, key=lambda f: f.endswith(f"-1-records/{name}"))


def _inflation(results: Results, file: str) -> float:
    seconds: dict[str, float] = {row["file"]: row["cpu_s"] for row in results["inflations"]}
    return seconds[file]


def core_ratios(results: Results, file: str) -> list[float | None]:
    """Counting over inflation: without what ten people cost, and (if measured) without what one record costs.

    None where the difference is within what the start of a program varies by.
    """
    found: list[float | None] = []
    for some in _parts(results, file):
        counting = median(_runs(results, file, "tessera")) - median(_runs(results, some, "tessera"))
        inflating = _inflation(results, file) - _inflation(results, some)
        found.append(counting / inflating if counting > NOISE else None)
    return found


def inflation_spared(results: Results) -> float | None:
    """Bare inflation of many people's file over a count of their genotypes alone, less that of one record of theirs."""
    (one,) = (file for file in _parts(results, MANY) if "-1-records/" in file)
    counting = median(_runs(results, MANY, GENOTYPES_ONLY)) - median(_runs(results, one, GENOTYPES_ONLY))
    return _inflation(results, MANY) / counting if counting > NOISE else None


def _targets(results: Results) -> str:
    rows: list[list[str]] = []

    def aim(what: str, found: float | None, bound: float, *, at_most: bool = False) -> None:
        sign = "at most" if at_most else "at least"
        if found is None:
            rows.append([what, f"{sign} {bound:g}", "not told", ""])
        else:
            met = found <= bound if at_most else found >= bound
            rows.append([what, f"{sign} {bound:g}", f"{found:.2f}", "yes" if met else "no"])

    for file, bound in zip(FOUR, (25.0, 25.0, 8.0, 4.0), strict=True):
        aim(f"CPU of bcftools +fill-tags over tessera's, {file}", ratio(results, file, "bcftools +fill-tags"), bound)
    for file in FOUR:
        aim(f"CPU of plink2 over tessera's, {file}", ratio(results, file, "plink2"), 1.5)
    for file, bound in zip(FOUR, (1.5, 1.5, 2.0, 1.1), strict=True):
        aim(f"counting over bare inflation, {file}", core_ratios(results, file)[0], bound, at_most=True)
    peak = max(row["peak_mb"] for row in results["costs"] if row["tool"].startswith("tessera"))
    aim("MB of a worker, the largest of all counts", peak, 150, at_most=True)
    aim("two workers over one, wall, what more of a file takes", _gain_of_workers(results), 1.8)
    aim("bare inflation of everything over counting genotypes alone, many people with PL", inflation_spared(results), 5)
    aim("million records a second of one gVCF", _gvcf_rate(results), 5)
    aim("CPU of bcftools merge -g over tessera's, 100 gVCFs", ratio(results, GVCFS, "bcftools merge -g"), 50)
    aim("numbers that differ", sum(row["different"] for row in results["agreements"]), 0, at_most=True)
    return _table("What was aimed at", "what | aim | found | met", rows)


def _gvcf_rate(results: Results) -> float | None:
    """Million records a CPU second of one gVCF, above what its first line takes."""
    whole, first = (median(_runs(results, f"gvcf/{name}", "tessera")) for name in (GVCF, f"first-line/{GVCF}"))
    lines: int = results["lines_of_one"]
    return lines / 1e6 / (whole - first) if whole - first > NOISE else None


def _gain_of_workers(results: Results) -> float | None:
    """Wall time that the longer of two files takes more, by one worker over by two: their start cancels out."""
    files = dict.fromkeys(row["file"] for row in results["costs"] if row["tool"] == "tessera --workers 2")
    if len(files) != 2:
        return None
    longer, shorter = sorted(files, key=lambda file: -median(_runs(results, file, "tessera", "wall_s")))
    one, two = (
        median(_runs(results, longer, tool, "wall_s")) - median(_runs(results, shorter, tool, "wall_s"))
        for tool in ("tessera", "tessera --workers 2")
    )
    return one / two if two > NOISE else None


def _workers(results: Results) -> str:
    rows = []
    for row in results["costs"]:
        if row["tool"] == "tessera --workers 2" and row["turn"] == 0:
            one, two = (_runs(results, row["file"], tool, "wall_s") for tool in ("tessera", "tessera --workers 2"))
            rows.append([row["file"], f"{median(one):.2f}", f"{median(two):.2f}", f"{median(one) / median(two):.2f}"])
    return _table("Two workers", "file | one, wall s | two, wall s | ratio", rows)


def _against(results: Results) -> str:
    rows = []
    for file, tool in dict.fromkeys((row["file"], row["tool"]) for row in results["costs"]):
        if file.count("/") > 1:
            continue
        cpu, wall, peak = (median(_runs(results, file, tool, key)) for key in ("cpu_s", "wall_s", "peak_mb"))
        times = ratio(results, file, tool)
        rows.append([file, tool, f"{cpu:.2f}", f"{wall:.2f}", f"{peak:,.0f}", f"{times:.2f}"])
    return _table("From the same file", "file | command | CPU s | wall s | peak MB | CPU, tessera = 1", rows)


def _core(results: Results) -> str:
    rows = []
    for file in (*FOUR, MANY):
        whole, inflated = median(_runs(results, file, "tessera")), _inflation(results, file)
        ratios = ["too small to tell" if found is None else f"{found:.2f}" for found in core_ratios(results, file)]
        rows.append([file, f"{inflated:.3f}", f"{whole:.2f}", *ratios, *[""] * (2 - len(ratios))])
    columns = "file | inflation, CPU s | count, CPU s | ratio without ten people | ratio without one record"
    return _table("Counting over bare inflation", columns, rows)


def _memory_points(results: Results) -> list[tuple[int, int, float]]:
    """People, records and peak MB of the counts of growing parts of the genotypes."""
    name = re.compile(r"genotypes/(\d+)-people-(\d+)-records/cohort.bcf")
    found = [(name.fullmatch(row["file"]), row["peak_mb"]) for row in results["costs"] if row["tool"] == "tessera"]
    points = [(int(match[1]), int(match[2]), peak) for match, peak in found if match and int(match[2]) > 1]
    return sorted(points)


def _memory(results: Results) -> str:
    rows = [[f"{people:,}", f"{number:,}", f"{peak:,.0f}"] for people, number, peak in _memory_points(results)]
    return _table("Memory of a count", "people | records | peak MB", rows)


def _agreements(results: Results) -> str:
    rows = [
        [row["file"], row["with"], f"{row['numbers']:,}", f"{row['half_call_numbers']:,}", f"{row['different']:,}"]
        for row in results["agreements"]
    ]
    return _table("Agreement", "file | with | numbers | in cells with half-calls | different", rows)


def _merge(results: Results) -> str:
    cost = results["merge"]
    rate = cost["rows"] / cost["cpu_s"] / 1e6
    rows = [[f"{cost['rows']:,}", f"{cost['cpu_s']:.1f}", f"{cost['peak_mb']:,.0f}", f"{rate:.2f}"]]
    return _table("Merging four summaries", "rows in one block | CPU s | peak MB | M rows/s", rows)


def _write_figure(results: Results, path: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "bench"
    from matplotlib import pyplot

    points = _memory_points(results)
    figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
    for number in sorted({number for _, number, _ in points}):
        line = [(people, peak) for people, found, peak in points if found == number]
        axes.plot(*zip(*line, strict=True), marker="o", label=f"{number:,} records")
    axes.set(xlabel="people", ylabel="peak memory of a count, MB", ylim=(0, None))
    axes.legend()
    figure.savefig(path, metadata={"Date": None})
