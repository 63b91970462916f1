"""Check that the inputs of tasks fit what their tools accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from stepward.domain.documents.problems import Problem
from stepward.domain.errors import InvalidRequest, ToolArgumentInvalid
from stepward.domain.nearest import did_you_mean
from stepward.tools.base import BoundTool
from stepward.workflows.checks.context import CheckContext, TaskNode
from stepward.workflows.checks.expression_ast import Names, parse_expression
from stepward.workflows.checks.expressions import ExpressionSite, sites, texts_in
from stepward.workflows.checks.precedence import Precedence
from stepward.workflows.documents.diagnostics import fix_of, what_of

# A tool's arguments.


def find_wrong_arguments(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find unknown, missing and mistyped arguments of tools."""
    del precedence
    for node in context.all():
        tool = tool_of(node)
        if tool is not None:
            yield from _faults(context, node, tool)


def tool_of(node: TaskNode) -> BoundTool | None:
    """Return the tool that a task calls, with its configuration; None if there is none."""
    if node.kind is None or node.settings is None or node.is_unresolved or not node.kind.takes_arguments:
        return None
    try:
        return node.kind.tool(node.settings)
    except (InvalidRequest, ValidationError):
        return None


def _faults(context: CheckContext, node: TaskNode, tool: BoundTool) -> Iterator[Problem]:
    given = node.task.inputs
    computed = {name for name, value in given.items() if any("{%" in text for _, text in texts_in((), value))}
    schema = tool.schema()
    known = schema.get("properties", {})
    reported = set(computed)
    for name in schema.get("required", ()):
        if name not in given:
            reported.add(name)
            detail = f"the tool {node.task.settings['tool']!r} needs the argument {name!r}"
            yield context.problem(node, ("with", name), "missing-argument", detail, f"add {name!r} to `with`")
    for name in given if known and not schema.get("additionalProperties") else ():
        if name not in known:
            reported.add(name)
            detail = f"the tool {node.task.settings['tool']!r} has no argument {name!r}"
            fix = did_you_mean(name, known, f"it has {', '.join(known)}")
            yield context.problem(node, ("with", name), "unknown-argument", detail, fix)
    yield from _values(context, node, tool, reported)


def _values(context: CheckContext, node: TaskNode, tool: BoundTool, reported: set[str]) -> Iterator[Problem]:
    """Validate literal arguments; computed ones, and those reported already, are left out."""
    try:
        tool.read_arguments(dict(node.task.inputs))
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = fault["loc"]
            if (place and place[0] not in reported) or not (place or reported):
                _, detail = what_of(place, fault)
                yield context.problem(node, ("with", *place), "wrong-argument", detail, fix_of(place, fault))
    except ToolArgumentInvalid as error:
        for one in error.detail.split("; "):
            name = one.partition(":")[0].partition(".")[0].partition("[")[0]
            if name not in reported and (name in node.task.inputs or not reported):
                yield context.problem(
                    node, ("with", name), "wrong-argument", one, "see the tool's own schema"
                )


def argument_schema(tool: BoundTool, name: str) -> dict[str, Any] | None:
    """Return the schema of one argument, with its definitions."""
    schema = tool.schema()
    found = schema.get("properties", {}).get(name)
    return {**found, "$defs": schema.get("$defs", {})} if isinstance(found, dict) else None


# Outputs that become inputs.


Schema = Mapping[str, Any]
_ANYTHING: Final = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def find_type_mismatches(context: CheckContext, precedence: Precedence) -> Iterator[Problem]:
    """Find fields that no output has, and values of a type that an argument cannot take."""
    del precedence
    for site in sites(context):
        reading = parse_expression(site.text)
        for path in () if reading.fault else sorted(reading.paths):
            source = _source(context, site, path)
            if source:
                yield from _unknown(context, site, path, *source)
        if (
            site.node
            and not reading.fault
            and reading.only
            and len(site.inside) == 2
            and site.inside[0] == "with"
        ):
            yield from _mismatch(context, site, site.node, reading.only)


def _source(context: CheckContext, site: ExpressionSite, path: Names) -> tuple[Schema, Names] | None:
    """Return the schema that a path begins in, and the fields read of it."""
    if path[0] == "input" and context.input_schema is not None:
        return context.input_schema, path[1:]
    if path[0] != "tasks" or len(path) < 2:
        return None
    node = context.seen(site.node, path[1]) if site.node else context.beside("").get(path[1])
    if site.after and site.node and site.node.is_body:
        node = context.beside(site.node.path).get(path[1], node)
    schema = _output_schema(context, node) if node else None
    return (schema, path[2:]) if schema else None


def _output_schema(context: CheckContext, node: TaskNode) -> Schema | None:
    if node.task.fallback:
        return None  # The fallback may have other fields.
    if node.is_group:
        members = {
            name: _output_schema(context, one) or {} for name, one in context.beside(node.path).items()
        }
        return {"type": "object", "properties": members}
    if node.kind is None or node.settings is None:
        return None
    return node.kind.output_schema(node.settings)


def _unknown(
    context: CheckContext, site: ExpressionSite, path: Names, schema: Schema, fields: Names
) -> Iterator[Problem]:
    read = list(path[: len(path) - len(fields)])
    for name in fields:
        schema = _items_of(schema)
        kinds = _kinds(schema)
        known = schema.get("properties")
        if not kinds & {"object", "array"} or (
            known and name not in known and not schema.get("additionalProperties")
        ):
            whole = "$" + ".".join(read)
            shown = (
                f"which is {' or '.join(sorted(kinds))}"
                if not known
                else f"it has {', '.join(list(known)[:12])}"
            )
            fix = did_you_mean(name, known, shown) if known else f"read {whole} itself, {shown}"
            yield context.problem(
                site.node, site.inside, "unknown-output", f"{whole} has no field {name!r}", fix
            )
            return
        if not known or name not in known:
            return
        schema = known[name]
        read.append(name)


def _items_of(schema: Schema) -> Schema:
    """Return the schema of a list's items, of which a name after a list is read."""
    for _ in range(10):
        if _kinds(schema) != {"array"}:
            break
        items = schema.get("items")
        schema = items if isinstance(items, dict) else {}
    return schema


def _mismatch(context: CheckContext, site: ExpressionSite, node: TaskNode, path: Names) -> Iterator[Problem]:
    tool = tool_of(node)
    wanted = argument_schema(tool, str(site.inside[1])) if tool else None
    source = _source(context, site, path)
    if wanted is None or source is None:
        return
    found = _at(*source)
    takes, brings = _kinds(wanted), _kinds(found) if found is not None else _ANYTHING
    takes |= {"integer"} if "number" in takes else set()
    brings_all = brings | ({"integer"} if "number" in brings else set())
    if not takes & brings_all:
        shown = "$" + ".".join(path)
        detail = f"{shown} is {' or '.join(sorted(brings))}, but {site.inside[1]!r} takes {' or '.join(sorted(takes))}"
        yield context.problem(
            node, site.inside, "type-mismatch", detail, f"convert it, or read another field than {shown}"
        )


def _at(schema: Schema, fields: Names) -> Schema | None:
    for name in fields:
        if _kinds(schema) != {"object"}:
            return None
        found = schema.get("properties", {}).get(name)
        if not isinstance(found, dict):
            return None
        schema = found
    return schema


def _kinds(schema: Schema) -> frozenset[str]:
    """Return the JSON types that a schema allows; all of them where it does not say."""
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return frozenset(
                kind for one in schema[word] for kind in _kinds({**one, "$defs": schema.get("$defs", {})})
            )
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        found = schema.get("$defs", {}).get(name)
        return (
            _kinds({k: v for k, v in found.items() if k != "$ref"}) if isinstance(found, dict) else _ANYTHING
        )
    said = schema.get("type")
    if isinstance(said, str):
        return frozenset({said})
    return frozenset(said) if isinstance(said, list) else _ANYTHING
