"""Reading of YAML and JSON, with every key once: a second one would take the place of the first without a word."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from brainpid.core.errors import InputError


class _DuplicateKey(Exception):
    """A key that is given twice, with the lines."""


class _Loader(yaml.SafeLoader):
    """Safe loader that refuses a mapping with one key twice; keys that `<<` merges may be overruled."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                continue
            name, line = (key.tag, key.value), key.start_mark.line + 1
            if name in lines:
                raise _DuplicateKey(f"line {line}: the key '{key.value}' is given again, after line {lines[name]}")
            lines[name] = line
        return super().construct_mapping(node, deep)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Mapping of JSON, with every key once."""
    keys = [key for key, _ in pairs]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise _DuplicateKey(f"the key '{twice[0]}' is given twice in one mapping")
    return dict(pairs)


def read_yaml(path: str | Path) -> dict[Any, Any]:
    """Content of a configuration file whose top is a mapping: YAML, or JSON by the ending .json.

    Raises
    ------
    InputError
        Where the file is absent or not YAML, or a key is given twice in one mapping; the message names the lines.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the configuration file does not exist")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=_once) if path.suffix == ".json" else yaml.load(text, _Loader)
    except _DuplicateKey as fault:
        raise InputError(f"{path}: {fault}; expected every key once") from fault
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as fault:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping of keys at the top, found {type(content).__name__}")
    return content
