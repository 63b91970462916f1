"""Map the other names that people know to a document's fields and values."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from stepward.domain.workflows import COMMON_FIELDS, WorkflowDefinition
from stepward.tasks.catalog import all_types

WORKFLOW_NAMES: Final = {
    "retry_config": "retry",
    "max_parallel_agents": "max_parallel",
    "timeout": "timeout_s",
    "cost_limit": "cost_limit_usd",
    "allow_partial_completion": "allow_partial",
    "input_schema": "input",
    "outputs": "output",
}
TASK_NAMES: Final = {
    "agent_id": "agent",
    "tool_id": "tool",
    "workflow_id": "workflow",
    "inputs": "with",
    "condition": "when",
    "depends_on": "needs",
    "dependencies": "needs",
    "retry_config": "retry",
    "max_retries": "retry",
    "timeout": "timeout_s",
    "cost_limit": "cost_limit_usd",
    "foreach": "items",
    "do": "tasks",
    "parallel": "tasks",
    "expression": "test",
    "else": "otherwise",
}
RETRY_NAMES: Final = {
    "max_retries": "max_attempts",
    "base_delay": "base_s",
    "max_delay": "max_s",
    "exponential_base": "exponent_base",
}
STRATEGIES: Final = {
    "constant_delay": "constant",
    "fixed": "constant",
    "linear_backoff": "linear",
    "exponential_backoff": "exponential",
}
ERROR_RULES: Final = {
    "fail_fast": "fail",
    "failfast": "fail",
    "stop": "fail",
    "abort": "fail",
    "ignore": "continue",
}
ERROR_HANDLING: Final = {
    "strategy": "on_error",
    "on_error": "on_error",
    "allow_partial": "allow_partial",
    "allow_partial_completion": "allow_partial",
    "retry": "retry",
    "retry_config": "retry",
    "fallback": "fallback",
}
"""What `error_handling` may hold → the field that it sets."""

MAY_BE_NULL: Final = frozenset({"output", "collect", "details", "fallback"})
"""Fields whose null is a value; every other null field counts as not given."""

KNOWN_TO_WORKFLOWS: Final = frozenset({*WorkflowDefinition.model_fields, "dependencies", "error_handling"})
KNOWN_TO_TASKS: Final = (COMMON_FIELDS | set(TASK_NAMES.values()) | {"outputs", "error_handling"}) - {
    "settings"
}


def task_names(task: dict[str, Any]) -> dict[str, str]:
    """Return the aliases that apply to one task, mapped to their fields.

    A type may override them: `when` of a condition that has no type yet stays `when`, and its `condition` is its
    `test`. Without a type, a marker field that is no alias of the type's own decides.
    """
    names = dict(TASK_NAMES)
    said = {TASK_NAMES.get(name, name) for name, value in task.items() if value is not None}
    for kind, markers, own in _names_of_types():
        if task.get("type") == kind or not said.isdisjoint(markers):
            names |= own
    return names


@cache
def _names_of_types() -> tuple[tuple[str, frozenset[str], dict[str, str]], ...]:
    """List the types that have aliases of their own, with the markers that identify them.

    Markers that are themselves the target of such an alias are left out.
    """
    return tuple(
        (kind.name, frozenset(kind.markers) - set(own.values()), own)
        for kind in all_types()
        if (own := {name: field for name, field in kind.aliases.items() if TASK_NAMES.get(name) != field})
    )


def is_common(name: str) -> bool:
    """Return whether a field is known to tasks of all types."""
    return name in COMMON_FIELDS and name != "settings"
