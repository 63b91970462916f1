"""moto lets the other iterations of a failed Map, and the other branches of a failed Parallel, run on into the history.

Where: `InlineIterationComponent._eval_body` in
moto/stepfunctions/parser/asl/component/state/exec/state_map/iteration/inline_iteration_component.py:101 and
`BranchesDecl._eval_body` in …/state_parallel/branches_decl.py:65. AWS aborts them: MapIterationAborted, then silence.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from moto.stepfunctions.parser.api import HistoryEventType, MapIterationEventDetails
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import (
    IterationWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError

from infra.local.engine import history_ends

ORIGINAL = IterationWorker._eval_job  # noqa: SLF001 - what is mended
ORIGINAL_BODY = InlineIterationComponent._eval_body  # noqa: SLF001 - as above
ORIGINAL_LAUNCH = InlineIterationComponent._launch_worker  # noqa: SLF001 - as above
ORIGINAL_STOP = BranchWorker.stop
ORIGINAL_INTEGRATE = EventHistoryContext.integrate


def install() -> None:
    """Remember who is at work, and end it when one has failed."""
    IterationWorker._eval_job = _eval_job  # noqa: SLF001 - as above
    InlineIterationComponent._launch_worker = _launch_worker  # noqa: SLF001 - as above
    InlineIterationComponent._eval_body = _eval_body  # noqa: SLF001 - as above
    BranchWorker.stop = _stop
    EventHistoryContext.integrate = _integrate


def _eval_job(worker: Any, env: Any, job: Any) -> None:
    worker.at_work = (env, job)
    ORIGINAL(worker, env=env, job=job)
    if not isinstance(job.job_output, Exception):
        worker.at_work = None


def _launch_worker(component: Any, env: Any, eval_input: Any, job_pool: Any) -> Any:
    worker = ORIGINAL_LAUNCH(component, env, eval_input, job_pool)
    if not hasattr(env, "iteration_workers"):
        env.iteration_workers = []
    env.iteration_workers.append(worker)
    return worker


def _eval_body(component: Any, env: Any) -> None:
    env.iteration_workers = []
    try:
        ORIGINAL_BODY(component, env)
    except Exception:
        for worker in env.iteration_workers:
            _abort(worker)
        raise


def _abort(worker: Any) -> None:
    worker.sig_stop()
    at_work = getattr(worker, "at_work", None)
    if at_work is None or isinstance(at_work[1].job_output, Exception):
        return
    env, job = at_work
    details = MapIterationEventDetails(name=worker._work_name, index=job.job_index)  # noqa: SLF001 - as above
    env.event_manager.add_event(
        context=EventHistoryContext(_newest_event(env)),
        event_type=HistoryEventType.MapIterationAborted,
        event_details=EventDetails(mapIterationAbortedEventDetails=details),
        update_source_event_id=False,
    )
    history_ends.give_up(env)
    env.set_stop(dt.datetime.now(dt.UTC), cause=None, error=None)


def _newest_event(env: Any) -> int:
    frames = [_newest_event(frame) for frame in list(env._frames)]  # noqa: SLF001 - as above
    return max([int(env.event_history_context.last_published_event_id), *frames])


def _stop(worker: Any, stop_date: Any, cause: str | None, error: str | None) -> None:
    if not isinstance(worker.env.program_state(), ProgramError):
        history_ends.give_up(worker.env)
    ORIGINAL_STOP(worker, stop_date, cause, error)


def _integrate(context: Any, other: Any) -> None:
    # What follows a failure follows the part that has failed, not the newest event of a part that was given up.
    if not getattr(other, "is_given_up", False):
        ORIGINAL_INTEGRATE(context, other)
