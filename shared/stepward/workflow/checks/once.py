"""What must happen once at most cannot be tried again: the second attempt might be the second payment."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.domain.tools import Effect
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene

_FIX = "give it `retry: {strategy: none}`, or an effect of `idempotent` if the other side knows calls again"


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find tasks of effect `once` that are tried more than once, by their own rule or by the workflow's."""
    del orders
    for spot in scene.all():
        own = spot.task.retry
        around = next((one for one in spot.containers() if one.task.retry), None)
        rule = own or (around.task.retry if around else scene.definition.retry)
        if rule and rule.attempts > 1 and spot.effect is Effect.ONCE:
            whose = "" if own else f" by the `retry` of {around.path if around else 'the workflow'}"
            detail = f"{spot.task.id!r} has an effect that must happen once, but is tried {rule.attempts} times{whose}"
            yield scene.problem(spot, "retry" if own else (), "once-retried", detail, _FIX)
