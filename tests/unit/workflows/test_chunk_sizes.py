"""A foreach within a foreach is divided until the history that waits for all of its chunks holds their events."""

from __future__ import annotations

from math import ceil

import pytest

from stepward.workflows.program.limits import PLANNED_EVENTS
from tests.support.workflow_plans import compiled

ITEMS = 10_000
EVENTS_OF_CHUNK = 8
"""A Map's two of the item, and the six of a task that is answered by a token."""


@pytest.mark.parametrize(("inner", "tasks"), [(1_000, 1), (500, 4), (100, 20)])
def test_large_items_are_divided_where_their_chunks_would_be_too_many(inner: int, tasks: int) -> None:
    body = ", ".join(f"{{id: t{number}, output: 1}}" for number in range(tasks))
    _, made = compiled(f"""
        tasks:
        - id: each
          items: "{{% $input %}}"
          max_items: {ITEMS}
          tasks:
          - id: all
            items: "{{% $item %}}"
            max_items: {inner}
            tasks: [{body}]
    """)
    sizes = made.program.chunks
    assert "each.all" in sizes
    assert ceil(ITEMS / sizes["each"]) * EVENTS_OF_CHUNK <= PLANNED_EVENTS
