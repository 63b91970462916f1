"""What files may say: agents, tasks of workflows, and the configuration of a stage."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from docs.generator.tables import code, page, table
from infra.config import StageConfig, load_config, stages
from infra.config.providers import BUILT_IN, KEY_VARIABLES, KINDS, ProviderConfig
from stepward.agents.definition_schema import agent_schema
from stepward.cli.workflow_types import takes, types_of
from stepward.domain.tools import Placement
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, find_type
from stepward.tools.base import Tool
from stepward.tools.catalog import CATALOG as TOOLS
from stepward.tools.catalog import find_tool
from stepward.workflows.documents.document_schema import json_schema

_BOUNDS = {
    "minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "minLength": "shortest",
    "maxLength": "longest", "minItems": "fewest", "maxItems": "most", "maxProperties": "most",
}  # fmt: skip
_HEAD = ["field", "takes", "bounds", "default", "what it is for"]


def agents() -> str:
    """Write the page of an agent's fields."""
    schema = agent_schema()
    parts = ["Fields with * must be there.", _fields(schema)]
    for name, part in sorted(schema["$defs"].items()):
        if part.get("properties"):
            parts += [f"## {name.replace('_', ' ')}", _fields(part)]
    return page("Fields of an agent", *parts)


def tasks() -> str:
    """Write the page of the types of tasks: what all may say, and what each has of its own."""
    schema = json_schema()
    kinds = {one.name: one for one in types_of(schema)}
    ordered = [kinds[name] for name in CATALOG]
    own = [(code(one.name), one.purpose, ", ".join(code(field) for field in one.own)) for one in ordered]
    common = [field for field in ordered[0].fields if not field.is_own and field.name != "type"]
    parts = [
        "Fields with * must be there. `stepward workflows types human` tells all fields of one type.",
        table(["type", "what it does", "its own fields"], own),
        "## A workflow",
        _fields(schema),
        "## What every task may say",
        table(_HEAD, [_row(str(one), one.schema) for one in common]),
    ]
    for one in ordered:
        parts += [
            f"## {one.name}",
            one.purpose,
            _example(find_type(one.name)),
            table(_HEAD, [_row(str(field), field.schema) for field in one.own]),
        ]
    return page("Tasks of a workflow", *parts)


def _example(kind: TaskType[Any]) -> str:
    task = {"id": "one", "type": kind.name, **kind.example}
    return f"```json\n{json.dumps(task, indent=2, ensure_ascii=False)}\n```"


def tools() -> str:
    """Write the page of the built-in tools: runtime, effect, settings and arguments."""
    found = {name: find_tool(name) for name in TOOLS}
    rows = [
        (code(name), code(one.placement), code(one.effect), _longest(one), one.description)
        for name, one in found.items()
    ]
    parts = [
        "`inline` runs in the advance, `remote` in a function of its own, `awaited` is answered by somebody else.",
        "Effect and time are those without an agent's word.",
        table(["tool", "where", "effect", "time", "what models are told of it"], rows),
    ]
    for name, one in found.items():
        parts.append(f"## {name}")
        for title, model in (
            ("`config` of an agent", one.settings),
            ("Arguments that models give", one.arguments),
        ):
            schema = model.model_json_schema()
            if schema.get("properties"):
                parts += [f"{title}:", _fields(schema)]
    return page("Tools", *parts)


def configuration() -> str:
    """Write the page of what a stage's file says."""
    there = stages()
    files = {stage: load_config(stage) for stage in there}
    rows = [
        (code(name), *(code(_default(getattr(files[stage], name))) for stage in there))
        for name in StageConfig.model_fields
        if name not in ("stage", "providers")
    ]
    return page(
        "Configuration of a stage",
        "One file a stage in `infra/config/`, read when the app is synthesised. A setting without a default has to be there.",
        _settings(StageConfig),
        "## What the stages say",
        table(["setting", *there], rows),
        "## [providers.NAME]",
        _settings(ProviderConfig),
        _providers(),
    )


def _longest(tool: Tool[Any, Any]) -> str:
    return "" if tool.placement is Placement.AWAITED else f"{tool.timeout_s:g} s"


def _fields(schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", [])
    offered = {name: one for name, one in schema["properties"].items() if not one.get("doNotSuggest")}
    return table(_HEAD, [_row(f"{name}*" if name in needed else name, one) for name, one in offered.items()])


def _row(name: str, schema: Mapping[str, Any]) -> tuple[str, ...]:
    default = json.dumps(schema["default"]) if schema.get("default") is not None else ""
    bounds = ", ".join(dict.fromkeys(_bounds(schema)))
    return code(name), takes(dict(schema)), bounds, code(default), schema.get("description", "")


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{words} {schema[key]:,}" for key, words in _BOUNDS.items() if key in schema)
    for one in schema.get("anyOf", []):
        yield from _bounds(one)


def _settings(model: type[BaseModel]) -> str:
    said = _comments(model)
    rows = [
        (code(name), code(_default(field.get_default(call_default_factory=False))), said.get(name, ""))
        for name, field in model.model_fields.items()
    ]
    return table(["setting", "default", "what it is for"], rows)


def _providers() -> str:
    kinds = [(code(name), facts["protocol"]) for name, facts in KINDS.items()]
    built_in = [
        (code(name), ", ".join(map(code, of_kinds)), code(KEY_VARIABLES.get(name)))
        for name, of_kinds in BUILT_IN.items()
    ]
    head = ["built in", "kinds", "where a laptop takes its key from"]
    return f"{table(['kind', 'what it speaks'], kinds)}\n\n{table(head, built_in)}"


def _default(value: Any) -> str:
    return "" if value is PydanticUndefined or value is None else json.dumps(value)


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """Find the comment above each field, where there is one."""
    source = inspect.getsource(model)
    lines = source.splitlines()
    (made,) = ast.parse(source).body
    assert isinstance(made, ast.ClassDef)
    found: dict[str, str] = {}
    for node in made.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above = lines[node.lineno - 2].strip()
            found[node.target.id] = above.removeprefix("# ") if above.startswith("#") else ""
    return found
