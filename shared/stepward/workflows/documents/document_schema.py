"""Generate the JSON Schema of a workflow document from the models."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from pydantic import BaseModel

from stepward.domain.durations import A_YEAR_S
from stepward.domain.retries import Backoff, Retry
from stepward.domain.workflows import Policy, TaskDefinition, Transition, WorkflowDefinition
from stepward.tasks.base import TaskType
from stepward.tasks.catalog import CATALOG, find_type
from stepward.workflows.documents.aliases import (
    ERROR_HANDLING,
    ERROR_RULES,
    RETRY_NAMES,
    TASK_NAMES,
    WORKFLOW_NAMES,
)
from stepward.workflows.documents.schema_fields import (
    NULL,
    OF_TASK,
    OF_WORKFLOW,
    UNOFFERED,
    Schema,
    any_of,
    described,
    inlined,
    maybe_expression,
    or_null,
    with_other_names,
)
from stepward.workflows.documents.type_inference import given, type_markers, type_questions

ID: Final = "urn:stepward:schemas:workflow:1"
_ANYTHING: Final[Schema] = {}
_NOTHING: Final[Schema] = {**NULL, **UNOFFERED}
_NO_TASKS: Final[Schema] = {
    "type": ["null", "array", "object"],
    "maxItems": 0,
    "maxProperties": 0,
    **UNOFFERED,
}
_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_WHOLE_SECONDS: Final[Schema] = {"type": "number", "multipleOf": 1, "minimum": 1, "maximum": A_YEAR_S}
_RULE: Final[Schema] = {
    "anyOf": [
        {"enum": ["fail", "continue"]},
        # As a pattern: editors offer the values of every `enum`, and these are only taken.
        {"type": "string", "pattern": f"^({'|'.join(('fail-fast', *ERROR_RULES))})$", **UNOFFERED},
    ]
}


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a workflow document.

    A file that begins with `# yaml-language-server: $schema=…` is completed by editors.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "Stepward workflow",
        "description": _first_sentence(WorkflowDefinition),
        **_closed(_workflow_fields(), ["id", "name", "version", "tasks"]),
        "$defs": _definitions(),
    }


@cache
def _definitions() -> Schema:
    return {
        "tasks": _tasks(),
        "task": _any_task(),
        **{f"task_{name}": _task_of(find_type(name)) for name in CATALOG},
        "expression": {
            "type": "string",
            "description": "JSONata in {% … %}",
            "pattern": r"^\s*\{%[\s\S]*%\}\s*$",
        },
        "retry": _retry(),
        "transition": {"anyOf": [_TEXT, _plain(Transition)]},
        "policy": _plain(Policy),
        "error_handling": _error_handling(),
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _closed(fields: Schema, required: list[str] | None = None) -> Schema:
    return {"type": "object", "properties": fields, "additionalProperties": False} | (
        {"required": required} if required else {}
    )


def _first_sentence(model: type[Any]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _plain(model: type[BaseModel]) -> Schema:
    """Return the schema of a model that has neither aliases nor short forms."""
    made = inlined(model.model_json_schema())
    return {**_closed(made["properties"], made.get("required")), "description": _first_sentence(model)}


def _workflow_fields() -> Schema:
    made = _own_fields(
        WorkflowDefinition, {"tasks", "retry", "policy", "timeout_s", "on_error", "input", "output"}
    )
    fields = made | {
        "tasks": _ref("tasks"),
        "retry": _ref("retry"),
        "policy": _ref("policy"),
        "timeout_s": {**_WHOLE_SECONDS, "default": WorkflowDefinition.model_fields["timeout_s"].default},
        "on_error": {**_RULE, "default": WorkflowDefinition.model_fields["on_error"].default},
        "tags": _TEXTS,
        "input": {"type": "object"},
        "output": _ANYTHING,
        "dependencies": {"type": "object", "additionalProperties": {"anyOf": [_TEXTS, {"type": "null"}]}},
        "error_handling": _ref("error_handling"),
    }
    return or_null(with_other_names(described(fields, OF_WORKFLOW), WORKFLOW_NAMES))


def _own_fields(model: type[BaseModel], without: set[str]) -> Schema:
    """Return the schemas of a model's fields, without those that are replaced here."""
    made: Schema = model.model_json_schema()
    known = made.get("$defs", {})
    found = known.get(model.__name__, made)["properties"]
    return {name: inlined(one, known) for name, one in found.items() if name not in without}


def _common_fields() -> Schema:
    special = {
        "type",
        "needs",
        "retry",
        "fallback",
        "timeout_s",
        "compensate",
        "next",
        "tasks",
        "settings",
        "when",
        "with",
    }
    fields = _own_fields(TaskDefinition, special | {"on_error"}) | {
        "type": {"enum": list(CATALOG)},
        "needs": _TEXTS,
        "when": {"type": "string", "maxLength": 4_000},
        "with": {"type": "object"},
        "retry": _ref("retry"),
        "on_error": _RULE,
        "fallback": _ANYTHING,
        "timeout_s": _WHOLE_SECONDS,
        "compensate": _ref("task"),
        "next": {"anyOf": [_ref("transition"), {"type": "array", "items": _ref("transition")}]},
        "outputs": {"type": "object", "additionalProperties": _TEXT},
        "error_handling": _ref("error_handling"),
        "max_retries": {"type": "integer", "minimum": 0, "maximum": 9, **UNOFFERED},
    }
    return described(fields, OF_TASK)


def _task_of(kind: TaskType[Any]) -> Schema:
    """Return the whole schema of a task of one type.

    It is closed, so that an unknown field is found wherever the type is known.
    """
    settings = kind.settings.model_json_schema()
    known = settings.get("$defs", {})
    own = {
        name: maybe_expression(inlined(one, known), _ref("expression") if name in kind.expressions else None)
        for name, one in settings.get("properties", {}).items()
    }
    fields = {**_common_fields(), "type": {"const": kind.name, "description": kind.purpose}, **own}
    if kind.holds_tasks:
        # A single task may stand for itself in `do`, where a mapping is that task and not one of ids.
        one_or_more = {"anyOf": [_ref("task"), {"type": "array", "items": _ref("task")}]}
        # Null tasks count as not given: they may stand below another name.
        tasks = any_of(_ref("tasks"), NULL)
        fields |= described({"tasks": tasks, "do": one_or_more}, OF_TASK)
    names = _names_for(kind)
    every = or_null(with_other_names(fields, names))
    unused = {name: _NOTHING for name in (*TASK_NAMES, *TASK_NAMES.values()) if name not in every}
    if not kind.holds_tasks:
        unused |= {"tasks": _NO_TASKS, "do": _NOTHING, "parallel": _NOTHING}
    needed = [_needed(name, names) for name in settings.get("required", [])]
    return {
        **_closed({**every, **unused}),
        "description": kind.purpose,
        **({"allOf": needed} if needed else {}),
    }


def _names_for(kind: TaskType[Any]) -> dict[str, str]:
    names = {
        name: house for name, house in TASK_NAMES.items() if name not in {"do", "max_retries", "parallel"}
    }
    return names | dict(kind.aliases)


def _needed(field: str, names: dict[str, str]) -> Schema:
    known = [field, *(name for name, house in names.items() if house == field)]
    return {
        "anyOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in known]
    }


def _tasks() -> Schema:
    named = {"allOf": [_ref("task"), {"required": ["id"]}]}
    # A choice instead of `anyOf`, so that an editor tells what is wrong with the one that is meant.
    return {
        "type": ["array", "object"],
        "if": {"type": "array"},
        "then": {"minItems": 1, "items": named},
        "else": {"minProperties": 1, "additionalProperties": _ref("task")},
    }


def _any_task() -> Schema:
    """Choose the schema by `type`, or by the field that implies it."""
    typed = given("type")
    by_type = [
        _choice({"required": ["type"], "properties": {"type": {"const": name}}}, name) for name in CATALOG
    ]
    implied = [_choice({"not": typed, **question}, name) for name, question in type_questions().items()]
    nothing = {
        "if": {"not": {"anyOf": [typed, *type_questions().values()]}},
        "then": {"required": ["type"], "properties": _begun()},
    }
    return {
        "type": "object",
        "properties": {"type": {"enum": [*CATALOG, None], "description": OF_TASK["type"]}},
        "allOf": [*by_type, *implied, nothing],
    }


def _begun() -> Schema:
    """Return what an editor offers while no field implies the type yet.

    What a field may hold is only said where the type is known.
    """
    tells = {
        name: f"{find_type(kind).purpose} (Makes it a task of type {kind}.)"
        for name, kind in type_markers().items()
    }
    return {name: {"description": said} for name, said in {**tells, **OF_TASK}.items() if name != "type"}


def _choice(question: Schema, name: str) -> Schema:
    return {"if": question, "then": _ref(f"task_{name}")}


def _retry() -> Schema:
    made = inlined(Retry.model_json_schema())["properties"]
    made["strategy"] = any_of(
        {**made["strategy"], "default": Backoff.EXPONENTIAL.value}, {**_TEXT, **UNOFFERED}
    )
    after_the_first = {"type": "integer", "minimum": 0, "maximum": 9, "description": OF_TASK["max_retries"]}
    fields = with_other_names(made, RETRY_NAMES) | {"max_retries": {**after_the_first, **UNOFFERED}}
    return {
        "description": "A number of attempts in all, or a rule.",
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 10}, _closed(fields)],
    }


def _error_handling() -> Schema:
    fields = {name: {"description": f"Stands for `{house}`."} for name, house in ERROR_HANDLING.items()}
    return {"anyOf": [_RULE, {"const": "retry"}, _closed(fields)]}
