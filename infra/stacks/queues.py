"""Queues hold messages that are not yet handled, so they live apart from the functions that come and go."""

from __future__ import annotations

from collections.abc import Sequence

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.queue import FailureQueue, FunctionQueue
from infra.function_configs import FunctionConfig
from infra.stacks.base import StageStack


class QueuesStack(StageStack):
    """One queue with its dead letters for each room that asks for one, one of failures for each that others start."""

    def __init__(self, scope: Construct, rooms: Sequence[FunctionConfig], config: StageConfig) -> None:
        super().__init__(scope, "queues", config)
        for room in rooms:
            if room.queue:
                FunctionQueue(self, room, config)
            if room.keeps_failures:
                FailureQueue(self, room, config)
