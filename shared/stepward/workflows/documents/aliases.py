"""Map the other names that people know to a document's fields and values."""

from __future__ import annotations

from typing import Any, Final

from stepward.domain.workflows import COMMON_FIELDS, WorkflowDefinition

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
"""What `error_handling` may hold → the field that it stands for."""

MAY_BE_NULL: Final = frozenset({"output", "collect", "details", "fallback"})
"""Fields whose null is a value; every other field that is null is taken as not given."""

KNOWN_TO_WORKFLOWS: Final = frozenset({*WorkflowDefinition.model_fields, "dependencies", "error_handling"})
KNOWN_TO_TASKS: Final = (COMMON_FIELDS | set(TASK_NAMES.values()) | {"outputs", "error_handling"}) - {
    "settings"
}


def task_names(task: dict[str, Any]) -> dict[str, str]:
    """Give the other names that hold for one task: the question of a condition is its `test`, not its `when`."""
    names = dict(TASK_NAMES)
    has_branch = any(task.get(name) is not None for name in ("then", "otherwise", "else"))
    if task.get("type") == "condition" or has_branch:
        names["condition"] = "test"
    return names


def is_common(name: str) -> bool:
    """Whether a field is known to tasks of all types."""
    return name in COMMON_FIELDS and name != "settings"
