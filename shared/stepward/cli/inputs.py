"""Reads what a person gives a run or the registry, and says exactly where it is broken."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from stepward.cli.exit_codes import InputError


def read_input(given: str) -> str | dict[str, Any]:
    """Read `--input`: text, a JSON object, `@file` or `-` for standard input."""
    if given == "-":
        return parse_input(sys.stdin.read(), "standard input")
    if given.startswith("@"):
        return parse_input(read_text(Path(given[1:])), given[1:])
    return parse_input(given, "--input")


def parse_input(text: str, where: str) -> str | dict[str, Any]:
    """Take what starts with a brace for a JSON object, which must then be one; the rest is text as it is."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where} starts like a JSON object but is none: {error}.", 'Quote names and texts with ".'
        ) from error
    return dict(parsed)


def read_definition(path: Path) -> dict[str, Any]:
    """Read an agent's file, YAML or JSON by its ending."""
    if path.suffix not in {".yaml", ".yml", ".json"}:
        raise InputError(f"{path} is neither .yaml, .yml nor .json.", "Rename the file by what is in it.")
    text = read_text(path)
    body = _from_json(path, text) if path.suffix == ".json" else _from_yaml(path, text)
    if not isinstance(body, dict):
        raise InputError(
            f"{path} holds no agent: its top level is not a mapping.", "Start it with `id: my-agent`."
        )
    return body


def read_text(path: Path) -> str:
    """Read a file as UTF-8, with the reason in words when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error


def _from_json(path: Path, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{error.lineno}:{error.colno}: {error.msg}.", "Mend the JSON there."
        ) from error


def _from_yaml(path: Path, text: str) -> object:
    try:
        return yaml.load(text, Loader=DefinitionLoader)  # noqa: S506  a SafeLoader with fewer types
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise InputError(f"{at}: {error.problem or error.context}.", "Mend the YAML there.") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: {error}.", "Save it as plain UTF-8 text.") from error


class DefinitionLoader(yaml.SafeLoader):
    """YAML as the registry means it: a date stays text, and a name given twice is an error, not the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a doubled name, which YAML would drop without a word."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is given twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


DefinitionLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
