"""The task type `event`: puts an event on the platform's bus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from stepward.domain.errors import InvalidRequest
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import FEW_BYTES, Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Done, TaskContext
from stepward.tasks.facts import Picture, Step

PLATFORM_FIELDS: Final = ("id", "tenant", "run")
"""Fields of an event's detail that only the platform sets, so that its readers can rely on them."""

_OTHERWISE: Final = "such as `order_id`; every event has `id`, `tenant` and `run` of its own"


class EventSettings(TaskSettings):
    """The event's name; its detail are the task's inputs."""

    event: str = Field(
        min_length=1, max_length=120, description="What the event is called; its detail is `with`."
    )


class EventTask(TaskType[EventSettings]):
    """Puts one event on the bus."""

    name = "event"
    purpose = "Puts an event on the bus, with the task's inputs as its detail."
    example: ClassVar[Mapping[str, Any]] = {"event": "order.done"}
    settings = EventSettings
    steps = (Step.CALL,)
    picture = Picture("#e5730f", "M13.5 3L6 13.5h5L10.5 21 18 10.5h-5z", (">", "]"))
    markers = ("event",)
    calls_out = True
    leaves = True
    puts_events = 1

    def faults(self, task: TaskDefinition, settings: EventSettings) -> Iterator[SettingFault]:
        """Yield inputs with the names of fields that the platform sets."""
        del settings
        for name in PLATFORM_FIELDS:
            if name in task.inputs:
                yield SettingFault(
                    f"with.{name}", f"{name!r} is said by the platform", f"call it otherwise, {_OTHERWISE}"
                )

    def effect(self, settings: EventSettings) -> Effect:
        """Return `idempotent`: readers of events drop those whose id they have seen."""
        del settings
        return Effect.IDEMPOTENT

    def reaches(self, settings: EventSettings) -> Iterator[tuple[str, str]]:
        """Yield the event."""
        yield "events", settings.event

    def caption(self, task: TaskDefinition, settings: EventSettings) -> str:
        """Return the event's name."""
        del task
        return f"event {settings.event}"

    def output_bytes(self, task: TaskDefinition) -> int | None:
        """Return the size of an event's name and id."""
        del task
        return FEW_BYTES

    def output_schema(self, settings: EventSettings) -> Mapping[str, Any] | None:
        """Return the schema of an event's name and id."""
        del settings
        return {"type": "object", "properties": {"event": {"type": "string"}, "id": {"type": "string"}}}

    def run(self, ready: Ready[EventSettings], context: TaskContext) -> Done:
        """Put the event, with an id that is the same in every attempt.

        Raises:
            InvalidRequest: An input has the name of a field that the platform sets.
        """
        if taken := [name for name in PLATFORM_FIELDS if name in ready.inputs]:
            raise InvalidRequest(
                f"the event's {taken[0]!r} is set by the platform.",
                field=f"with.{taken[0]}",
                fix=f"call it otherwise, {_OTHERWISE}",
            )
        context.put_event(ready.settings.event, context.call_id, ready.inputs)
        return Done({"event": ready.settings.event, "id": context.call_id})
