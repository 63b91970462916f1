"""Calls an address outside, waits to be called, or both: the way to every system that has no tool of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from stepward.domain.retries import Retry
from stepward.domain.tool_use import ToolUse
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Done, Fault, Place, Ready, TaskContext, TaskSettings, TaskType
from stepward.tasks.tool import ToolSettings, call_tool, config_faults


class WebhookSettings(TaskSettings):
    """Where to call, and whether to wait for a call back. The body are the task's inputs, as JSON."""

    url: str | None = Field(
        default=None,
        min_length=8,
        max_length=2_000,
        description="The address to call; `with` is the body, as JSON.",
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="POST", description="How to call it; GET has no body."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, max_length=50, description="Headers of the request; no place for passwords."
    )
    wait_for_call: bool = Field(
        default=False,
        strict=True,
        description="Whether the outcome comes by a call to the address that the body says as `callback_url`.",
    )
    effect: Effect | None = Field(
        default=None,
        description="What a second call would do; without it a GET does nothing and all else happens `once`.",
    )

    def as_tool(self) -> ToolSettings:
        """The request that goes out, as the tool `http_request` makes it."""
        config: dict[str, Any] = {"method": self.method, "url": self.url, "headers": self.headers}
        if self.method != "GET":
            config |= {"body": "{payload}", "arguments": _PAYLOAD}
        if self.effect:
            config["effect"] = self.effect.value
        return ToolSettings(tool="http_request", config=config)


_PAYLOAD = {"type": "object", "properties": {"payload": {"type": "object"}}, "required": ["payload"]}


class WebhookTask(TaskType[WebhookSettings]):
    """One request out, one call in, or a request out whose answer is called in later."""

    name = "webhook"
    purpose = "Calls an HTTP address, waits for a call from outside, or both."
    place = Place.WITHIN
    settings = WebhookSettings
    typical_ms = 2_000
    needs_timeout = True
    leaves = True

    def place_of(self, settings: WebhookSettings) -> Place:
        """A call that is waited for comes with the outcome."""
        return Place.AWAITED if settings.wait_for_call else Place.WITHIN

    def is_outside(self, settings: WebhookSettings) -> bool:
        """Whether anything goes out."""
        return settings.url is not None

    def effect(self, settings: WebhookSettings) -> Effect:
        """A request's own."""
        return Effect.NONE if settings.url is None else settings.as_tool().bound().effect

    def faults(self, task: TaskDefinition, settings: WebhookSettings) -> Iterator[Fault]:
        """It calls or it waits, and what goes out can be sent."""
        if settings.url is None:
            if not settings.wait_for_call:
                yield Fault(
                    "url", f"{task.id!r} neither calls nor waits", "give `url`, or `wait_for_call: true`"
                )
            return
        for fault in config_faults(settings.as_tool()):
            yield Fault(fault.field.removeprefix("config."), fault.detail, fault.fix)

    def run(self, ready: Ready[WebhookSettings], context: TaskContext) -> Done:
        """Make the request and bring its answer."""
        return _call(ready.settings, ready.inputs, context)

    def open(self, ready: Ready[WebhookSettings], context: TaskContext) -> None:
        """Make an address, and tell it to the one who is to call."""
        address = context.reach.wait_for_call(context.place)
        if ready.settings.url:
            _call(ready.settings, {**ready.inputs, "callback_url": address}, context)


def _call(settings: WebhookSettings, payload: dict[str, Any], context: TaskContext) -> Done:
    tool = settings.as_tool()
    # Retries are the task's own business: a tool that retried beneath it would make them many times more.
    use = ToolUse(tool=tool.tool, config=tool.config, retry=Retry())
    return call_tool(use, {} if settings.method == "GET" else {"payload": payload}, context)
