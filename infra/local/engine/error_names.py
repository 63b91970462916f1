"""moto breaks on errors whose names begin with `States.` when they come out of a Map, a Parallel or a callback.

Where: `CustomErrorName` in moto/stepfunctions/parser/asl/component/common/error_name/custom_error_name.py:17 refuses them,
which is right for a definition; but `StateFail`, `IterationWorker`, `BranchesDecl` and callbacks use it for what has happened, so
that a timeout inside a Map ends as States.Runtime.
"""

from __future__ import annotations

import importlib
from typing import Any

from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName

ORIGINAL = custom_error_name.CustomErrorName
_STATES = "moto.stepfunctions.parser.asl.component.state.exec"
_FAIL = "moto.stepfunctions.parser.asl.component.state.fail.state_fail"
_PLACES = (
    _FAIL,
    f"{_STATES}.state_map.iteration.iteration_worker",
    f"{_STATES}.state_parallel.branches_decl",
    f"{_STATES}.state_task.service.state_task_service_callback",
    f"{_STATES}.state_task.service.state_task_service_lambda",
    f"{_STATES}.state_task.state_task_activitiy",
    f"{_STATES}.state_task.state_task_lambda",
)


def install() -> None:
    """Take any name for what has happened."""
    for place in _PLACES:
        vars(importlib.import_module(place))["CustomErrorName"] = _HappenedError


class _HappenedError(ErrorName):  # type: ignore[misc]
    def __init__(self, error_name: Any) -> None:
        super().__init__(error_name=error_name)
