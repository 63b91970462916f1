"""The JSON Schema of an agent's file, derived from its model, for editors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.aliases import FIELDS, MEMBERS, MODEL_SETTINGS, MOST_MEMBERS
from stepward.domain.tools import SHORT_FORMS
from stepward.models.cards import ALIASES, offered_models
from stepward.tools.catalog import CATALOG

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "AgentDefinition": {
        "id": "The agent's id for life: small letters, digits and dashes.",
        "name": "What people call it.",
        "version": "Three numbers, as in 1.0.0; what a version says never changes.",
        "description": "What it is for, in a few sentences.",
        "capabilities": "What kind of work it is for, so that others can find it.",
        "module": "A word by which lists are narrowed: the part of your product that it belongs to.",
        "category": "A word by which lists are narrowed.",
        "tags": "Words by which lists are narrowed, each once.",
        "model": "The model's id, or an alias such as balanced; it must have a price.",
        "llm_backend": "The provider that the model must be of; checked, and not kept.",
        "temperature": "How much the model varies its answers; only where the model takes one.",
        "effort": "How much effort the model puts into an answer, where the model has such a setting.",
        "thinking": "Whether the model thinks before it answers; only where that is a choice.",
        "cache": "How long the provider keeps the prompt's beginning, which makes repeated prompts cheap: off, 5m or 1h.",
        "response_cache": "Gives a call that is equal to an earlier one the reply that the model gave then.",
        "fallbacks": "Models to ask, in this order, where the one before does not answer.",
        "context": "How much of a long conversation the model is shown; without it, as much as it can read.",
        "prompt": "The system prompt, or a prompt of the registry by its version or a label, as in support-system@prod.",
        "prompt_variables": "Values for the variables of a prompt of the registry; the run's input gives the others.",
        "input_schema": "The JSON Schema of what a run is given; without one any text or object goes.",
        "output_schema": "The JSON Schema of the answer, a JSON object; without one the answer is any text.",
        "tools": "What it may use: tools, other agents, people, workflows.",
        "dependencies": "Ids of agents that must be READY when it is registered.",
        "memory_config": "What it wants to remember beyond a run; this release keeps no memory, so leave it out.",
        "priority": "How soon its runs get their turn: 8 and more before, 3 and less after all others.",
        "max_retries": "How often a run asks its model again after a passing failure; without it, until its deadline.",
        "limits": "What one run of it may take.",
        "rehearsal": "The script that stands in for the model.",
    },
    "Limits": {
        "max_iterations": "How many turns a run may take.",
        "max_output_tokens": "How long one answer of the model may be, in tokens.",
        "cost_limit_usd": "What a run may cost, in US dollars.",
        "timeout_s": "How long a run may take, in seconds.",
        "refuse_over_budget": "Whether a start is refused when the most that the run could cost does not fit the limits.",
    },
    "ContextConfig": {
        "max_tokens": "How long a prompt may be, in tokens, where less than the model can read.",
        "summarise": "The model that sums up what is left out, such as fast; off, and without it, the calls are listed.",
    },
    "ResponseCacheConfig": {
        "ttl_s": "For how long a reply is given again, in seconds: 1 to 31,536,000.",
    },
    "MemoryConfig": {
        "session_ttl_s": "How long a conversation is remembered, in seconds.",
        "long_term": "What is remembered permanently.",
        "most_recalled": "How many memories are recalled at most.",
    },
    "ToolUse": {
        "tool": "A built-in tool, or a function of your own as folder.function.",
        "name": "What the model calls it. Default: the tool's own name.",
        "description": "The description that the model sees. Default: the tool's own.",
        "config": "The tool's settings; `stepward tools show TOOL` says which it takes.",
        "timeout_s": "How long one attempt at a call may take, in seconds.",
        "retry": "When a call that failed is tried again.",
        "concurrency": "How many calls of it are made at once.",
        "cost_usd": "What one attempt at a call costs, in US dollars.",
        "approval": "Whom to ask before a call is made.",
    },
    "Guard": {
        "approvers": "Who may decide. Without any, every principal of the tenant may.",
        "not_requester": "Whether the one who started the run may not decide.",
        "timeout_s": "How long the answer is waited for, in seconds.",
        "form": "What there is to fill in.",
        "reminder_after_s": "After how many seconds of waiting a reminder is sent.",
        "escalate_after_s": "After how many seconds of waiting `escalate_to` may decide too.",
        "escalate_to": "Who may decide too once `escalate_after_s` have passed.",
        "question": "What the person reads.",
    },
    "Rehearsal": {"turns": "What is answered at each turn, in order."},
    "ScriptedTurn": {
        "choose": "Replies of which the first is taken whose `when` holds.",
        "repeat": "On the last turn: whether it answers every later turn too.",
        "when": "The reply is taken if this holds: an expression.",
        "say": "What is answered.",
        "call": "The tools that are called.",
    },
    "ScriptedReply": {
        "when": "The reply is taken if this holds: an expression.",
        "say": "What is answered.",
        "call": "The tools that are called.",
    },
    "ScriptedCall": {
        "tool": "The name by which the agent calls the tool.",
        "arguments": "What it is called with; a text that is wholly {% … %} is an expression.",
        "arguments_text": "In place of `arguments`: a text, to rehearse JSON that cannot be read.",
    },
}


SHORT_FORMS_SAID: Final[Mapping[str, str]] = {
    "agent": "In place of `tool`: another agent's id, which is asked and answers.",
    "handoff": "In place of `tool`: another agent's id, which takes the run over.",
    "workflow": "In place of `tool`: a workflow's id, which is run and answers with its output.",
}


VERSION_SAID: Final = "Beside `agent`, `handoff` or `workflow`: which version, or an agent's label."
Schema = dict[str, Any]
ID: Final = "urn:stepward:schemas:agent:1"
_HIDDEN: Final[Schema] = {"doNotSuggest": True}
"""For language servers: the field is accepted, but another one is offered in its place."""
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
    """Return the JSON Schema (draft 2020-12) of an agent's file.

    Begin a file with `# yaml-language-server: $schema=…` to have it completed.

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
    """Shape one model's schema: no class names, and a description for each field."""
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
    """Allow the short forms in place of `tool`, and list the catalog's names."""
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
