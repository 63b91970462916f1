"""Workflows in memory: real tasks, carried by the machine that their document was compiled to, in virtual time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from stepward.adapters.memory.costs import MemoryLimitsConfig
from stepward.adapters.memory.functions import MemoryFunctions
from stepward.adapters.memory.run_queue import MemoryRunQueue, MemoryTokens, MemoryWakeUps
from stepward.adapters.memory.small_ports import CountingIds, MemoryDatasets
from stepward.adapters.memory.task_store import MemoryTaskStore
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.adapters.memory.workflow_runs import MemoryWorkflowRuns
from stepward.agents.answering import StageAnswers
from stepward.agents.run_ports import SlotPorts
from stepward.domain.chunks import Chunk
from stepward.domain.errors import StepwardError
from stepward.domain.programs import Program
from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, WorkflowHead
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.clock import iso
from stepward.ports.tasks import LatchKey, TaskOutcome
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus
from stepward.ports.workflow_runs import WorkflowEnd
from stepward.tools.base import ToolContext
from stepward.workflows.compiler.compile import compile_workflow
from stepward.workflows.compiler.states import JOURNAL, TASK_RUN
from stepward.workflows.program.names import at_depth
from stepward.workflows.runs.chunks import RunChunk
from stepward.workflows.runs.end_run import EndRun
from stepward.workflows.runs.execute_task import ExecuteTask
from stepward.workflows.runs.finalize import FinalizeRun
from stepward.workflows.runs.notify import outcome_of
from stepward.workflows.runs.outside_answers import AnswerTask
from stepward.workflows.runs.run_store import WorkflowPorts, output_of
from stepward.workflows.runs.run_task import TaskServices
from stepward.workflows.runs.start_checks import ChooseAnswers, startable_workflow
from stepward.workflows.runs.start_run import RerunWorkflow, StartWorkflow, WorkflowLaunch
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.asl_engine import AslEngine, Execution
from tests.support.virtual_time import EventLoop, Ticket
from tests.support.workflow_doubles import FakeReach
from tests.support.workflow_machines import EngineMachines

ACME = Caller(tenant="acme", principal="tester")


class Died(BaseException):
    """The process is gone, with all that it knew."""


class WorkflowWorld:
    """Everything that workflows need, in memory; durations and answers are what a test says."""

    def __init__(self, seed: int = 0, duration_s: Callable[[str, str], float] = lambda path, at: 0.0) -> None:
        self.loop, self.duration_s = EventLoop(seed), duration_s
        self.engine = AslEngine(self.loop, self)
        self.store = MemoryTaskStore()
        self.run_queue, self.wake_ups, self.limits = MemoryRunQueue(), MemoryWakeUps(), MemoryLimitsConfig()
        self.runs = MemoryWorkflowRuns(self.store, self.loop, line=self.run_queue)
        self.registry = MemoryWorkflowRegistry()
        self.machines, self.tokens, self.datasets = EngineMachines(self), MemoryTokens(), MemoryDatasets()
        self.functions: dict[str, Callable[[Any], Any]] = {}
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.pauses: list[float] = []
        self.told: list[tuple[WorkflowHead, WorkflowEnd, Any]] = []
        self.parked: set[str] = set()  # the tokens of awaits
        self.requests: list[tuple[float, TaskRequest]] = []
        self.reach = FakeReach(self)
        self.program = cache(self.registry.program)
        self.ports = WorkflowPorts(
            store=self.store,
            runs=self.runs,
            machines=self.machines,
            tokens=self.tokens,
            slots=self.runs.slots,
            queue=SlotPorts(self.run_queue, self.wake_ups, self.limits),
            program=self.program,
            clock=self.loop,
            ids=CountingIds(),
        )
        choose_answers = ChooseAnswers(stage=StageAnswers(charge_rehearsals=True))
        self.starter = StartWorkflow(self.ports, self.registry, choose_answers=choose_answers)

    # ── what a test does ────────────────────────────────────────────────────────────────────────────────────────

    def register(self, tasks: list[dict[str, Any]], **said: Any) -> WorkflowDefinition:
        """Keep a version that is ready at once."""
        body = {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": tasks, **said}
        return self.keep(WorkflowDefinition.model_validate(body))

    def keep(self, definition: WorkflowDefinition) -> WorkflowDefinition:
        """Keep what was compiled."""
        compiled = compile_workflow(definition, ACME.tenant)
        kept = RegisteredWorkflow(
            definition=definition,
            created_at=iso(self.loop.now()),
            machine=compiled.program.machine,
            status=VersionStatus.READY,
        )
        self.registry.keep(ACME.tenant, kept, compiled.program, compiled.text())
        return definition

    def start(self, given: Any = None, workflow: str = "flow", **said: Any) -> RunKey:
        found = startable_workflow(self.registry, ACME.tenant, workflow, None)
        return self.starter.launch(ACME, found, WorkflowLaunch(given, **said))[0].key

    def run(self, tasks: list[dict[str, Any]], given: Any = None, **said: Any) -> Ran:
        """Register, start, and go on to the end."""
        self.register(tasks, **said)
        return self.finish(self.start(given))

    def finish(self, key: RunKey) -> Ran:
        execution = self.execution(key)
        self.loop.run(until=lambda: execution.status != "RUNNING")
        return Ran(self, key)

    def execution(self, key: RunKey) -> Execution:
        return self.engine.executions[self.runs.heads[key].execution_name]

    def close(self, key: RunKey) -> str:
        """Hear of an execution that is over, as the room does that closes runs."""
        return EndRun(self.ports, self._tell, self.reach.cancel_agent).close(
            key, "States.Timeout", "it is over"
        )

    def rerun(self, key: RunKey) -> RunKey:
        return RerunWorkflow(self.ports, self.starter, self.registry)(ACME, key.run).key

    def chunks(self, key: RunKey) -> list[Execution]:
        """The executions of a run's chunks, in the order of their starts."""
        named = self.engine.executions.items()
        return [one for name, one in named if name.startswith(f"{key.run}.1.")]

    def chunk(self, head: WorkflowHead, chunk: Chunk) -> Execution:
        return self.engine.executions[f"{head.execution_name}.{chunk.name}"]

    def kill(self, execution: Execution, status: str = "ABORTED") -> None:
        """End a chunk's execution from outside, if it runs; the room that hears of it does what it does."""
        if execution.status != "RUNNING":
            return
        execution.stop(status)
        key = RunKey(tenant=execution.given["tenant"], run=execution.given["run"])
        chunk = Chunk.model_validate(execution.given["chunk"])
        RunChunk(self.ports).died(key, chunk, f"the execution ended as {status}")

    def cancel(self, key: RunKey, by: str = "tester") -> WorkflowHead:
        return EndRun(self.ports, self._tell, self.reach.cancel_agent).cancel(key.tenant, key.run, by)

    # ── what machines reach ─────────────────────────────────────────────────────────────────────────────────────

    def run_apart(self, work: Callable[[], Any], ended: Callable[[Any, BaseException | None], None]) -> None:
        """Run what a process of its own does; here it is done at once, in worlds that interleave step by step."""
        try:
            found = work()
        except (Died, StepwardError) as error:
            ended(None, error)
        else:
            ended(found, None)

    def invoke(self, function: str, payload: dict[str, Any], ticket: Ticket) -> None:
        """Call the room that carries tasks; what it does happens when its time is over."""
        assert function == TASK_RUN
        request = TaskRequest.model_validate(payload)
        self.requests.append((self.loop.now_s, request))
        self._has_what_it_needs(request)
        self.parked |= {str(request.token)} if request.step == "wait" else set()
        takes_s = self.duration_s(request.task, request.at) if request.step is None else 0.0
        self.loop.later(takes_s, lambda: self.carried(request, ticket))

    def carried(self, request: TaskRequest, ticket: Ticket) -> None:
        """Do what the room does, and answer as it would."""

        def ended(answer: Any, error: BaseException | None) -> None:
            if error is None:
                ticket.answer({"Payload": json.loads(json.dumps(answer))})
            elif isinstance(error, StepwardError):
                ticket.fail(error.code, error.detail)
            else:
                ticket.fail("Lambda.Unknown", "the process is gone")

        self.run_apart(lambda: self.room(request), ended)

    def room(self, request: TaskRequest) -> dict[str, Any]:
        key = request.run.key
        if request.step == "chunk":
            return RunChunk(self.ports).begin(request)
        if request.step == "settle":
            failed = (request.state or {}).get("failed")
            if request.run.chunk:
                return RunChunk(self.ports).finish(key, request.run.chunk, failed)
            case = FinalizeRun(self.ports, self.world(key), self._tell)
            return case(key, failed, request.run.undo, fails=request.fails)
        return ExecuteTask(self.ports, self.world(key))(request)

    def write(self, arguments: dict[str, Any]) -> bool:
        """Make an await's write, as DynamoDB would."""
        assert arguments["TableName"] == JOURNAL
        tenant, run = re.fullmatch(r"T#(.+)#R#(.+)", arguments["Key"]["pk"]["S"]).groups()  # type: ignore[union-attr]
        latch, _, at = arguments["Key"]["sk"]["S"].removeprefix("LATCH#").partition("@")
        names = dict(arguments["ExpressionAttributeNames"])
        assert arguments["UpdateExpression"] == "SET #w = :w"
        join, token = names.pop("#w").removeprefix("w:"), arguments["ExpressionAttributeValues"][":w"]["S"]
        asked = arguments["ConditionExpression"].split(" OR ")
        assert asked == [f"attribute_not_exists({one})" for one in names]
        needs = [name.removeprefix("r:") for name in names.values()]
        self.parked.add(token)
        return self.store.park(RunKey(tenant=tenant, run=run), LatchKey(latch, at), join, token, needs)

    def world(self, key: RunKey) -> TaskServices:
        return TaskServices(self._tools, self._put_event, self.reach.of(key), self.pauses.append)

    def answer_task(self, key: RunKey, place: Any, outcome: TaskOutcome) -> None:
        """Answer as a room does that is called again until it came through."""

        def ended(found: Any, error: BaseException | None) -> None:
            del found
            if error is not None:
                self.loop.later(1, lambda: self.answer_task(key, place, outcome))

        answers = AnswerTask(self.ports, resumes=True)
        self.run_apart(lambda: answers.answer(key.tenant, key.run, place, outcome), ended)

    def _tools(self, tenant: str, call_id: str) -> ToolContext:
        functions = MemoryFunctions(foreign=self.functions)
        allowed = tuple(f"lambda:{name}" for name in self.functions)
        return ToolContext(
            tenant, call_id, self.datasets, allowed, functions=functions, pause=self.pauses.append
        )

    def _put_event(self, name: str, call_id: str, detail: dict[str, Any]) -> None:
        self.events.append((name, call_id, detail))

    def _tell(self, head: WorkflowHead, end: WorkflowEnd, output: Any) -> None:
        self.told.append((head, end, output))
        if head.parent and head.parent.place:
            answers, outcome = AnswerTask(self.ports, resumes=True), outcome_of(head, end, output)
            answers.answer(head.tenant, head.parent.run, head.parent.place, outcome)

    def _has_what_it_needs(self, request: TaskRequest) -> None:
        """No state is entered before all that its task needs has records."""
        if request.step in ("settle", "wait"):
            return
        program: Program = self.program(request.run.tenant, request.run.workflow, request.run.version)
        planned, records = program.tasks[request.task], self.store.full_snapshot(request.run.key).records
        for need in planned.needs:
            at = at_depth(request.at, program.tasks[need].depth)
            assert TaskKey(path=need, at=at) in records, f"{request.task}@{request.at} before {need}"


class Ran:
    """A run, and what can be said of it."""

    def __init__(self, world: WorkflowWorld, key: RunKey) -> None:
        self.world, self.key = world, key
        self.execution = world.execution(key)
        self.looked = world.store.full_snapshot(key)
        kept = self.looked.records.items()
        self.records = {str(task): record for task, record in kept if not task.is_chunk}
        head = world.runs.head(key)
        assert head is not None
        self.head = head

    @property
    def status(self) -> str:
        return self.head.status.value

    @property
    def output(self) -> Any:
        return self.world.store.value(self.key, "output")

    @property
    def statuses(self) -> dict[str, str]:
        return {name: record.status.value for name, record in self.records.items()}

    @property
    def outputs(self) -> dict[str, Any]:
        return {
            str(task): output_of(self.world.ports, self.key, task, record)
            for task, record in self.looked.records.items()
            if record.is_well and not task.is_chunk
        }

    @property
    def entered(self) -> list[str]:
        return [one.state for one in self.execution.entered]

    def error(self, task: str) -> str | None:
        error = self.records[task].error
        return error.code if error else None
