"""All rooms deploy together, because they share one package and must agree about the journal's records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from constructs import Construct

from infra.bundling import Bundler
from infra.config import StageConfig
from infra.constructs.allowances import arns_of
from infra.constructs.function import Room
from infra.constructs.permissions import Rule
from infra.constructs.queue import feed
from infra.constructs.rules import start_by_rules
from infra.constructs.schedules import ScheduleRole
from infra.constructs.stream import follow
from infra.function_configs import FunctionConfig
from infra.stacks.base import StageStack


class FunctionsStack(StageStack):
    """Every room of the `functions` folder."""

    def __init__(
        self,
        scope: Construct,
        rooms: Sequence[FunctionConfig],
        words: Mapping[str, Rule],
        bundle: Bundler,
        config: StageConfig,
    ) -> None:
        super().__init__(scope, "functions", config)
        for spec in rooms:
            room = Room(self, spec, config, words, bundle(spec))
            if spec.queue:
                feed(room, spec, room.function, arns_of(self, config.stage))
            if spec.stream:
                follow(room, spec, room.function, arns_of(self, config.stage))
            if spec.is_asynchronous:
                start_by_rules(room, spec, room.function, arns_of(self, config.stage))
            if spec.on_schedules:
                ScheduleRole(self, spec, arns_of(self, config.stage))
