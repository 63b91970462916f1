"""Implement `stepward workflows types`: show the fields of task types.

They are read from the schema of the stage, so that they are what that stage takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from stepward.cli import output
from stepward.cli.connection import JsonOption, KeyOption, UrlOption, connect_or_offline
from stepward.cli.exit_codes import EPILOG, InputError
from stepward.domain.nearest import nearest

_PREFIX: Final = "task_"
TYPES_HELP = """List the task types, or show all fields of one.

A field with * is required.

Examples:

  stepward workflows types

  stepward workflows types human

  stepward workflows types --json | jq -r '.types[].type'
"""


@dataclass(frozen=True)
class Field:
    """One field of tasks of a type; `is_own` where not every type has it."""

    name: str
    schema: dict[str, Any]
    is_needed: bool
    is_own: bool

    def shown(self) -> dict[str, Any]:
        """The field as `--json` has it."""
        default = {"default": self.schema["default"]} if "default" in self.schema else {}
        facts = {"takes": takes(self.schema), "required": self.is_needed, "own": self.is_own}
        return {"name": self.name, **facts, **default, "description": self.schema.get("description", "")}

    def __str__(self) -> str:
        """Return the name, with * if the field is required."""
        return f"{self.name}*" if self.is_needed else self.name


@dataclass(frozen=True)
class Type:
    """A task type."""

    name: str
    purpose: str
    fields: list[Field]

    @property
    def own(self) -> list[Field]:
        """The fields that not every type has."""
        return [one for one in self.fields if one.is_own]

    def shown(self) -> dict[str, Any]:
        """The type as `--json` has it."""
        return {"type": self.name, "does": self.purpose, "fields": [one.shown() for one in self.fields]}


def types_of(schema: dict[str, Any]) -> list[Type]:
    """Read the types from the schema of documents, without fields that editors do not offer."""
    found = {
        name.removeprefix(_PREFIX): made
        for name, made in schema["$defs"].items()
        if name.startswith(_PREFIX) and "properties" in made
    }
    offered = {name: _offered(made) for name, made in found.items()}
    common = set.intersection(*map(set, offered.values())) if offered else set()
    return [
        Type(name, made["description"], _fields(made, offered[name], common)) for name, made in found.items()
    ]


def _offered(made: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in made["properties"].items() if not one.get("doNotSuggest")}


def _fields(made: dict[str, Any], offered: dict[str, Any], common: set[str]) -> list[Field]:
    needed = {one["anyOf"][0]["required"][0] for one in made.get("allOf", [])}
    fields = [Field(name, one, name in needed, name not in common) for name, one in offered.items()]
    return sorted(fields, key=lambda one: (not one.is_own, not one.is_needed))


def takes(schema: dict[str, Any]) -> str:
    """Describe the values of a field in a word or two."""
    words = [word for word in dict.fromkeys(_words(schema)) if word != "null"]
    return " or ".join(words) or "anything"


def _words(schema: dict[str, Any]) -> Iterator[str]:
    if schema.get("doNotSuggest"):
        return
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from _words(one)
    elif "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2].replace("_", " ")
    elif "enum" in schema or "const" in schema:
        yield from (str(one) for one in schema.get("enum", [schema.get("const")]) if one is not None)
    else:
        said = schema.get("type", [])
        yield from [said] if isinstance(said, str) else said


def types(
    name: Annotated[str | None, typer.Argument(metavar="TYPE", help="The type to show.")] = None,
    url: UrlOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show task types and their fields."""
    with connect_or_offline(url, key) as stepward:
        known = types_of(stepward.workflows.schema())
    if name is not None:
        known = [_named(name, known)]
    if as_json:
        output.write_json({"types": [one.shown() for one in known]})
    elif name is None:
        _show_all(known)
    else:
        _show_one(known[0])


def _named(name: str, known: list[Type]) -> Type:
    names = [one.name for one in known]
    if name not in names:
        near = nearest(name, names)
        fix = f"Did you mean {near!r}?" if near else f"Use one of {', '.join(names)}."
        raise InputError(f"there is no task type {name!r}.", fix)
    return known[names.index(name)]


def _show_all(known: list[Type]) -> None:
    table = output.table("type", "does", "fields of its own")
    for one in known:
        cells = (one.name, one.purpose, ", ".join(map(str, one.own)))
        table.add_row(*map(output.as_cell, cells))
    output.show(table)
    output.say("* is required. All fields of one: stepward workflows types TYPE", style="dim")


def _show_one(kind: Type) -> None:
    output.say(kind.purpose)
    table = output.table("field", "takes", "default", "what it is for")
    for one in kind.fields:
        default = output.as_line(one.schema["default"]) if "default" in one.schema else ""
        cells = (one, takes(one.schema), default, one.schema.get("description", ""))
        table.add_row(*map(output.as_cell, cells))
    output.show(table)


def attach(app: typer.Typer) -> None:
    """Put the command on the group."""
    app.command("types", help=TYPES_HELP, epilog=EPILOG)(types)
