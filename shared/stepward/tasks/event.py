"""Tells others of something: an event on the platform's bus, on which rules and other workflows can act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from stepward.domain.tools import Effect
from stepward.tasks.base import Done, Place, Ready, TaskContext, TaskSettings, TaskType


class EventSettings(TaskSettings):
    """What the event is called; its detail are the task's inputs."""

    event: str = Field(
        min_length=1, max_length=120, description="What the event is called; its detail is `with`."
    )


class EventTask(TaskType[EventSettings]):
    """Puts one event."""

    name = "event"
    purpose = "Puts an event on the bus, with the task's inputs as its detail."
    place = Place.WITHIN
    settings = EventSettings
    leaves = True

    def effect(self, settings: EventSettings) -> Effect:
        """Whoever reads events drops those whose id it has seen."""
        del settings
        return Effect.IDEMPOTENT

    def output_schema(self, settings: EventSettings) -> Mapping[str, Any] | None:
        """Say that it brings the event and its id."""
        del settings
        return {"type": "object", "properties": {"event": {"type": "string"}, "id": {"type": "string"}}}

    def run(self, ready: Ready[EventSettings], context: TaskContext) -> Done:
        """Put it, with an id that is the same in every attempt."""
        context.put_event(ready.settings.event, context.call_id, ready.inputs)
        return Done({"event": ready.settings.event, "id": context.call_id})
