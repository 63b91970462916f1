"""The JSON Schema of an agent's file, made of its model, so that editors complete and check what people write."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stepward.agents.schema_words import SHORT_FORMS_SAID, VERSION_SAID, WORDS
from stepward.domain.agents import AgentDefinition
from stepward.domain.spellings import FIELDS, MEMBERS, MODEL_SETTINGS, MOST_MEMBERS
from stepward.domain.tool_use import SHORT_FORMS
from stepward.models.cards import ALIASES, offered_models
from stepward.tools.catalog import CATALOG

Schema = dict[str, Any]

ID: Final = "urn:stepward:schemas:agent:1"
_HIDDEN: Final[Schema] = {"doNotSuggest": True}
"""For language servers: the field is taken, but another one is offered in its place."""
_NAMES_OF_BOUNDS: Final = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
}
"""What the models' own schema calls bounds of a value that may be null."""
_NEEDED: Final = ("id", "name", "version")


@cache
def agent_schema() -> Schema:
    """Give the schema (draft 2020-12); begin a file with `# yaml-language-server: $schema=…` to have it completed.

    Returns:
        The schema, with the other names that are understood, which editors do not offer.
    """
    made = AgentDefinition.model_json_schema()
    parts = {name: _part(name, one) for name, one in made.pop("$defs").items()}
    parts["ToolUse"] = _tool_use(parts["ToolUse"])
    whole = _part("AgentDefinition", made)
    fields = _with_model_names(whole["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Stepward agent",
        "description": "One version of an agent.",
        **_closed({**fields, **_other_names(fields, parts), "team": _team(parts["ToolUse"])}),
        "required": list(_NEEDED),
        "allOf": [_one_of("prompt"), {"anyOf": [{"required": ["model"]}, _has_model()]}],
        "$defs": parts,
    }


def _part(name: str, schema: Schema) -> Schema:
    """Shape one model's schema: without class names, with what each field is for."""
    shaped: Schema = _plain(schema)
    words = WORDS.get(name, {})
    for field, one in shaped.get("properties", {}).items():
        if field in words:
            one["description"] = words[field]
    if "description" in shaped:
        shaped["description"] = shaped["description"].partition("\n")[0]
    return shaped


def _plain(value: Any, within: str = "") -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if within == "properties":
        return {name: _plain(one, "field") for name, one in value.items()}
    return {
        _NAMES_OF_BOUNDS.get(name, name): _plain(one, name)
        for name, one in value.items()
        if name != "title" and not (name == "default" and one in (None, "", [], {}))
    }


def _closed(fields: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(fields), "additionalProperties": False}


def _with_model_names(fields: Schema) -> Schema:
    known = [*ALIASES, *offered_models()]
    return {**fields, "model": {**fields["model"], "examples": known}}


def _tool_use(part: Schema) -> Schema:
    """Let the short forms stand in place of `tool`, and offer the gallery's names."""
    fields = part["properties"]
    said = fields["tool"]
    own = {"type": "string", "pattern": r"^[^.]+\.[^.]+$"}
    tool = {**said, "anyOf": [{"enum": list(CATALOG)}, own]}
    short = {word: {"type": "string", "description": SHORT_FORMS_SAID[word]} for word in SHORT_FORMS}
    version = {"type": "string", "description": VERSION_SAID}
    ways = [{"required": [word]} for word in ("tool", *SHORT_FORMS)]
    with_version = {"version": {"not": {"required": ["tool"]}}}
    return {
        "description": part["description"],
        **_closed({**fields, "tool": tool, **short, "version": version}),
        "oneOf": ways,
        "dependentSchemas": with_version,
    }


def _other_names(fields: Schema, parts: Schema) -> Schema:
    others = {name: _other(name, _at(place, fields, parts), place) for name, place in FIELDS.items()}
    settings = {
        name: {**_at(place, fields, parts), "description": f"Becomes `{place}`."}
        for name, place in MODEL_SETTINGS.items()
    }
    config = {
        "description": "Another way to say `model` and what belongs to it.",
        **_closed(settings),
        **_HIDDEN,
    }
    return {**others, "llm_config": config}


def _at(place: str, fields: Schema, parts: Schema) -> Schema:
    group, _, field = place.rpartition(".")
    found: Schema = parts[group.capitalize()]["properties"][field] if group else fields[field]
    return found


def _other(name: str, schema: Schema, place: str) -> Schema:
    # A whole number of seconds may be written as 30.0 under this name.
    whole = {"type": "number", "multipleOf": 1} if name == "timeout" else {}
    return {**schema, **whole, "description": f"Another name of `{place}`.", **_HIDDEN}


def _one_of(field: str) -> Schema:
    names = [field, *(name for name, place in FIELDS.items() if place == field)]
    return {"oneOf": [{"required": [name]} for name in names]}


def _has_model() -> Schema:
    return {"required": ["llm_config"], "properties": {"llm_config": {"required": ["model"]}}}


def _team(tool_use: Schema) -> Schema:
    known = tool_use["properties"]
    member = _closed(
        {
            "agent": {"type": "string", "description": "The member's id."},
            "as": {
                "enum": list(MEMBERS),
                "description": "tool: it is asked; handoff: it takes the run over.",
            },
            "version": {"type": "string", "description": "Which version, or a label."},
            "name": known["name"],
            "description": known["description"],
        }
    )
    return {
        "type": "array",
        "maxItems": MOST_MEMBERS,
        "items": {**member, "required": ["agent"]},
        "description": "Agents that work for this one, each asked as a tool or handed over to.",
    }
