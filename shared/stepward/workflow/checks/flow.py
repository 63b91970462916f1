"""What one task declares to bring must be what the other declares to take, as far as both are known before a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepward.domain.documents.problems import Problem, meant
from stepward.workflow.checks.arguments import argument_schema, tool_of
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.reading import Names, read_expression
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import Site, sites

Schema = Mapping[str, Any]
_ANYTHING: Final = frozenset({"string", "integer", "number", "boolean", "object", "array", "null"})


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find fields that nobody brings, and values of a kind that a tool's argument cannot take."""
    del orders
    for site in sites(scene):
        reading = read_expression(site.text)
        for path in () if reading.fault else sorted(reading.paths):
            source = _source(scene, site, path)
            if source:
                yield from _unknown(scene, site, path, *source)
        if (
            site.spot
            and not reading.fault
            and reading.only
            and len(site.inside) == 2
            and site.inside[0] == "with"
        ):
            yield from _mismatch(scene, site, site.spot, reading.only)


def _source(scene: Scene, site: Site, path: Names) -> tuple[Schema, Names] | None:
    """Give the schema that a path begins in, and the fields read of it."""
    if path[0] == "input" and scene.input_schema is not None:
        return scene.input_schema, path[1:]
    if path[0] != "tasks" or len(path) < 2:
        return None
    spot = scene.seen(site.spot, path[1]) if site.spot else scene.beside("").get(path[1])
    if site.after and site.spot and site.spot.is_body:
        spot = scene.beside(site.spot.path).get(path[1], spot)
    schema = _output_schema(scene, spot) if spot else None
    return (schema, path[2:]) if schema else None


def _output_schema(scene: Scene, spot: Spot) -> Schema | None:
    if spot.task.fallback:
        return None  # What stands in may have other fields.
    if spot.is_group:
        members = {name: _output_schema(scene, one) or {} for name, one in scene.beside(spot.path).items()}
        return {"type": "object", "properties": members}
    if spot.kind is None or spot.settings is None:
        return None
    return spot.kind.output_schema(spot.settings)


def _unknown(scene: Scene, site: Site, path: Names, schema: Schema, fields: Names) -> Iterator[Problem]:
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
            fix = meant(name, known, shown) if known else f"read {whole} itself, {shown}"
            yield scene.problem(
                site.spot, site.inside, "unknown-output", f"{whole} has no field {name!r}", fix
            )
            return
        if not known or name not in known:
            return
        schema = known[name]
        read.append(name)


def _items_of(schema: Schema) -> Schema:
    """A name after a list is read of each of its items."""
    for _ in range(10):
        if _kinds(schema) != {"array"}:
            break
        items = schema.get("items")
        schema = items if isinstance(items, dict) else {}
    return schema


def _mismatch(scene: Scene, site: Site, spot: Spot, path: Names) -> Iterator[Problem]:
    tool = tool_of(spot)
    wanted = argument_schema(tool, str(site.inside[1])) if tool else None
    source = _source(scene, site, path)
    if wanted is None or source is None:
        return
    found = _at(*source)
    takes, brings = _kinds(wanted), _kinds(found) if found is not None else _ANYTHING
    takes |= {"integer"} if "number" in takes else set()
    brings_all = brings | ({"integer"} if "number" in brings else set())
    if not takes & brings_all:
        shown = "$" + ".".join(path)
        detail = f"{shown} is {' or '.join(sorted(brings))}, but {site.inside[1]!r} takes {' or '.join(sorted(takes))}"
        yield scene.problem(
            spot, site.inside, "type-mismatch", detail, f"convert it, or read another field than {shown}"
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
    """Name the kinds of values that a schema allows; all of them where it does not say."""
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
