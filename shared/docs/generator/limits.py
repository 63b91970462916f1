"""Write the page of limits: each with its value, which the code gives, where it is refused, and with which error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from docs.generator.tables import code, page, table
from infra.local.gateway.api import MAX_BODY_BYTES
from stepward.adapters.circuits import FAILURES, RECOVERY_S
from stepward.agents.approvals import DECISION_LIMIT_BYTES, DecisionRequest
from stepward.agents.children import DEEPEST
from stepward.agents.continue_as_new import MOST_EVENTS
from stepward.agents.costs import MOST_DAYS, MOST_PRICES
from stepward.agents.definition_checks import DEFINITION_LIMIT_BYTES
from stepward.agents.endings import MOST_REPAIRS, MOST_REPAIRS_OF_RUN, REPLY_LIMIT_BYTES
from stepward.agents.lifecycle import MOST_LABELS
from stepward.agents.model_turn import MOST_WAITS
from stepward.agents.show_runs import MOST_LISTED
from stepward.agents.start import INPUT_LIMIT_BYTES as RUN_INPUT_BYTES
from stepward.domain.agents import AgentDefinition, Limits
from stepward.domain.aliases import MOST_MEMBERS
from stepward.domain.approval_forms import LONGEST_TEXT_CHARS, MOST_CHOICES, MOST_FIELDS
from stepward.domain.approvals import Asking
from stepward.domain.attachments import (
    MOST_ALL_BYTES,
    MOST_ATTACHMENTS,
    MOST_DOCUMENT_BYTES,
    MOST_IMAGE_BYTES,
)
from stepward.domain.budgets import (
    MOST_BUDGET_USD,
    MOST_BUDGETS,
    AccountLimits,
    TenantLimits,
)
from stepward.domain.data_paths import MOST_PATH_BYTES, MOST_WRITTEN_BYTES
from stepward.domain.documents.problems import MOST_PROBLEMS
from stepward.domain.documents.read import MOST_TEXT_BYTES
from stepward.domain.errors import (
    BudgetExceeded,
    CircuitOpen,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    MaxIterationsReached,
    NotAllowed,
    OutputMalformed,
    OutputTruncated,
    StepwardError,
    ToolArgumentInvalid,
    ToolFailed,
    ToolUnavailable,
)
from stepward.domain.numbers import MOST_DECIMAL_DIGITS, MOST_WHOLE_DIGITS
from stepward.domain.provider_pools import MOST_KEYS
from stepward.domain.retries import LONGEST_PAUSE_S, Retry
from stepward.domain.tools import MOST_AT_ONCE as MOST_CALLS
from stepward.domain.tools import CallOptions, Placement
from stepward.domain.triggers import INPUT_LIMIT_BYTES as TRIGGER_INPUT_BYTES
from stepward.domain.triggers import KEY_LIMIT_CHARS, PATTERN_LIMIT_FIELDS
from stepward.domain.workflows import (
    DEEPEST_NESTING,
    LONGEST_PATH_CHARS,
    MOST_TASKS,
    TaskDefinition,
    WorkflowDefinition,
)
from stepward.expressions.bounds import MAX_MADE_BYTES, MAX_STEPS, MAX_VALUE_CHARS
from stepward.expressions.evaluate import DEEPEST_EXPRESSION, LONGEST_EXPRESSION_CHARS, TIMEOUT_MS
from stepward.runtime.long_poll import MOST_S as LONGEST_POLL_S
from stepward.tasks.foreach import ForeachSettings
from stepward.tasks.loop import LoopSettings
from stepward.tools.ask_person import DETAILS_LIMIT_BYTES
from stepward.tools.base import LONGEST_S
from stepward.tools.calculate import MAX_CHARS as CALCULATE_CHARS
from stepward.tools.http_get import MAX_BODY_BYTES as PAGE_BYTES
from stepward.tools.large_results import KEPT_BYTES, SHOWN_BYTES
from stepward.triggers.define import LONGEST_OVERLAP_S
from stepward.triggers.fire import CONTENT_LIMIT_BYTES
from stepward.workflows.compiler.machine_size import MOST_REQUEST_BYTES
from stepward.workflows.program.limits import DEEPEST_NESTING as DEEPEST_RUNS
from stepward.workflows.program.limits import MOST_EVENTS as HISTORY_EVENTS

Row = tuple[str, Any, str, str, type[StepwardError] | None]
"""What is bounded, the bound, its unit, where it is refused, and the error; None where nothing is refused."""


def most(model: type[BaseModel], field: str) -> Any:
    """Read the upper bound of a field.

    Args:
        model: The model that has the field.
        field: Its name.

    Returns:
        The number that the field may have at most, or how many members.

    Raises:
        ValueError: The field has no upper bound.
    """
    for rule in model.model_fields[field].metadata:
        for bound in ("le", "max_length"):
            if (found := getattr(rule, bound, None)) is not None:
                return found
    raise ValueError(f"{model.__name__}.{field} has no upper bound")


def default(model: type[BaseModel], field: str) -> Any:
    """Read what a field is without a word."""
    return model.model_fields[field].default


_AT_REGISTRATION: Final = "registration of the agent"
_AT_WORKFLOW: Final = "check and registration of the workflow"
_ON_START: Final = "start of a run"

GROUPS: Final[dict[str, Sequence[Row]]] = {
    "Requests": [
        ("body of a request, by API Gateway", MAX_BODY_BYTES, "bytes", "any route, HTTP 413", None),
        ("`wait` of a start", LONGEST_POLL_S, "s", "query", InvalidRequest),
        ("`limit` of a list", MOST_LISTED, "entries", "query", InvalidRequest),
        ("days that `GET /costs` spans", MOST_DAYS, "days", "query", InvalidRequest),
        ("YAML or JSON document", MOST_TEXT_BYTES, "bytes", "`validate` and registration", InvalidRequest),
        ("problems that one answer names", MOST_PROBLEMS, "problems", "`validate` and registration; the rest is left out", None),
        ("significant digits of a decimal", MOST_DECIMAL_DIGITS, "digits", "any document or body", InvalidRequest),
        ("digits of a whole number", MOST_WHOLE_DIGITS, "digits", "any document or body", InvalidRequest),
        ("data file through the API", MOST_WRITTEN_BYTES, "bytes", "`GET` and `PUT /data`; copy larger ones into the bucket", InvalidRequest),
        ("path of a data file", MOST_PATH_BYTES, "bytes", "`/data`", InvalidRequest),
    ],
    "Agents": [
        ("definition", DEFINITION_LIMIT_BYTES, "bytes", _AT_REGISTRATION, InvalidRequest),
        ("`tags`", most(AgentDefinition, "tags"), "tags", _AT_REGISTRATION, InvalidRequest),
        ("members of a `team`", MOST_MEMBERS, "agents", _AT_REGISTRATION, InvalidRequest),
        ("labels beside `latest`", MOST_LABELS, "labels", "`PUT /agents/{id}/labels/{label}`", Conflict),
        ("`limits.max_iterations`", most(Limits, "max_iterations"), "turns", _AT_REGISTRATION, InvalidRequest),
        ("`limits.max_output_tokens`", most(Limits, "max_output_tokens"), "tokens", _AT_REGISTRATION, InvalidRequest),
        ("`limits.timeout_s`", most(Limits, "timeout_s"), "s", _AT_REGISTRATION, InvalidRequest),
        ("`limits.cost_limit_usd`", most(Limits, "cost_limit_usd"), "$", _AT_REGISTRATION, InvalidRequest),
    ],
    "Runs of agents": [
        ("input", RUN_INPUT_BYTES, "bytes as JSON", _ON_START, InvalidRequest),
        ("attachments", MOST_ATTACHMENTS, "files", _ON_START, InvalidRequest),
        ("an attached image", MOST_IMAGE_BYTES, "bytes", _ON_START, InvalidRequest),
        ("an attached document", MOST_DOCUMENT_BYTES, "bytes", _ON_START, InvalidRequest),
        ("attachments together", MOST_ALL_BYTES, "bytes", _ON_START, InvalidRequest),
        ("a model's reply", REPLY_LIMIT_BYTES, "bytes as JSON", "the turn; the run FAILED", OutputMalformed),
        ("turns without `limits.max_iterations`", default(Limits, "max_iterations"), "turns", "the turn; the run FAILED", MaxIterationsReached),
        ("active time without `limits.timeout_s`", default(Limits, "timeout_s"), "s", "the turn; the run FAILED", DeadlineExceeded),
        ("cost without `limits.cost_limit_usd`", default(Limits, "cost_limit_usd"), "$", "before a model call; the run BUDGET_EXCEEDED", BudgetExceeded),
        ("reply without `limits.max_output_tokens`", default(Limits, "max_output_tokens"), "tokens", "the provider; the run FAILED", OutputTruncated),
        ("repairs of an answer in a row", MOST_REPAIRS, "times", "the turn; then the run FAILED", None),
        ("repairs of answers in a run", MOST_REPAIRS_OF_RUN, "times", "the turn; then the run FAILED", None),
        ("waits for a provider", MOST_WAITS, "times", "then the run RATE_LIMITED", None),
        ("agents that ask each other", DEEPEST, "deep", "the call", NotAllowed),
        ("events of one execution before a run goes on in another", MOST_EVENTS, "events", "nothing is refused", None),
    ],
    "Tools": [
        ("`timeout_s` of an attempt", most(CallOptions, "timeout_s"), "s", _AT_REGISTRATION, InvalidRequest),
        ("an inline call with its retries", LONGEST_S[Placement.INLINE], "s", _AT_REGISTRATION, InvalidRequest),
        ("a remote call with its retries", LONGEST_S[Placement.REMOTE], "s", _AT_REGISTRATION, InvalidRequest),
        ("`concurrency`, and calls of a turn at once", MOST_CALLS, "calls", "registration; the rest waits", InvalidRequest),
        ("`retry.max_attempts`", most(Retry, "max_attempts"), "attempts", _AT_REGISTRATION, InvalidRequest),
        ("a pause between attempts", LONGEST_PAUSE_S, "s", "a longer `Retry-After` is reported to the model", ToolUnavailable),
        ("failures in a row before a host is left alone", FAILURES, "calls", "the next call", CircuitOpen),
        ("how long it is left alone", RECOVERY_S, "s", "the next call", CircuitOpen),
        ("result that is shown to the model", SHOWN_BYTES, "bytes", "a larger one is kept and shown by reference", None),
        ("result that is kept", KEPT_BYTES, "bytes", "the call", ToolFailed),
        ("a page of `http_get`", PAGE_BYTES, "bytes", "the call", ToolFailed),
        ("an expression of `calculate`", CALCULATE_CHARS, "characters", "the call", ToolArgumentInvalid),
    ],
    "Workflows": [
        ("tasks", MOST_TASKS, "tasks", _AT_WORKFLOW, InvalidRequest),
        ("request that makes the state machine", MOST_REQUEST_BYTES, "bytes", _AT_WORKFLOW, InvalidRequest),
        ("path of a task", LONGEST_PATH_CHARS, "characters", _AT_WORKFLOW, InvalidRequest),
        ("bodies within bodies", DEEPEST_NESTING, "levels", _AT_WORKFLOW, InvalidRequest),
        ("items of a `foreach`", most(ForeachSettings, "max_items"), "items", _AT_WORKFLOW, InvalidRequest),
        ("items without `max_items`", default(ForeachSettings, "max_items"), "items", "the task, which fails", OutputMalformed),
        ("`max_parallel` of a `foreach`", most(ForeachSettings, "max_parallel"), "items", _AT_WORKFLOW, InvalidRequest),
        ("`max_iterations` of a `loop`", most(LoopSettings, "max_iterations"), "rounds", _AT_WORKFLOW, InvalidRequest),
        ("`max_visits` of a task", most(TaskDefinition, "max_visits"), "visits", _AT_WORKFLOW, InvalidRequest),
        ("`max_parallel` of a workflow", most(WorkflowDefinition, "max_parallel"), "tasks", _AT_WORKFLOW, InvalidRequest),
        ("`timeout_s` of a workflow", most(WorkflowDefinition, "timeout_s"), "s", _AT_WORKFLOW, InvalidRequest),
        ("`cost_limit_usd` of a workflow", most(WorkflowDefinition, "cost_limit_usd"), "$", _AT_WORKFLOW, InvalidRequest),
        ("history of one execution, for a `loop`", HISTORY_EVENTS, "events", _AT_WORKFLOW, InvalidRequest),
        ("workflows that run each other", DEEPEST_RUNS, "deep", _ON_START, NotAllowed),
        ("input", RUN_INPUT_BYTES, "bytes as JSON", _ON_START, InvalidRequest),
    ],
    "Expressions": [
        ("length", LONGEST_EXPRESSION_CHARS, "characters", "registration", InvalidRequest),
        ("brackets within each other", DEEPEST_EXPRESSION, "levels", "registration", InvalidRequest),
        ("time", TIMEOUT_MS, "ms", "evaluation", OutputMalformed),
        ("steps", MAX_STEPS, "steps", "evaluation", OutputMalformed),
        ("values made", MAX_MADE_BYTES, "bytes", "evaluation", OutputMalformed),
        ("one value as JSON", MAX_VALUE_CHARS, "characters", "evaluation", OutputMalformed),
    ],
    "Approvals": [
        ("`timeout_s`", most(Asking, "timeout_s"), "s", _AT_REGISTRATION, InvalidRequest),
        ("`timeout_s` without a word", default(Asking, "timeout_s"), "s", "the approval expires", None),
        ("fields of a form", MOST_FIELDS, "fields", _AT_REGISTRATION, InvalidRequest),
        ("`choices` of a field", MOST_CHOICES, "choices", _AT_REGISTRATION, InvalidRequest),
        ("a text in a form", LONGEST_TEXT_CHARS, "characters", "the decision", InvalidRequest),
        ("`comment`", most(DecisionRequest, "comment"), "characters", "the decision", InvalidRequest),
        ("a decision", DECISION_LIMIT_BYTES, "bytes", "the decision", InvalidRequest),
        ("details of `ask_person`", DETAILS_LIMIT_BYTES, "bytes", "the call", ToolArgumentInvalid),
    ],
    "Triggers": [
        ("`input` template", TRIGGER_INPUT_BYTES, "bytes", "registration of the trigger", InvalidRequest),
        ("`prefix` of an object's key", KEY_LIMIT_CHARS, "characters", "registration of the trigger", InvalidRequest),
        ("fields of an event pattern", PATTERN_LIMIT_FIELDS, "fields", "registration of the trigger", InvalidRequest),
        ("object that is read into the input", CONTENT_LIMIT_BYTES, "bytes", "the event; shown as `last_error`", InvalidRequest),
        ("`overlap_s` of a webhook's old secret", LONGEST_OVERLAP_S, "s", "`POST /triggers/{id}/secret`", InvalidRequest),
    ],
    "Money and slots": [
        ("active runs of a tenant, unless set", default(TenantLimits, "active"), "runs", "nothing is refused: the run queue", None),
        ("active runs of the account, unless set", default(AccountLimits, "active"), "runs", "nothing is refused: the run queue", None),
        ("active runs that can be set", most(AccountLimits, "active"), "runs", "`account_limits`", InvalidRequest),
        ("budgets of a tenant", MOST_BUDGETS, "budgets", "`PUT /budgets`", InvalidRequest),
        ("a budget", MOST_BUDGET_USD, "$", "`PUT /budgets`", InvalidRequest),
        ("agreed prices of a tenant", MOST_PRICES, "prices", "`PUT /prices`", InvalidRequest),
        ("keys of one provider", MOST_KEYS, "keys", "`provider_keys add`", InvalidRequest),
    ],
}  # fmt: skip


def limits() -> str:
    """Write the page of limits."""
    parts = [
        "What is larger is refused with the error in the last column; `field` and `fix` of the answer say where and how.",
        "Bounds of single fields are in [the fields of an agent](agents.md) and [of tasks](tasks.md), too.",
    ]
    for title, rows in GROUPS.items():
        shown = [
            (what, _number(bound), unit, where, _code(error)) for what, bound, unit, where, error in rows
        ]
        parts += [f"## {title}", table(["what", "at most", "unit", "where", "error"], shown)]
    return page("Limits", *parts)


def _number(bound: Any) -> str:
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:,}"


def _code(error: type[StepwardError] | None) -> str:
    return "" if error is None else f"[{code(error.__name__)}](errors.md)"
