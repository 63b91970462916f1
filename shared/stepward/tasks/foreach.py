"""The task type `foreach`: runs its tasks once for each item of a list, in parallel."""

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
"""The limit of an inline Map's concurrency."""
EXPECTED_ITEMS: Final = 10
"""The number of items that a plan assumes for a list of unknown length."""


class ForeachSettings(TaskSettings):
    """The items, how many run in parallel, and the output of each.

    Without `collect` that is the outputs of its last tasks.
    """

    items: Any = Field(description="The items: a list, or an expression that gives one.")
    """An expression that gives one value is a list of one; none is an empty list."""
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
    """Runs a body for each item, with the variables `$item` and `$index`."""

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
        """Return the schema of a list."""
        del settings
        return {"type": "array"}

    def rounds(self, settings: ForeachSettings) -> Bound:
        """Return one iteration an item: the number in the document, else up to `max_items`."""
        if isinstance(settings.items, list):
            return exactly(len(settings.items))
        most = settings.max_items
        return Bound(least=0, expected=min(EXPECTED_ITEMS, most), most=most)

    def at_once(self, settings: ForeachSettings) -> int:
        """Return `max_parallel`."""
        return settings.max_parallel

    def caption(self, task: TaskDefinition, settings: ForeachSettings) -> str:
        """Return the number of items, and how many run in parallel."""
        del task
        items = settings.items
        counted = f"{len(items)}" if isinstance(items, list) else f"up to {settings.max_items}"
        return f"for each, {counted} items, {settings.max_parallel} at once"

    def faults(self, task: TaskDefinition, settings: ForeachSettings) -> Iterator[SettingFault]:
        """Yield an empty body, items that are no list, and too many items."""
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
    """Return what an expression gave as a list.

    JSONata returns a single match bare, and no match as nothing.

    Args:
        found: The value of `items`.

    Returns:
        A list unchanged, nothing as an empty list, and anything else as the only item.
    """
    if found is None:
        return []
    return found if isinstance(found, list) else [found]
