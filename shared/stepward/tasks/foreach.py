"""Runs its tasks once for each item of a list, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from pydantic import Field

from stepward.domain.bounds import Bound, exactly
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import is_expression
from stepward.tasks.base import SettingFault, TaskSettings, TaskType
from stepward.tasks.facts import Picture, Step

MOST_AT_ONCE: Final = 40
"""An inline Map runs no more side by side, whatever it is told."""
EXPECTED_ITEMS: Final = 10
"""For how many a plan takes a list whose length nobody knows before the run."""


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
        description="How many items run in one execution at most. Default: as many as its history holds.",
    )
    collect: Any = Field(
        default=None, description="What each item brings; without it the outputs of the last tasks."
    )


class ForeachTask(TaskType[ForeachSettings]):
    """Runs a body for each item; within, `$item` and `$index` are known."""

    name = "foreach"
    purpose = "Runs its tasks for each item of a list; the output is the list of what each item brought."
    example: ClassVar[Mapping[str, Any]] = {
        "items": "{% $input.rows %}",
        "max_items": 5,
        "tasks": [{"id": "b", "output": 1}],
    }
    settings = ForeachSettings
    steps = (Step.BEGIN, Step.ITEMS, Step.KEEP)
    picture = Picture("#0f9d8a", "M8 6.5h12M8 12h12M8 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01")
    expressions = ("items", "collect")
    later = ("collect",)
    variables = frozenset({"item", "index"})
    markers = ("items", "max_items", "chunk_size")
    bound = "max_items"

    def output_schema(self, settings: ForeachSettings) -> Mapping[str, Any] | None:
        """Say that it is a list, one entry an item."""
        del settings
        return {"type": "array"}

    def rounds(self, settings: ForeachSettings) -> Bound:
        """One an item: those that the document lists, else from none to as many as it allows."""
        if isinstance(settings.items, list):
            return exactly(len(settings.items))
        most = settings.max_items
        return Bound(least=0, expected=min(EXPECTED_ITEMS, most), most=most)

    def at_once(self, settings: ForeachSettings) -> int:
        """As many as it says."""
        return settings.max_parallel

    def caption(self, task: TaskDefinition, settings: ForeachSettings) -> str:
        """Return how many items, and how many of them at once."""
        del task
        items = settings.items
        counted = f"{len(items)}" if isinstance(items, list) else f"up to {settings.max_items}"
        return f"for each, {counted} items, {settings.max_parallel} at once"

    def faults(self, task: TaskDefinition, settings: ForeachSettings) -> Iterator[SettingFault]:
        """A body without tasks does nothing; a list in the document is known to be too long."""
        if not task.tasks:
            yield SettingFault("tasks", f"the body of {task.id!r} is empty", "give it tasks")
        if not isinstance(settings.items, list) and not is_expression(settings.items):
            yield SettingFault(
                "items", "`items` must be a list", "give a list, or an expression that brings one"
            )
        if isinstance(settings.items, list) and len(settings.items) > settings.max_items:
            yield SettingFault(
                "items", f"{len(settings.items)} items are over `max_items`", "raise `max_items`"
            )


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
