"""The task type `tool`: calls a built-in or a custom tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError

from stepward.domain.conversation import ToolCall
from stepward.domain.errors import (
    CircuitOpen,
    InvalidRequest,
    ModelFault,
    TaskTimedOut,
    ToolArgumentInvalid,
    ToolFailed,
    ToolUnavailable,
)
from stepward.domain.ids import ToolReference
from stepward.domain.retries import Retry
from stepward.domain.tools import LONGEST_ATTEMPT_S, OUTCOME_UNKNOWN, Effect, Placement, ToolUse
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Picture, Step
from stepward.tools.base import BoundTool
from stepward.tools.catalog import bind
from stepward.tools.egress import GRACE_S
from stepward.tools.execution import execute


class ToolSettings(TaskSettings):
    """The tool and its configuration; the arguments are the task's inputs."""

    tool: ToolReference = Field(
        validation_alias=AliasChoices("tool", "tool_id"),
        description="A built-in tool, or a function of your own as `folder.function`; its arguments are `with`.",
    )
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="How the tool is set, as in an agent's `config`; see GET /tools/{id}.",
    )

    def bound(self) -> BoundTool:
        """Return the tool with its configuration."""
        return bind(ToolUse(tool=self.tool, config=self.config))


class ToolTask(TaskType[ToolSettings]):
    """Calls a tool once."""

    name = "tool"
    purpose = "Calls a tool with the task's inputs as its arguments."
    example: ClassVar[Mapping[str, Any]] = {
        "tool": "calculate",
        "with": {"expression": "1 + 1"},
        "config": {},
    }
    settings = ToolSettings
    steps = (Step.CALL,)
    picture = Picture(
        "#1f87d9",
        "M14.8 5a4.6 4.6 0 0 0-5.9 5.9L4 15.8 8.2 20l4.9-4.9A4.6 4.6 0 0 0 19 9.2l-2.9 2.9-3.2-.8-.9-3.3z",
    )
    markers = ("tool",)
    takes_arguments = True
    typical_ms = 1_000
    calls_out = True

    def effect(self, settings: ToolSettings) -> Effect:
        """Return the tool's effect."""
        return settings.bound().effect

    def is_outside(self, settings: ToolSettings) -> bool:
        """Return whether the call leaves the platform: web requests and functions."""
        return settings.tool.startswith("http_") or settings.tool == "lambda_function" or "." in settings.tool

    def tool(self, settings: ToolSettings) -> BoundTool | None:
        """Return the tool with its configuration."""
        return settings.bound()

    def custom_tool(self, task: TaskDefinition) -> str | None:
        """Return the tool's name if it is one of a folder, which has a dot."""
        tool = task.settings.get("tool")
        return tool if isinstance(tool, str) and "." in tool else None

    def reaches(self, settings: ToolSettings) -> Iterator[tuple[str, str]]:
        """Yield the tool, and the hosts and functions of its configuration."""
        yield "tools", settings.tool
        allowed, function = settings.config.get("allow"), settings.config.get("function")
        said = [settings.config.get("url"), *(allowed if isinstance(allowed, list) else [])]
        yield from (("hosts", host_of(one)) for one in said if isinstance(one, str))
        if isinstance(function, str):
            yield "tools", f"lambda_function {function}"

    def caption(self, task: TaskDefinition, settings: ToolSettings) -> str:
        """Return the tool's name."""
        del task
        return f"tool {settings.tool}"

    def faults(self, task: TaskDefinition, settings: ToolSettings) -> Iterator[SettingFault]:
        """Yield an unknown tool, an invalid configuration, and a tool for agents only."""
        del task
        yield from config_faults(settings)

    def run(self, ready: Ready[ToolSettings], context: TaskContext) -> Done:
        """Call the tool; retries are the task's own, so that a tool's do not multiply them."""
        settings = ready.settings
        return call_tool(settings, ready.inputs, context, ready.task.timeout_s)


def host_of(url: str) -> str:
    """Return the host of a URL."""
    return urlsplit(url).netloc or url


def config_faults(settings: ToolSettings) -> Iterator[SettingFault]:
    """Find what would fail every call: an unknown tool, or an invalid configuration."""
    try:
        bound = settings.bound()
    except InvalidRequest as error:
        yield SettingFault("tool", error.detail, error.fix or "see GET /tools")
        return
    except ValidationError as error:
        for one in error.errors()[:5]:
            place, detail = ".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")
            if not place:
                # A message about several fields names the one to fix.
                place, _, detail = detail.partition(": ")
            yield SettingFault(f"config.{place}", detail, f"see the tool {settings.tool}")
        return
    if bound.placement is Placement.AWAITED or settings.tool == "hand_off":
        fix = "use a task of type agent, subworkflow or human"
        yield SettingFault("tool", f"{settings.tool!r} works within an agent only", fix)


def call_tool(
    settings: ToolSettings,
    arguments: dict[str, Any],
    context: TaskContext,
    timeout_s: int | None = None,
    *,
    key: str | None = None,
) -> Done:
    """Call a tool once; a tool error is raised, so that the task's own rules apply.

    Retries are the task's own: if the tool retried too, the two would multiply.

    Args:
        settings: The tool and its configuration.
        arguments: The arguments of the call.
        context: What the task may use.
        timeout_s: Time limit of the attempt in seconds; by default the tool's own.
        key: The idempotency key; by default the same in all attempts of the task.

    Returns:
        The tool's result and its cost.

    Raises:
        TaskTimedOut: It took longer than `timeout_s`, and another attempt does no harm.
        ModelFault: It failed otherwise.
    """
    use = ToolUse(tool=settings.tool, config=settings.config, retry=Retry(), timeout_s=_patience_s(timeout_s))
    call = ToolCall(id=str(context.task), tool=use.called, arguments=arguments)
    began_s = perf_counter()
    result = execute(call, use, context.tools(context.key.tenant, key or context.call_id))
    if not result.error:
        return Done(result.content, result.cost_usd_micros)
    is_over = timeout_s is not None and perf_counter() - began_s >= timeout_s
    if is_over and result.error == ToolUnavailable.__name__:
        raise TaskTimedOut(f"the tool {use.called} did not answer within {timeout_s} s.")
    raise _as_raised(result.error, result.content)


def _patience_s(timeout_s: int | None) -> float | None:
    """Return how long to wait for a call: a moment longer than its own time limit.

    Its own end is then seen first; but no longer than a function can run.
    """
    return None if timeout_s is None else min(timeout_s + GRACE_S, LONGEST_ATTEMPT_S)


class OutcomeUnknown(ToolFailed):
    """A call that may happen only once had begun when no answer came: it may have happened."""

    @property
    def code(self) -> str:
        """The error code in the journal."""
        return OUTCOME_UNKNOWN


def _as_raised(code: str, content: Any) -> ModelFault:
    answer = content if isinstance(content, dict) else {"detail": content}
    detail, status = str(answer.get("detail", content))[:1_000], answer.get("status")
    known: dict[str, type[ModelFault]] = {
        OUTCOME_UNKNOWN: OutcomeUnknown,
        **{kind.__name__: kind for kind in (ToolArgumentInvalid, CircuitOpen)},
    }
    raised = known.get(code, ToolFailed)(detail)
    if code == ToolUnavailable.__name__:
        raised = ToolUnavailable(detail, retry_after_s=answer.get("retry_after_s"))
    raised.status = status
    return raised
