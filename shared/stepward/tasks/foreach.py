"""Runs its tasks once for each item of a list, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import Field

from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import Fault, Place, TaskSettings, TaskType

MOST_AT_ONCE: Final = 40
"""An inline Map runs no more side by side, whatever it is told."""


class ForeachSettings(TaskSettings):
    """Which items, how many at once, and what each brings (without `collect` the outputs of its last tasks)."""

    items: Any = Field(description="The items: a list, or an expression that gives one.")
    """One value that an expression gives is a list of one, and nothing a list of none."""
    max_parallel: int = Field(
        default=10, strict=True, ge=1, le=MOST_AT_ONCE, description="How many items run at once at most."
    )
    max_items: int = Field(
        default=100,
        strict=True,
        ge=1,
        le=10_000,
        description="How many items there may be: the bound by which the plan counts; more fail the task.",
    )
    chunk_size: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=10_000,
        description="How many items run in one execution at most; without it as many as its history has room for.",
    )
    collect: Any = Field(
        default=None, description="What each item brings; without it the outputs of the last tasks."
    )


class ForeachTask(TaskType[ForeachSettings]):
    """Runs a body for each item; within, `$item` and `$index` are known."""

    name = "foreach"
    purpose = "Runs its tasks for each item of a list; the output is the list of what each item brought."
    place = Place.BODY
    settings = ForeachSettings
    expressions = ("items", "collect")
    later = ("collect",)

    def output_schema(self, settings: ForeachSettings) -> Mapping[str, Any] | None:
        """Say that it is a list, one entry an item."""
        del settings
        return {"type": "array"}

    def faults(self, task: TaskDefinition, settings: ForeachSettings) -> Iterator[Fault]:
        """A body without tasks does nothing; a list in the document is known to be too long."""
        if not task.tasks:
            yield Fault("tasks", f"the body of {task.id!r} is empty", "give it tasks")
        if not isinstance(settings.items, list) and not is_expression(settings.items):
            yield Fault("items", "`items` is no list", "give a list, or an expression that brings one")
        if isinstance(settings.items, list) and len(settings.items) > settings.max_items:
            yield Fault("items", f"{len(settings.items)} items are over `max_items`", "raise `max_items`")


def list_of(found: Any) -> list[Any]:
    """Take what an expression gave as a list: JSONata brings one match bare, and no match as nothing.

    Args:
        found: The value of `items`.

    Returns:
        A list as it is, nothing as no item, and anything else as the only item.
    """
    if found is None:
        return []
    return found if isinstance(found, list) else [found]
