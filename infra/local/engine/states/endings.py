"""Patches of how executions end: the last event, StopExecution, and aborted siblings."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.stepfunctions.parser.api import (
    ExecutionAbortedEventDetails,
    ExecutionStatus,
    ExecutionTimedOutEventDetails,
    HistoryEventType,
    MapIterationEventDetails,
)
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.iteration_worker import (
    IterationWorker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import Job, JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError, ProgramTimedOut
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.responses import StepFunctionResponse

from infra.local.engine.states import execution_status, failures

ORIGINAL_HISTORY_ENDS = EventManager.add_event
ORIGINAL_EVAL = Program.eval
ORIGINAL_REFLECT = BaseExecutionWorkerCommunication._reflect_execution_status  # noqa: SLF001 - what is patched
_ENDS = frozenset(
    {
        HistoryEventType.ExecutionAborted,
        HistoryEventType.ExecutionFailed,
        HistoryEventType.ExecutionSucceeded,
        HistoryEventType.ExecutionTimedOut,
    }
)
_lock = threading.RLock()


def install_history_ends() -> None:
    """End a history with its last event, and keep the status of a stopped execution.

    moto goes on writing a history after its end, and lets the worker of a stopped execution overwrite its status.

    Where: `EventManager.add_event` in moto/stepfunctions/parser/asl/eval/event/event_manager.py:77 takes events for ever;
    `_reflect_execution_status` in moto/stepfunctions/parser/backend/execution.py:70 turns ABORTED into FAILED when a state
    breaks over the stop; `Program.eval` in moto/stepfunctions/parser/asl/component/program/program.py:70 writes
    ExecutionTimedOut only when the current state has ended. Events of abandoned iterations and branches come late, too.
    """
    EventManager.add_event = _add_event
    Program.eval = _eval
    BaseExecutionWorkerCommunication._reflect_execution_status = _reflect  # noqa: SLF001 - as above


def end(manager: EventManager, kind: HistoryEventType, details: EventDetails, previous: int = 0) -> bool:
    """Write the last event from outside the program; return False if there was one before."""
    with _lock:
        if getattr(manager, "has_ended", False):
            return False
        manager.add_event(context=EventHistoryContext(previous), event_type=kind, event_details=details)
        return True


def abandon(env: Environment) -> None:
    """Keep later events of a part of an execution out of the history."""
    env.event_history_context.is_abandoned = True
    for frame in list(env._frames):  # noqa: SLF001 - the frames have no accessor
        abandon(frame)


def _add_event(
    manager: EventManager,
    context: EventHistoryContext,
    event_type: HistoryEventType,
    event_details: EventDetails | None = None,
    *args: Any,
    **named: Any,
) -> int:
    with _lock:
        is_over = getattr(manager, "has_ended", False) or getattr(context, "is_abandoned", False)
        if is_over or failures.is_recorded(event_details):
            return int(context.source_event_id)
        if event_type in _ENDS:
            manager.has_ended = True
        event_id: int = ORIGINAL_HISTORY_ENDS(manager, context, event_type, event_details, *args, **named)
        return event_id


def _eval(program: Program, env: Environment) -> None:
    ORIGINAL_EVAL(program, env)
    if isinstance(env.program_state(), ProgramTimedOut) and not env.is_frame():
        manager = env.event_manager
        previous = len(manager.get_event_history())
        details = EventDetails(executionTimedOutEventDetails=ExecutionTimedOutEventDetails())
        end(manager, HistoryEventType.ExecutionTimedOut, details, previous)


def _reflect(communication: BaseExecutionWorkerCommunication) -> None:
    if communication.execution.exec_status != ExecutionStatus.ABORTED:
        ORIGINAL_REFLECT(communication)


ORIGINAL_EXECUTIONS_STOPPED = StepFunctionResponse.stop_execution
_START_LIMIT_S = 5.0


def install_executions_stopped() -> None:
    """Stop an execution at once, with its error and cause.

    moto's StopExecution drops error and cause, fails on an execution that has just begun, and shows RUNNING for long.

    Where: `stop_execution` in moto/stepfunctions/responses.py and models.py. The status changes only when the current state
    has ended, which for a Task is when its function returns; AWS shows ABORTED at once.
    """
    StepFunctionResponse.stop_execution = _stop_execution


def _stop_execution(response: StepFunctionResponse) -> ActionResult:
    arn, error, cause = (response._get_param(name) for name in ("executionArn", "error", "cause"))  # noqa: SLF001
    execution = response.stepfunction_backend.describe_execution(arn)
    if execution.exec_status == ExecutionStatus.RUNNING:
        _wait_until_begun(execution)
        _abort_execution(execution, error, cause)
    return ActionResult({"stopDate": execution.stop_date})


def _abort_execution(execution: Execution, error: str | None, cause: str | None) -> None:
    aborted = ExecutionAbortedEventDetails(error=error, cause=cause)
    details = EventDetails(executionAbortedEventDetails=aborted)
    manager = execution.exec_worker.env.event_manager
    # The last event of the history decides: an execution that has just ended keeps its end.
    if not end(manager, HistoryEventType.ExecutionAborted, details):
        return
    execution.stop_date = utcnow()
    execution.error, execution.cause = error, cause
    execution.exec_status = ExecutionStatus.ABORTED
    execution.stop(stop_date=execution.stop_date, error=error, cause=cause)
    execution_status.notify_end(execution)


def _wait_until_begun(execution: Execution) -> None:
    end_s = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < end_s and execution.exec_status == ExecutionStatus.RUNNING:
        env = execution.exec_worker.env
        if env is not None and env.is_running():
            return
        time.sleep(0.01)


ORIGINAL_ITERATIONS_ABORTED = IterationWorker._eval_job  # noqa: SLF001 - what is patched
ORIGINAL_BODY = InlineIterationComponent._eval_body  # noqa: SLF001 - as above
ORIGINAL_LAUNCH = InlineIterationComponent._launch_worker  # noqa: SLF001 - as above
ORIGINAL_STOP = BranchWorker.stop
ORIGINAL_INTEGRATE = EventHistoryContext.integrate


def install_iterations_aborted() -> None:
    """Abort the other iterations and branches when one has failed.

    moto lets the other iterations of a failed Map, and the other branches of a failed Parallel, run on into the history.

    Where: `InlineIterationComponent._eval_body` in
    moto/stepfunctions/parser/asl/component/state/exec/state_map/iteration/inline_iteration_component.py:101 and
    `BranchesDecl._eval_body` in …/state_parallel/branches_decl.py:65. AWS aborts them: MapIterationAborted, then no event more.
    """
    IterationWorker._eval_job = _eval_job  # noqa: SLF001 - as above
    InlineIterationComponent._launch_worker = _launch_worker  # noqa: SLF001 - as above
    InlineIterationComponent._eval_body = _eval_body  # noqa: SLF001 - as above
    BranchWorker.stop = _stop_siblings
    EventHistoryContext.integrate = _integrate


def _eval_job(worker: IterationWorker, env: Environment, job: Job) -> None:
    worker.current = (env, job)
    ORIGINAL_ITERATIONS_ABORTED(worker, env=env, job=job)
    if not isinstance(job.job_output, Exception):
        worker.current = None


def _launch_worker(
    component: InlineIterationComponent, env: Environment, eval_input: Any, job_pool: JobPool
) -> IterationWorker:
    worker = ORIGINAL_LAUNCH(component, env, eval_input, job_pool)
    if not hasattr(env, "iteration_workers"):
        env.iteration_workers = []
    env.iteration_workers.append(worker)
    return worker


def _eval_body(component: InlineIterationComponent, env: Environment) -> None:
    env.iteration_workers = []
    try:
        ORIGINAL_BODY(component, env)
    except Exception:
        for worker in env.iteration_workers:
            _abort(worker)
        raise


def _abort(worker: IterationWorker) -> None:
    worker.sig_stop()
    current = getattr(worker, "current", None)
    if current is None or isinstance(current[1].job_output, Exception):
        return
    env, job = current
    details = MapIterationEventDetails(name=worker._work_name, index=job.job_index)  # noqa: SLF001 - as above
    env.event_manager.add_event(
        context=EventHistoryContext(_newest_event(env)),
        event_type=HistoryEventType.MapIterationAborted,
        event_details=EventDetails(mapIterationAbortedEventDetails=details),
        update_source_event_id=False,
    )
    abandon(env)
    env.set_stop(dt.datetime.now(dt.UTC), cause=None, error=None)


def _newest_event(env: Environment) -> int:
    frames = [_newest_event(frame) for frame in list(env._frames)]  # noqa: SLF001 - as above
    return max([int(env.event_history_context.last_published_event_id), *frames])


def _stop_siblings(worker: BranchWorker, stop_date: Any, cause: str | None, error: str | None) -> None:
    if not isinstance(worker.env.program_state(), ProgramError):
        abandon(worker.env)
    ORIGINAL_STOP(worker, stop_date, cause, error)


def _integrate(context: EventHistoryContext, other: EventHistoryContext) -> None:
    # The event after a failure follows the part that has failed, not the newest event of an abandoned part.
    if not getattr(other, "is_abandoned", False):
        ORIGINAL_INTEGRATE(context, other)
