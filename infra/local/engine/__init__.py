"""Patches that make moto behave as AWS does, by service.

There is one `install_<flaw>` for each flaw, which says what moto does wrong and where. `tests/local/test_engine_*.py` hold
one test for each patch that fails without it, so a new version of moto shows which patches can go. A patch holds for the
whole process.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Final

from infra.local.engine.states import jsonata, parsing

_HOMES: Final = {
    "action_names": "clients",
    "activities": "states.activities",
    "assign_order": "states.variables",
    "assigned_strings": "states.variables",
    "bucket_notifications": "notifications",
    "call_metadata": "states.task_calls",
    "choice_comparisons": "states.choices",
    "choice_misses": "states.choices",
    "client_cache": "clients",
    "context_object": "states.variables",
    "definition_texts": "states.parsing",
    "direct_invocations": "lambda_.callers",
    "dynamodb_answers": "dynamodb.actions",
    "dynamodb_lock": "dynamodb.actions",
    "dynamodb_partitions": "dynamodb.actions",
    "dynamodb_transactions": "dynamodb.actions",
    "dynamodb_refusals": "dynamodb.refusals",  # after the transactions, whose answers it wraps
    "error_names": "states.failures",
    "event_patterns": "events",
    "event_targets": "events",
    "execution_events": "states.execution_status",
    "execution_limits": "states.execution_starts",
    "execution_names": "states.execution_starts",
    "execution_outputs": "states.execution_status",
    "executions_stopped": "states.endings",
    "expression_parses": "dynamodb.expressions",
    "expression_walks": "dynamodb.expressions",
    "failure_events": "states.failures",
    "history_ends": "states.endings",
    "intrinsic_functions": "states.intrinsic_functions",
    "intrinsic_texts": "states.intrinsic_functions",
    "iterations_aborted": "states.endings",
    "json_path_values": "states.path_values",
    "jsonata_binding": "states.jsonata",
    "lambda_invocations": "lambda_.functions",
    "machine_definitions": "states.parsing",
    "parse_cache": "states.parsing",
    "parser_scopes": "states.parsing",
    "path_errors": "states.path_values",
    "query_errors": "states.query_errors",
    "queue_receives": "sqs",
    "queue_redrives": "sqs",
    "queue_tasks": "states.task_errors",
    "result_paths": "states.path_values",
    "retried_tokens": "states.tokens",
    "rule_schedules": "events",
    "sdk_errors": "states.task_errors",
    "service_lookup": "clients",
    "service_refusals": "notifications",
    "source_mappings": "lambda_.callers",
    "states_data": "states.variables",
    "sync_executions": "states.execution_starts",
    "task_failures": "states.tokens",
    "task_parameters": "states.task_calls",
    "task_refusals": "states.task_errors",
    "task_texts": "states.task_calls",
    "terminal_errors": "states.failures",
    "timestamps": "states.times",
    "topic_publishing": "notifications",
    "uploaded_functions": "lambda_.functions",
    "used_tokens": "states.tokens",
    "wait_times": "states.times",
}
"""Patch → the module that defines its `install_<patch>()`, in the order of installation."""

PATCHES: dict[str, Callable[[], None]] = {
    name: getattr(importlib.import_module(f"{__name__}.{home}"), f"install_{name}")
    for name, home in _HOMES.items()
}
"""Patch → the function that installs it."""

_installed: set[str] = set()


def install() -> None:
    """Install every patch that this process does not have yet."""
    for name, patch in PATCHES.items():
        if name not in _installed:
            patch()
            _installed.add(name)


def warm_up() -> None:
    """Import the grammar and the expression language ahead of their first use.

    It takes seconds, which a caller can spend while it waits for something else.
    """
    importlib.import_module("moto.stepfunctions.parser.models")
    jsonata.evaluate("$uuid()", {})
    parsing.parse('{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
