"""Patches of moto: what its Lambda, Step Functions and DynamoDB do otherwise than AWS, mended one file a flaw.

Every file says what moto does wrong and where; `tests/local/test_engine_patches.py` holds one test a patch that fails
without it, so a new version of moto shows which of them can go. The patches hold for the whole process.
"""

from __future__ import annotations

import importlib
from typing import Any

from infra.local.engine import jsonata_binding, parse_cache

_NAMES = (
    "activities",
    "assign_order",
    "assigned_strings",
    "bucket_notifications",
    "call_metadata",
    "choice_comparisons",
    "choice_misses",
    "client_cache",
    "context_object",
    "definition_texts",
    "direct_invocations",
    "dynamodb_answers",
    "dynamodb_lock",
    "dynamodb_partitions",
    "dynamodb_transactions",
    "dynamodb_refusals",  # stands around what the transactions answer
    "error_names",
    "event_patterns",
    "event_targets",
    "execution_events",
    "execution_limits",
    "execution_names",
    "execution_outputs",
    "executions_stopped",
    "failure_events",
    "history_ends",
    "intrinsic_functions",
    "intrinsic_texts",
    "iterations_aborted",
    "json_path_values",
    "jsonata_binding",
    "lambda_invocations",
    "machine_definitions",
    "parse_cache",
    "parser_scopes",
    "path_errors",
    "query_errors",
    "queue_receives",
    "queue_redrives",
    "queue_tasks",
    "result_paths",
    "retried_tokens",
    "rule_schedules",
    "sdk_errors",
    "service_lookup",
    "service_refusals",
    "source_mappings",
    "states_data",
    "sync_executions",
    "task_failures",
    "task_parameters",
    "task_refusals",
    "task_texts",
    "terminal_errors",
    "timestamps",
    "topic_publishing",
    "uploaded_functions",
    "used_tokens",
    "wait_times",
)

PATCHES: dict[str, Any] = {name: importlib.import_module(f"{__name__}.{name}") for name in _NAMES}
"""Name → module with an `install()`."""

_installed: set[str] = set()


def install() -> None:
    """Mend moto, once a process."""
    for name, patch in PATCHES.items():
        if name not in _installed:
            patch.install()
            _installed.add(name)


def warm_up() -> None:
    """Pay for importing the grammar and the expression language (seconds) while something else is being waited for."""
    importlib.import_module("moto.stepfunctions.parser.models")
    jsonata_binding.evaluate("$uuid()", {})
    parse_cache.parse('{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Succeed"}}}')
