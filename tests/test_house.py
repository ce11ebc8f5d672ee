"""The rules of the house that a machine can check: who imports whom, what is where, and what no file may name."""

import ast
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tessera.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scripts" / "tessera"
MODULES = sorted(PACKAGE.rglob("*.py"))
STAGES = ("reads", "alignments", "variants", "cohort", "federation", "report")
#: what a folder may not import, whatever the reason
FORBIDDEN = {
    **{stage: {f"tessera.{other}" for other in STAGES if other != stage} for stage in STAGES},
    "genome": {f"tessera.{name}" for name in (*STAGES, "files", "summary", "schemas", "cli")},
    "summary": {f"tessera.{name}" for name in (*STAGES, "files", "cli")},
    "schemas": {f"tessera.{name}" for name in (*STAGES, "files", "cli")},
    "files": {f"tessera.{name}" for name in (*STAGES, "cli")},
}
NO_GENOTYPES = ("federation", "summary", "genome")
PATHS = {"pathlib", "os", "shutil", "tempfile", "glob", "io"}
KNOW_PATHS = ("cli", "files")
#: module elsewhere that imports Path -> why
ALLOWED_PATHS = {
    "tessera.schemas.config": "a configuration names files; it opens none",
    "tessera.schemas.config_keys": "as above",
    "tessera.schemas.federation": "as above",
    "tessera.cohort.kernel": "its library lies beside it",
}
LONGEST_FUNCTION, LONGEST_MODULE = 60, 420
#: `path` or `path:function` -> why it is longer than the habit
LONGER: dict[str, str] = {}
DRAWERS = ("utils", "util", "helpers", "helper", "misc", "common", "tools", "shared")
HOSTS = ("pypi.org", "files.pythonhosted.org", "quay.io", "docker.io", "ghcr.io", "registry.npmjs.org")
#: hashes and locks are not prose; git and caches are not ours
TEXT = {".py", ".md", ".smk", ".yaml", ".yml", ".toml", ".txt", ".tsv", ".sh", ".lock", ".json", ".cff", ""}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file; `from a import b` counts as a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def below(names: set[str], roots: set[str]) -> set[str]:
    return {name for name in names for root in roots if name == root or name.startswith(f"{root}.")}


def tracked() -> list[Path]:
    """The files of the repository, those to be added as well; a tarball has no git to ask, CI has."""
    words = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if shutil.which("git") is None:
        pytest.skip("no git here to ask which files are the repository's")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        assert os.environ.get("CI", "").lower() != "true", done.stderr
        pytest.skip("no git repository here")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def folder_modules(folder: str) -> list[Path]:
    return [path for path in MODULES if path.relative_to(PACKAGE).parts[0] == folder]


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_a_layer_imports_nothing_above_or_beside_it(folder: str) -> None:
    # reads is wiring alone: trimming and alignment are native tools
    assert folder_modules(folder) or folder == "reads"
    found = {module_name(path): below(imports(path), FORBIDDEN[folder]) for path in folder_modules(folder)}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize("folder", NO_GENOTYPES)
def test_what_leaves_a_node_is_made_by_code_that_cannot_read_genotypes(folder: str) -> None:
    for path in folder_modules(folder):
        assert not below(imports(path), {"pysam", "cyvcf2", "tessera.files.vcf"}), path


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_only_cli_and_files_know_paths(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] not in KNOW_PATHS:
        assert bool(below(imports(path), PATHS)) is (module_name(path) in ALLOWED_PATHS)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_nobody_below_the_command_line_asks_the_clock(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] != "cli":
        assert not below(imports(path), {"time", "datetime", "getpass", "socket"})


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_opens_with_one_sentence_and_is_no_drawer(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said or path.name == "__main__.py"
    assert path.stem not in DRAWERS


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and number of lines of each function, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node
            yield node.name, (node.end_lineno or 0) - first.lineno + 1


def test_functions_and_modules_are_short_or_say_why() -> None:
    long = set()
    for path in [*MODULES, *sorted((ROOT / "seeds").glob("*.py")), *sorted((ROOT / "scripts").glob("*.py"))]:
        name = str(path.relative_to(ROOT))
        long |= {f"{name}:{function}" for function, lines in functions(path) if lines > LONGEST_FUNCTION}
        if len(path.read_text().splitlines()) > LONGEST_MODULE:
            long.add(name)
    assert long == set(LONGER)


WORKFLOW = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]


@pytest.mark.parametrize("path", WORKFLOW, ids=lambda path: str(path.name))
def test_rules_call_commands_and_hold_no_program(path: Path) -> None:
    lines = [line.split("#")[0] for line in path.read_text().splitlines()]
    text = "\n".join(lines)
    assert not re.search(r"^\s+(run|script|notebook|wrapper)\s*:", text, re.MULTILINE)
    assert not re.search(r"\bpython3?\s+(-c|\S+\.py)|\S+\.py\b", text)
    assert not re.search(r"^\s*def\s", text, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_file_and_a_test_that_names_it(name: str) -> None:
    module = PACKAGE / "cli" / name.replace("-", "_")
    assert module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()
    calls = re.compile(rf"""["']{name}["']|\btessera {name}\b""")
    files = [p for p in (ROOT / "tests").rglob("test_*.py") if p != Path(__file__)]
    assert any(calls.search(path.read_text()) for path in files)


def test_every_file_of_the_command_line_is_a_command() -> None:
    modules = [*(PACKAGE / "cli").glob("*.py"), *(path.parent for path in (PACKAGE / "cli").glob("*/__init__.py"))]
    names = {path.stem.replace("_", "-") for path in modules}
    assert names - {"--init--", "options"} == set(COMMANDS)


def test_no_file_names_a_place_of_one_machine_or_a_registry() -> None:
    forbidden = re.compile(rf"(?<![\w.$}}]){re.escape('/work' + '/')}|{'|'.join(map(re.escape, HOSTS))}")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        if path.suffix in TEXT and path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert found == []


def test_no_todo_and_no_stub_is_left() -> None:
    forbidden = re.compile(r"\b(TODO|FIXME|XXX:|HACK)\b|raise NotImplementedError|@@[A-Z]")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".smk", ".md"} and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if forbidden.search(line)
    ]
    assert found == []
