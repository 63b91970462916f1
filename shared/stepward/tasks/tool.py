"""Calls a tool of the gallery, or one of your own, with arguments that the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import AliasChoices, Field, ValidationError

from stepward.domain.conversation import ToolCall
from stepward.domain.errors import (
    CircuitOpen,
    InvalidRequest,
    ModelFault,
    ToolArgumentInvalid,
    ToolFailed,
    ToolUnavailable,
)
from stepward.domain.ids import ToolReference
from stepward.domain.retries import Retry
from stepward.domain.tool_use import ToolUse
from stepward.domain.tools import Effect, Placement
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Done, Fault, Place, Ready, TaskContext, TaskSettings, TaskType
from stepward.tools.base import BoundTool
from stepward.tools.catalog import bind
from stepward.tools.execution import execute


class ToolSettings(TaskSettings):
    """Which tool, with which configuration; the arguments are the task's inputs."""

    tool: ToolReference = Field(
        validation_alias=AliasChoices("tool", "tool_id"),
        description="A tool of the gallery, or a function of your own as `folder.function`; its arguments are `with`.",
    )
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="How the tool is set, as in an agent's `config`; see GET /tools/{id}.",
    )

    def bound(self) -> BoundTool:
        """The tool with its configuration."""
        return bind(ToolUse(tool=self.tool, config=self.config))


class ToolTask(TaskType[ToolSettings]):
    """Makes one call."""

    name = "tool"
    purpose = "Calls a tool with the task's inputs as its arguments."
    place = Place.WITHIN
    settings = ToolSettings
    typical_ms = 1_000

    def effect(self, settings: ToolSettings) -> Effect:
        """The tool's own."""
        return settings.bound().effect

    def is_outside(self, settings: ToolSettings) -> bool:
        """Whether the call leaves the platform: web requests and functions."""
        return settings.tool.startswith("http_") or settings.tool == "lambda_function" or "." in settings.tool

    def faults(self, task: TaskDefinition, settings: ToolSettings) -> Iterator[Fault]:
        """The tool exists, its configuration fits, and it can be called outside of an agent."""
        del task
        yield from config_faults(settings)

    def run(self, ready: Ready[ToolSettings], context: TaskContext) -> Done:
        """Call it; retries are the task's own, so that a tool's do not multiply them."""
        settings = ready.settings
        use = ToolUse(tool=settings.tool, config=settings.config, retry=Retry())
        return call_tool(use, ready.inputs, context)


def config_faults(settings: ToolSettings) -> Iterator[Fault]:
    """Find what would fail every call: an unknown tool, a configuration that does not fit it."""
    try:
        bound = settings.bound()
    except InvalidRequest as error:
        yield Fault("tool", error.detail, error.fix or "see GET /tools")
        return
    except ValidationError as error:
        for one in error.errors()[:5]:
            place, detail = ".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")
            if not place:
                # What concerns several fields names the one to mend itself.
                place, _, detail = detail.partition(": ")
            yield Fault(f"config.{place}", detail, f"see the tool {settings.tool}")
        return
    if bound.placement is Placement.AWAITED or settings.tool == "hand_off":
        fix = "use a task of type agent, subworkflow or human"
        yield Fault("tool", f"{settings.tool!r} works within an agent only", fix)


def call_tool(use: ToolUse, arguments: dict[str, Any], context: TaskContext) -> Done:
    """Make one attempt; a tool error is raised, so that the task's own rules decide what it means."""
    call = ToolCall(id=str(context.task), tool=use.called, arguments=arguments)
    result = execute(call, use, context.tools(context.key.tenant, context.call_id))
    if result.error:
        raise _as_raised(result.error, result.content)
    return Done(result.content, result.cost_usd_micros)


def _as_raised(code: str, content: Any) -> ModelFault:
    told = content if isinstance(content, dict) else {"detail": content}
    detail = str(told.get("detail", content))[:1_000]
    if code == ToolUnavailable.__name__:
        return ToolUnavailable(detail, retry_after_s=told.get("retry_after_s"))
    known: dict[str, type[ModelFault]] = {kind.__name__: kind for kind in (ToolArgumentInvalid, CircuitOpen)}
    return known.get(code, ToolFailed)(detail)
