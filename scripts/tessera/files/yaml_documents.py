"""Reading YAML that people wrote."""

from pathlib import Path
from typing import Any

import yaml

from tessera.errors import refuse
from tessera.schemas.document import quoted


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key may stand once; YAML itself lets the last one win in silence."""


def _mapping_without_repeats(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = key_node.value
        if isinstance(key, str):
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key} stands twice", key_node.start_mark)
            seen.add(key)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def read_yaml(path: Path) -> object:
    """The document of a YAML file. Raises InputError, with the line where YAML goes wrong."""
    try:
        return yaml.load(path.read_bytes(), _StrictLoader)
    except FileNotFoundError:
        raise refuse(str(path), "there is no such file", "a YAML file", "Check the path.") from None
    except OSError as error:
        raise refuse(str(path), f"cannot be read ({error.strerror})", "a YAML file") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise refuse(f"{path} line {line}", f"{error.problem}", "valid YAML") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise refuse(str(path), f"no YAML ({quoted(error)})", "valid YAML in UTF-8") from None
