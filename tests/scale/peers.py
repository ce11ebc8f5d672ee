"""The commands that are compared: tessera, bcftools, plink2 and bare decompression, from the same file."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

HERE = Path(__file__).parent
#: what bcftools writes for each group; HWE included, as it comes with the same pass
TAGS = "AN,AC,AF,AC_Hom,AC_Het,AC_Hemi,HWE"


@dataclass(frozen=True)
class Cost:
    """What a command took; peak memory is of its largest process."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def run(command: list[str], log: Path) -> Cost:
    """Measure a command by cost.py; its stderr goes to `log`. Raises SystemExit when it fails."""
    words = [sys.executable, "-I", "-S", str(HERE / "cost.py"), str(log), *command]
    # as on a user's machine, where Python keeps what it has compiled
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    took = json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True, env=environment).stdout)
    if code := took.pop("code"):
        raise SystemExit(f"exit code {code}: {shlex.join(command)}\n{log.read_text()[-2000:]}")
    return Cost(**took)


@dataclass(frozen=True)
class Tessera:
    """The command that is measured, as typed."""

    words: tuple[str, ...]

    def count(
        self, file: Path, out: Path, *, mask: str = "none", reference: bool = False, workers: int = 1
    ) -> list[str]:
        """`tessera count` of a cohort file beside which its sheet, build and reference lie."""
        beside = file.parent
        alleles = ["--reference", str(beside / "reference.fa")] if reference else ["--assume-normalised"]
        return [
            *self.words, "count", "--input", str(file), "--samples", str(beside / "samples.tsv"), *alleles,
            "--build", str(beside / "build.yaml"), "--mask", mask, "--out", str(out),
            "--workers", str(workers),
        ]  # fmt: skip

    def cohort(self, sheet: Path, out: Path) -> list[str]:
        """The gVCFs of a sheet, beside which build and reference lie, to one summary: OUT."""
        kept, beside = out.with_suffix(".cohort"), sheet.parent
        begin = ["--build", str(beside / "build.yaml"), "--reference", str(beside / "reference.fa"), "--mask", "none"]
        verbs = (["init", str(kept), *begin], ["add", str(kept), "--samples", str(sheet)],
                 ["release", str(kept), "--out", str(out)])  # fmt: skip
        steps = [["rm", "-rf", str(kept)], *([*self.words, "cohort", *verb] for verb in verbs)]
        return ["bash", "-c", " && ".join(map(shlex.join, steps))]

    def show(self, summary: Path, target: Path) -> pl.DataFrame:
        """Counts and statistics of each stratum, by `tessera show`."""
        words = [*self.words, "show", str(summary), "--by", "population,sex", "--statistics", "--format", "parquet"]
        with target.open("wb") as file:
            subprocess.run(words, stdout=file, check=True)
        return pl.read_parquet(target)


def bcftools(file: Path, out: Path) -> list[str]:
    """Counts and HWE of everybody and of each stratum into INFO, genotypes dropped: OUT.bcf."""
    fill = f"bcftools +fill-tags {shlex.quote(str(file))} -Ou -- -S {shlex.quote(str(file.parent / 'groups.tsv'))}"
    write = f"bcftools view --no-version -G -Ob -o {shlex.quote(f'{out}.bcf')}"
    return ["bash", "-c", f"set -o pipefail; {fill} -t {TAGS} | {write}"]


def plink2(file: Path, out: Path) -> list[str]:
    """Genotype counts, frequencies and HWE of each stratum: OUT.<stratum>.gcount; half-calls are missing."""
    kind = "--bcf" if file.suffix == ".bcf" else "--vcf"
    return [
        "plink2", "--threads", "1", "--memory", "2048", "--vcf-half-call", "m", kind, str(file),
        "--pheno", str(file.parent / "strata.tsv"), "--loop-cats", "STRATUM",
        "--freq", "counts", "--geno-counts", "cols=+pos", "--hardy", "--out", str(out),
    ]  # fmt: skip


def bcftools_merge(sheet: Path, out: Path) -> list[str]:
    """The gVCFs of a sheet as one file, their blocks taken for genotypes: OUT.bcf."""
    beside = sheet.parent
    return [
        "bcftools", "merge", "--no-version", "-g", str(beside / "reference.fa"), "-l", str(beside / "files"),
        "-Ob", "-o", f"{out}.bcf",
    ]  # fmt: skip


def bgzip(file: Path, _: Path) -> list[str]:
    """Decompression alone, to nowhere."""
    return ["bgzip", "-dc", str(file)]


def inflation(file: Path) -> float:
    """CPU seconds of libdeflate on the blocks of a file, start-up and reading not included."""
    words = [sys.executable, str(HERE / "inflate.py"), str(file)]
    return float(subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout)


PEERS: dict[str, Callable[[Path, Path], list[str]]] = {
    "bcftools +fill-tags": bcftools,
    "plink2": plink2,
    "bgzip -dc": bgzip,
}


def hail(file: Path, out: Path, environments: Path) -> list[str]:
    """Genotype counts by Hail on one core: OUT.tsv."""
    groups = file.parent / "groups.tsv"
    return [str(environments / "hail/bin/python"), str(HERE / "hail_counts.py"), str(file), str(groups), f"{out}.tsv"]


def sgkit(file: Path, out: Path, environments: Path) -> list[str]:
    """Genotype counts by sgkit, after vcf2zarr: OUT.tsv."""
    convert = [str(environments / "bio2zarr/bin/vcf2zarr"), "convert", "--force", str(file), f"{out}.vcz"]
    groups = str(file.parent / "groups.tsv")
    count = [str(environments / "sgkit/bin/python"), str(HERE / "sgkit_counts.py"), f"{out}.vcz", groups, f"{out}.tsv"]
    return ["bash", "-c", f"{shlex.join(convert)} && {shlex.join(count)}"]


SLOW: dict[str, Callable[[Path, Path, Path], list[str]]] = {"hail": hail, "sgkit": sgkit}
#: environment -> what goes into it; bio2zarr and sgkit need different versions of zarr
ENVIRONMENTS = {
    "hail": {"hail": "hail==0.2.139"},
    "sgkit": {"sgkit": "sgkit==0.10.0", "bio2zarr": "bio2zarr[vcf]==0.2.1"},
}


def install(name: str, folder: Path) -> None:
    """Give a slow peer environments of its own in `folder`; Hail finds a JVM on PATH or fails with its own words."""
    for environment, requirement in ENVIRONMENTS[name].items():
        if not (folder / environment / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder / environment)], check=True)
            pip = [str(folder / environment / "bin/python"), "-m", "pip", "install", "--quiet", requirement]
            subprocess.run(pip, check=True)
            (folder / environment / "installed").touch()


def absent() -> dict[str, str]:
    """Peer -> why it is not measured here."""
    found = {}
    for name in PEERS:
        if shutil.which(name.split()[0]) is None:
            found[name] = f"no {name.split()[0]} on PATH"
    if "bcftools +fill-tags" not in found:
        asked = subprocess.run(["bcftools", "plugin", "-l"], capture_output=True, text=True, check=False)
        if "fill-tags" not in asked.stdout:
            found["bcftools +fill-tags"] = "bcftools without its plugins"
    return found


def versions() -> list[str]:
    """What the peers that are here call themselves."""
    return [
        subprocess.run([name.split()[0], "--version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
        for name in PEERS
        if name not in absent()
    ]
