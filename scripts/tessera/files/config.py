"""Reading the configuration: YAML files merged as Snakemake merges them, variables expanded, files there."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tessera.errors import InputError, Problem, refuse
from tessera.files.builds import read_build
from tessera.files.marker_panel import panel_files
from tessera.files.paths import expand, is_file, is_folder, variables
from tessera.files.yaml_documents import read_yaml
from tessera.schemas.build import NAMED_BUILDS
from tessera.schemas.config import SCHEMA, Config, build_config, check_config
from tessera.schemas.document import check_document, quoted
from tessera.schemas.qc_policy import QcPolicy, parse_policy

_RELATIVE = "A relative path starts at the working directory."


def read_config(paths: Sequence[Path], *, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of YAML files, later ones over earlier ones. Raises InputError with every problem."""
    return parse_config(merge_documents(paths), where=", ".join(map(str, paths)), environment=environment)


def parse_config(
    document: Mapping[str, Any], *, where: str = "config", environment: Mapping[str, str] = os.environ
) -> Config:
    """The typed configuration of a mapping, such as Snakemake's `config`.

    Variables in paths are expanded by `environment`; relative paths start at the working directory; the files
    it names must exist (sample sheets are not read). Raises InputError with every problem.
    """
    problems = check_config(document, where=where)
    sound, unset = _expand(_sound(document, problems, where) if problems else document, where, environment)
    problems += unset
    # of keys that are refused, files are not looked for, nor those of their defaults
    refused = {f"{where} {key}" for key in _keys_of(problems, where)}
    config = build_config({"build": NAMED_BUILDS[0], "nodes": {}} | sound)
    problems += [problem for problem in _check_files(config, where) if problem.where not in refused]
    if problems:
        raise InputError(problems)
    return config


def merge_documents(paths: Sequence[Path]) -> dict[str, Any]:
    """The mapping that several YAML files make; within mappings, later files win key by key."""
    merged: dict[str, Any] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            document = read_yaml(path)
            if not isinstance(document, dict):
                raise refuse(str(path), "no mapping", "keys and values", "See config/README.md.")
            merged = _merged(merged, document)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return merged


def read_policy(path: Path) -> QcPolicy:
    """The QC policy of a YAML file. Raises InputError with every problem."""
    return parse_policy(read_yaml(path), where=str(path))


def sheet_paths(document: Mapping[str, Any], *, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The sample sheets a document names, as far as it is well formed."""
    nodes = document.get("nodes")
    named = (
        [node.get("samples") for node in nodes.values() if isinstance(node, dict)] if isinstance(nodes, dict) else []
    )
    texts = [expand(text, environment) for text in named if isinstance(text, str) and text]
    return list(dict.fromkeys(Path(text) for text in texts if not variables(text)))


def _merged(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(earlier[key], later[key])
        for key in earlier.keys() & later.keys()
        if isinstance(earlier[key], dict) and isinstance(later[key], dict)
    }
    return {**earlier, **later, **both}


def _sound(document: object, problems: Sequence[Problem], where: str) -> dict[str, Any]:
    """The keys of a refused document in which nothing is wrong."""
    if not isinstance(document, Mapping):
        return {}
    told, keys = _keys_of(problems, where), SCHEMA["properties"]
    return {
        key: value
        for key, value in document.items()
        if key in keys and key not in told and not check_document(value, keys[key], where=where)
    }


def _keys_of(problems: Sequence[Problem], where: str) -> set[str]:
    """The keys of a configuration in or below which there are problems."""
    return {re.split(r"[.\[]", problem.where.removeprefix(f"{where} "))[0] for problem in problems}


def _expand(
    document: Mapping[str, Any], where: str, environment: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """The keys of a document with the variables in their texts expanded, and what is told of those that are not set."""
    problems: list[Problem] = []

    def expanded(value: Any, key: str) -> Any:
        if isinstance(value, Mapping):
            return {name: expanded(below, f"{key}.{name}".lstrip(".")) for name, below in value.items()}
        if isinstance(value, list):
            return [expanded(below, f"{key}[{index}]") for index, below in enumerate(value)]
        if not isinstance(value, str):
            return value
        for name in variables(value):
            if name not in environment:
                found, remedy = f"the variable ${name} is not set", f"Say: export {name}=..."
                problems.append(Problem(f"{where} {key}", found, "a set variable", remedy))
        return expand(value, environment)

    found: dict[str, Any] = {}
    for key, value in document.items():
        before, text = len(problems), expanded(value, key)
        if len(problems) == before:
            found[key] = text
    return found, problems


def _check_files(config: Config, where: str) -> Iterator[Problem]:
    """Files and folders that are not there, and a build or a policy that is wrong in itself."""
    files = {
        "reference": config.reference,
        "qc_policy": config.qc_policy,
        "relatives_markers": config.relatives_markers,
    }
    files |= {f"nodes.{name}.callable": node.callable for name, node in config.nodes.items()}
    files |= config.federation.files
    folders = {f"federation.summaries[{i}]": path for i, path in enumerate(config.federation.summaries)}
    if config.contamination_panel:
        files |= {
            f"contamination_panel .{part}": path for part, path in panel_files(config.contamination_panel).items()
        }
    for key, path in files.items():
        if path is not None and not is_file(path):
            yield Problem(f"{where} {key}", f"there is no file {quoted(path)}", "an existing file", _RELATIVE)
    for key, path in {**folders, "truth": config.truth}.items():
        if path is not None and not is_folder(path):
            yield Problem(f"{where} {key}", f"there is no folder {quoted(path)}", "an existing folder", _RELATIVE)
    yield from _check_results(config.results, where)
    if config.build not in NAMED_BUILDS and not is_file(Path(config.build)):
        expected = f"{', '.join(NAMED_BUILDS)}, or an existing build file"
        yield Problem(f"{where} build", f"there is no build or file {quoted(config.build)}", expected, _RELATIVE)
    else:
        yield from _problems_of(read_build, config.build)
    if is_file(config.qc_policy):
        yield from _problems_of(read_policy, config.qc_policy) or _kinship_unknown(config, where)


def _kinship_unknown(config: Config, where: str) -> Iterator[Problem]:
    """A policy that asks for kinship where nobody looks for relatives."""
    if read_policy(config.qc_policy).asks_for("max_kinship") and config.relatives_markers is None:
        found = f"no markers, and {config.qc_policy} rules on max_kinship"
        yield Problem(f"{where} relatives_markers", found, "a BED of markers", "See config/README.md#qc-policy.")


def _check_results(path: Path, where: str) -> Iterator[Problem]:
    """Why results cannot lie there: Snakemake would read the path as a pattern, or no folder can be made."""
    where, found = f"{where} results", f"the path {quoted(path)}"
    if set(str(path)) & set("{}<>"):
        yield Problem(where, found, "a path without { } < >", "Snakemake fills in names between them.")
        return
    above = [path.absolute(), *path.absolute().parents]
    there = next(place for place in above if is_folder(place) or is_file(place))
    if there.resolve() == Path(there.anchor) and there == above[0]:
        yield Problem(where, f"{found}, the root of all files", "a folder for results alone")
    elif not is_folder(there):
        expected = "a folder, or a path where one can be made"
        yield Problem(where, f"{found}, and {quoted(there)} is no folder", expected, _RELATIVE)


def _problems_of(read: Callable[[Any], object], argument: str | Path) -> list[Problem]:
    try:
        read(argument)
    except InputError as error:
        return error.problems
    return []
