"""State machines deploy after the functions that they call, so that a machine never names a function that is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from constructs import Construct

from infra.config import StageConfig
from infra.constructs.machine import Machine, WorkflowMachines
from infra.function_configs import FunctionConfig
from infra.stacks.base import StageStack


class MachinesStack(StageStack):
    """Every machine of the `statemachines` folder, and what the machines of workflows share."""

    def __init__(
        self,
        scope: Construct,
        files: Mapping[str, Path],
        rooms: Sequence[FunctionConfig],
        config: StageConfig,
    ) -> None:
        super().__init__(scope, "machines", config)
        for name, file in files.items():
            Machine(self, name, file, rooms, config)
        WorkflowMachines(self, config)
