"""The task type `webhook`: calls an HTTP address, waits for a callback, or both."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from stepward.domain.bounds import Bound
from stepward.domain.errors import OutputMalformed
from stepward.domain.json_text import as_read
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Answered, Picture, Step, short
from stepward.tasks.tool import ToolSettings, call_tool, config_faults, host_of
from stepward.tools.base import BoundTool
from stepward.tools.http_request import TIMEOUT_S
from stepward.tools.templates import fault_of_path, variables_in

CALLBACK: Final = "callback_url"
"""The field of the body with the address for the callback."""


class WebhookSettings(TaskSettings):
    """Where to call, and whether to wait for a callback.

    The body are the task's inputs that fill no parameter of the address, as JSON.
    """

    url: str | None = Field(
        default=None,
        min_length=8,
        max_length=2_000,
        description="The address to call. `with` fills its places, such as {order_id}; the rest of it is the body, as JSON."
        " Or an expression that gives the whole address.",
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

    @property
    def is_computed(self) -> bool:
        """Whether the address is known only when the task runs."""
        return is_expression(self.url)

    def places(self) -> set[str]:
        """Return the parameters of the address; a computed one has none."""
        return set() if self.url is None or self.is_computed else variables_in(self.url)

    def as_tool(self) -> ToolSettings:
        """Return the request as a call of the tool `http_request`, with parameters and body."""
        places = sorted(self.places())
        names = [*places, *([_body_name(places)] if self.method != "GET" else [])]
        arguments = {"type": "object", "properties": {name: {} for name in names}, "required": names}
        config: dict[str, Any] = {"method": self.method, "url": self.url, "headers": self.headers}
        if names:
            config["arguments"] = arguments
        if self.method != "GET":
            config["body"] = f"{{{_body_name(places)}}}"
        if self.effect:
            config["effect"] = self.effect.value
        elif self.wait_for_call and self.method == "GET":
            # A request for a callback has an effect, and only then is its idempotency key sent.
            config["effect"] = Effect.IDEMPOTENT.value
        return ToolSettings(tool="http_request", config=config)


def _body_name(places: Collection[str]) -> str:
    """Return a name for the body that no parameter of the address has."""
    name = "payload"
    while name in places:
        name += "_"
    return name


class WebhookTask(TaskType[WebhookSettings]):
    """A request, a callback, or a request that is answered by a callback."""

    name = "webhook"
    purpose = "Calls an HTTP address, waits for a call from outside, or both."
    example: ClassVar[Mapping[str, Any]] = {
        "url": "https://example.com/x",
        "headers": {"X-A": "b"},
        "method": "PUT",
    }
    settings = WebhookSettings
    steps = (Step.CALL,)
    picture = Picture(
        "#2e9e5b",
        "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c5 5 5 11 0 16M12 4c-5 5-5 11 0 16",
        ("{{", "}}"),
    )
    expressions = ("url",)
    markers = ("url", "wait_for_call")
    typical_ms = 2_000
    calls_out = True
    answered = Answered("callbacks", Bound(least=0, expected=1, most=1), has_authorizer=False)
    needs_timeout = True
    leaves = True

    def steps_of(self, settings: WebhookSettings) -> tuple[Step, ...]:
        """Return the step of an awaited task if a callback is waited for."""
        return (Step.AWAIT,) if settings.wait_for_call else self.steps

    def has_address(self, settings: WebhookSettings) -> bool:
        """Return whether it waits for a callback."""
        return settings.wait_for_call

    def tool(self, settings: WebhookSettings) -> BoundTool | None:
        """Return the request that it sends; None if it only waits for one."""
        return settings.as_tool().bound() if settings.url is not None else None

    def reaches(self, settings: WebhookSettings) -> Iterator[tuple[str, str]]:
        """Yield the host that it calls."""
        if settings.url:
            yield "hosts", host_of(settings.url)

    def caption(self, task: TaskDefinition, settings: WebhookSettings) -> str:
        """Return the address without its scheme."""
        del task
        url = settings.url or "waits for a call"
        return short(url.partition("://")[2] if url.startswith("http") else url)

    def is_outside(self, settings: WebhookSettings) -> bool:
        """Return whether it sends a request."""
        return settings.url is not None

    def effect(self, settings: WebhookSettings) -> Effect:
        """Return the declared effect; by default a GET has none, and anything else is `once`."""
        if settings.url is None or (settings.effect is None and settings.method == "GET"):
            return Effect.NONE
        return settings.effect or Effect.ONCE

    def faults(self, task: TaskDefinition, settings: WebhookSettings) -> Iterator[SettingFault]:
        """Yield a task that neither calls nor waits, and a request that cannot be sent whole."""
        if settings.url is None:
            if not settings.wait_for_call:
                yield SettingFault(
                    "url", f"{task.id!r} neither calls nor waits", "give `url`, or `wait_for_call: true`"
                )
            return
        if not settings.is_computed:
            for fault in config_faults(settings.as_tool()):
                yield SettingFault(fault.field.removeprefix("config."), fault.detail, fault.fix)
        yield from _lost(task, settings)

    def run(self, ready: Ready[WebhookSettings], context: TaskContext) -> Done:
        """Send the request and return its answer."""
        return _call(ready, ready.inputs, context)

    def open(self, ready: Ready[WebhookSettings], context: TaskContext) -> None:
        """Create an address for the callback, and send it with the request."""
        address = context.starter.wait_for_call(context.place)
        if "url" in ready.task.settings:
            _call(ready, {**ready.inputs, CALLBACK: address}, context)


def _lost(task: TaskDefinition, settings: WebhookSettings) -> Iterator[SettingFault]:
    """Find parameters without a value, and values that would not be sent."""
    places = settings.places()
    known = {*task.inputs, *([CALLBACK] if settings.wait_for_call else [])}
    for name in sorted(places - known):
        yield SettingFault("url", f"the place {{{name}}} has no value", f"add {name!r} to `with`")
    for name in sorted(known - places) if settings.method == "GET" else ():
        detail = f"a GET has no body, so {name!r} would not be sent"
        yield SettingFault(
            f"with.{name}" if name in task.inputs else "method",
            detail,
            f"name it in the address, as in ?{name}={{{name}}}, or use another method",
        )


def _call(ready: Ready[WebhookSettings], inputs: dict[str, Any], context: TaskContext) -> Done:
    settings = _addressed(ready)
    tool, places = settings.as_tool(), settings.places()
    given = {name: value for name, value in inputs.items() if name in places}
    if settings.method != "GET":
        given[_body_name(places)] = {name: value for name, value in inputs.items() if name not in places}
    most_s = ready.task.timeout_s
    if settings.wait_for_call:
        # The task's time is for the call that is waited for; the request has no more than any other.
        most_s = min(most_s or TIMEOUT_S, TIMEOUT_S)
    return call_tool(tool, given, context, most_s, key=_key(settings, context))


def _key(settings: WebhookSettings, context: TaskContext) -> str:
    """Return the request's idempotency key.

    Each attempt that waits has an address of its own, and so a key of its own.
    """
    attempt = context.place.attempt if settings.wait_for_call else 1
    return context.call_id if attempt == 1 else f"{context.call_id}:{attempt}"


def _addressed(ready: Ready[WebhookSettings]) -> WebhookSettings:
    """Return the settings with a computed address unchanged, without parameters.

    Raises:
        OutputMalformed: It is no address that can be called.
    """
    settings = ready.settings
    if not is_expression(ready.task.settings["url"]):
        return settings
    if settings.url is None or not settings.url.isprintable() or set(settings.url) & set("{}"):
        raise OutputMalformed(f"`url` gave {as_read(settings.url)}, which is not an address.")
    wrong = [fault.detail for fault in config_faults(settings.as_tool())]
    if leads_elsewhere := fault_of_path(settings.url):
        wrong.append(leads_elsewhere)
    if wrong:
        raise OutputMalformed(f"`url` gave {as_read(settings.url, 200)}, which cannot be called: {wrong[0]}")
    return settings
