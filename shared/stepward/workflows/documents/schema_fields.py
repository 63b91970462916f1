"""Describe the fields of the published JSON Schema, and adapt their schemas."""

from __future__ import annotations

from typing import Any, Final

from stepward.workflows.documents.aliases import MAY_BE_NULL

# Shapes.


Schema = dict[str, Any]

NULL: Final[Schema] = {"type": "null"}
UNOFFERED: Final[Schema] = {"doNotSuggest": True}
"""For language servers: the field is accepted, but another is offered in its place."""
_ALWAYS_SAID: Final = frozenset({"id", "version", "tasks"})
_SHOWN: Final = ("description", "default", "doNotSuggest")


def inlined(schema: Any, known: Schema | None = None) -> Any:
    """Replace the references in a schema by what they refer to, without class names.

    The result can then be put into another schema.
    """
    known = schema.get("$defs", {}) if known is None and isinstance(schema, dict) else known or {}
    if isinstance(schema, list):
        return [inlined(one, known) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {name: one for name, one in schema.items() if name != "$ref"}
        return inlined({**known[schema["$ref"].rpartition("/")[2]], **beside}, known)
    return {name: inlined(one, known) for name, one in schema.items() if not _is_noise(name, one)}


def _is_noise(name: str, value: Any) -> bool:
    """Return whether an editor is better off without a keyword, such as an empty default."""
    is_empty = value is None or value in ("", [], {})
    return name == "$defs" or (name == "title" and isinstance(value, str)) or (name == "default" and is_empty)


def any_of(schema: Schema, other: Schema) -> Schema:
    """Allow an alternative for a value; annotations stay outside, so that they show once."""
    shown = {name: one for name, one in schema.items() if name in _SHOWN}
    bare = {name: one for name, one in schema.items() if name not in _SHOWN}
    choices = bare.pop("anyOf", None) or [bare]
    return {"anyOf": [*choices, *([] if other in choices else [other])], **shown}


def maybe_expression(schema: Schema, expression: Schema | None) -> Schema:
    """Allow a single name for a list of names, and an expression where it is evaluated."""
    if schema.get("type") == "array" and schema["items"].get("type") == "string":
        return any_of(schema, {"type": "string"})
    return any_of(schema, expression) if expression and schema.get("type") else schema


def described(fields: Schema, words: dict[str, str]) -> Schema:
    """Add descriptions to fields."""
    return {
        name: {**one, **({"description": words[name]} if name in words else {})}
        for name, one in fields.items()
    }


def or_null(fields: Schema) -> Schema:
    """Allow null for a field, which counts as not given."""
    return {
        name: one if name in MAY_BE_NULL | _ALWAYS_SAID or not one.keys() - _SHOWN else _nullable(one)
        for name, one in fields.items()
    }


def _nullable(schema: Schema) -> Schema:
    choices = schema.get("anyOf", [])
    if len(choices) == 2 and NULL in choices and "type" in choices[0]:
        schema = {**choices[0], **{name: one for name, one in schema.items() if name != "anyOf"}}
    if isinstance(schema.get("type"), str) and not schema.keys() & {"enum", "const"}:
        return {**schema, "type": [schema["type"], "null"]}
    return any_of(schema, NULL)


def with_other_names(fields: Schema, names: dict[str, str]) -> Schema:
    """Accept the aliases of fields, without offering them."""
    other = {
        name: {**fields[house], "description": f"Another name of `{house}`.", **UNOFFERED}
        for name, house in names.items()
        if house in fields and name not in fields
    }
    return {**fields, **other}


# Descriptions.


OF_WORKFLOW: Final = {
    "id": "The workflow's name in addresses: small letters, digits and dashes.",
    "name": "What people call it.",
    "version": "Three numbers, as in 1.0.0. A version that is registered never changes.",
    "description": "What it is for.",
    "tags": "Words to find it by.",
    "input": "The JSON Schema of a run's input; without one anything goes.",
    "tasks": "The tasks, as a list, or as a mapping of their ids.",
    "start": "Makes the graph a state machine: it begins with this task and goes where `next` says.",
    "output": "The run's output: a value with expressions. Default: the outputs of the last tasks.",
    "retry": "When a failed task is tried again, unless the task says it otherwise.",
    "on_error": "What a task's final failure does: `fail` ends the run, `continue` lets the others go on.",
    "allow_partial": "Tasks may fail: the run is then PARTIALLY_COMPLETED, unless an important one or most of them did.",
    "max_parallel": "How many tasks run at once at most.",
    "timeout_s": "How many seconds a run may take.",
    "priority": "How soon its runs, and those of its agents, leave the queue for a slot.",
    "cost_limit_usd": "What a run may cost at most, in dollars.",
    "policy": "What must be proved of the graph before a version is kept.",
    "dependencies": "Another way to say `needs`: {task: [tasks that it needs]}.",
    "error_handling": "Another way to say `on_error`, `allow_partial` and `retry`.",
}
OF_TASK: Final = {
    "id": "The task's name in expressions, as in $tasks.draft: letters, digits and _.",
    "type": "The task's type; optional where another field implies it.",
    "name": "What people call it.",
    "description": "What it does; it becomes the comment of its state.",
    "needs": "The tasks that must have ended before it starts.",
    "when": "An expression; if it is false the task is skipped.",
    "run_when": "Whether it runs when all tasks that it needs completed, when any did, or always.",
    "with": "Its inputs: values, and expressions in {% … %}.",
    "retry": "When a failed attempt is made again: a number of attempts, or a rule.",
    "on_error": "What its final failure does: `fail` ends the run, `continue` lets the others go on.",
    "fallback": "The output to use when it fails for good.",
    "timeout_s": "How many seconds it may take.",
    "priority": "1 to 10; the failure of a task of 8 or more fails the run.",
    "data": "What its output holds: `pii`, or `redacted` if nothing personal is left in it.",
    "compensate": "The task that undoes it when the run fails after it.",
    "next": "Where a state machine goes from here: the first way whose `when` holds.",
    "max_visits": "How often a state machine may come by.",
    "tasks": "The tasks within, as a list, or as a mapping of their ids.",
    "do": "The tasks within; one may stand for itself.",
    "outputs": "Where its output goes: {field: task.input}; the other task then needs this one.",
    "error_handling": "Another way to say `on_error`, `retry` and `fallback`.",
    "max_retries": "How often it is tried again.",
}
