"""What a task may do in the world, read from its settings; what cannot be known is taken as the worst."""

from __future__ import annotations

from pydantic import ValidationError

from stepward.domain.errors import InvalidRequest
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.catalog import find_type, settings_of


def effect_of(task: TaskDefinition) -> Effect:
    """What a second execution would do; `once` for a function of which nothing is known yet."""
    try:
        return find_type(task.type).effect(settings_of(task))
    except (InvalidRequest, ValidationError):
        return Effect.ONCE


def leaves(task: TaskDefinition) -> bool:
    """Whether the task sends what it is given out of the platform."""
    try:
        return find_type(task.type).is_outside(settings_of(task))
    except (InvalidRequest, ValidationError):
        return True
