"""A remote tool that must never run twice for one call; its effects are counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from stepward.domain.tools import Effect, Placement
from stepward.tools import catalog
from stepward.tools.base import Arguments, Settings, Tool, ToolContext

CHECKED_PAYMENT: Final = "checked_payment"
"""What an agent calls it where a person's yes must come first."""


class Payment(Tool[Settings, Arguments]):
    """Pay once per call."""

    name = "payment"
    description = "Pays."
    effect = Effect.ONCE
    placement = Placement.REMOTE
    settings = Settings
    arguments = Arguments
    made: ClassVar[list[str]] = []

    def run(self, arguments: Arguments, settings: Settings, context: ToolContext) -> Any:
        """Record the payment."""
        del arguments, settings
        self.made.append(context.call_id)
        return {"paid": True}


@contextmanager
def payments() -> Iterator[None]:
    """Register the tool for the length of a schedule, with nothing paid yet."""
    Payment.made.clear()
    catalog.CATALOG[Payment.name] = f"{__name__}:{Payment.__name__}"
    try:
        yield
    finally:
        del catalog.CATALOG[Payment.name]
        catalog.find_tool.cache_clear()
