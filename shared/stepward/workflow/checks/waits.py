"""Somebody who is asked may never answer, so whatever waits for people or calls says how long."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.tasks.base import Place
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find tasks that wait for somebody outside without a time."""
    del orders
    for spot in scene.spots:
        if spot.task.timeout_s is None and _waits_for_somebody(spot):
            detail = f"{spot.task.id!r} waits for somebody outside, and might for ever"
            yield scene.problem(
                spot, (), "no-timeout", detail, "add `timeout_s`, for example 86400 for a day"
            )


def _waits_for_somebody(spot: Spot) -> bool:
    if spot.kind is None or spot.settings is None or not spot.kind.needs_timeout:
        return False
    return spot.kind.place_of(spot.settings) is Place.AWAITED
