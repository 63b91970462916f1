"""Executions under way, which are begun again under their names.

On AWS an execution outlives everything. Here it is gone with the process, and its run's journal is not: the machine's
first state reads the journal and goes on from there, so a second beginning repeats nothing that was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

from moto.stepfunctions.parser.api import StateMachineType
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local import account
from infra.local.state.folder import Unit
from infra.local.state.scans import Seen, dump


class Executions:
    """The source of every Standard execution that has not ended."""

    kind = "execution"

    def scan(self) -> Iterator[Seen]:
        """Look at what runs."""
        for machine in list(_backend().state_machines):
            for execution in list(machine.executions):
                if _is_running(execution):
                    yield Seen(Unit(self.kind, machine.arn, execution.name), True, _Writer(execution))

    def restore(self, unit: Unit, content: Any) -> Hashable | None:
        """Begin an execution again, unless its machine is no more."""
        backend = _backend()
        if unit.home not in {machine.arn for machine in backend.state_machines}:
            return None
        backend.start_execution(unit.home, unit.key, content["input"])
        return True


class _Writer:
    """Write an execution down when it is asked for."""

    def __init__(self, execution: Any) -> None:
        self._execution = execution

    def __call__(self) -> bytes:
        return dump({"v": 1, "input": json.dumps(self._execution.input_data)})


def _is_running(execution: Any) -> bool:
    status = str(getattr(execution.exec_status, "value", execution.exec_status))
    return status in ("RUNNING", "None") and execution.sm_type != StateMachineType.EXPRESS


def _backend() -> Any:
    return stepfunctions_parser_backends[account.ACCOUNT_ID][account.REGION]
