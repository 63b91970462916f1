"""Build a platform in memory whose every port waits for the scheduler."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, Final

from stepward.adapters.memory.approvals import MemoryApprovals
from stepward.adapters.memory.costs import MemoryLimitsConfig
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.run_queue import MemoryTokens
from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.adapters.memory.small_ports import CountingIds, MemoryDatasets, MemoryEvents, StillClock
from stepward.agents.advance import Advance
from stepward.agents.answering import StageAnswers
from stepward.agents.approval_reminders import RemindApprovers
from stepward.agents.approvals import DecideApproval
from stepward.agents.call_limits import CallLimits
from stepward.agents.call_tool import CallTool
from stepward.agents.dispatch import DispatchRuns
from stepward.agents.lookup import find_agent
from stepward.agents.machine_messages import AdvanceRequest, CallRequest, WaitRequest
from stepward.agents.reconcile import CloseRun, ReconcileRuns
from stepward.agents.register import Register
from stepward.agents.run_control import CancelRun, PauseRun, ResumeRun
from stepward.agents.run_ports import RunPorts
from stepward.agents.start import Start
from stepward.agents.waits import OpenWait, openers_of
from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import Approval
from stepward.domain.run_origins import Caller
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey
from stepward.testing.schedules.actors import Actor
from stepward.testing.schedules.machine import Execution, Payload
from stepward.testing.schedules.ports import CallLog, FollowedJournal, WatchedBackend, replies_in, watched
from stepward.testing.schedules.vendors import Vendors
from stepward.tools.base import ToolContext

EXECUTION_STOPPED: Final = "ExecutionStopped"
"""The error of a run whose execution has ended without it."""


class SkewedClock:
    """A clock that is some seconds off, as a machine's may be."""

    def __init__(self, clock: StillClock, off_by_s: float) -> None:
        self._clock = clock
        self._off_by = timedelta(seconds=off_by_s)

    def now(self) -> Any:
        """Return the time, with the error."""
        return self._clock.now() + self._off_by


class Platform:
    """Lambda functions as actors over watched ports.

    `off_by_s` returns the error of each new invocation's clock; `most_events` bounds an execution's history.
    """

    def __init__(self, off_by_s: Callable[[], float], most_events: int) -> None:
        self.call_log = CallLog(self._reserved_usd_micros)
        self.clock = StillClock()
        self.vendors = Vendors(self.call_log, self.clock.forward, self._is_answered)
        self.journal = FollowedJournal()
        self.runtime = MemoryRuntimeState(self.journal)
        self.registry = MemoryRegistry()
        self.datasets = MemoryDatasets()
        self.limits = MemoryLimitsConfig()
        self.tokens = MemoryTokens()
        self.approvals = MemoryApprovals(self.runtime, self.journal)
        self.sent_events = MemoryEvents()
        self.executions: dict[str, Execution] = {}
        self.actors: list[Actor] = []
        self._acting: list[Actor] = []
        self.epochs: dict[str, int] = {}
        """For which of its run's executions an invocation has advanced it, by the invocation's name."""
        self._kept_call_limits: dict[tuple[str, str, str], CallLimits] = {}
        self._off_by_s = off_by_s
        self._most_events = most_events
        self._numbers = count(1)
        self._ids = CountingIds()
        self._watched_journal = watched("journal", self.journal, self.call_log)
        self._watched_runtime = watched("runtime", self.runtime, self.call_log)
        self._watched_machine = watched("machine", self, self.call_log)
        self._watched_line = watched("line", self.runtime.line, self.call_log)
        self._watched_tokens = watched("tokens", self.tokens, self.call_log)
        self._watched_approvals = watched("approvals", self.approvals, self.call_log)
        self._watched_events = watched("events", self.sent_events, self.call_log)
        self._watched_wake_ups = watched("wake_ups", self, self.call_log)

    def register(self, tenant: str, body: dict[str, Any]) -> None:
        """Register an agent, outside of the schedule."""
        Register(self.registry, self.clock, ())(tenant, body)

    # ── the machine's port ──────────────────────────────────────────────────────────────────────────────────────

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start an execution; a repeated name starts nothing."""
        if execution_name not in self.executions:
            execution = Execution(execution_name, key, self.spawn_function, self.clock.forward)
            self.executions[execution_name] = execution
            self.executions[execution_name].begin()

    def answer(self, token: str) -> bool:
        """End the wait of a token; False if it waits no longer."""
        return any(execution.answered(token) for execution in self.executions.values())

    def send(self, tenant: str, freed: int | None = None) -> None:
        """Serve a tenant's run queue, as a message of SQS would."""
        self.spawn_dispatch(tenant, freed)

    def is_running(self, execution_name: str) -> bool:
        """Return True for an execution that runs."""
        found = self.executions.get(execution_name)
        return found is not None and found.status == "RUNNING"

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """Abort a running execution."""
        del error, cause
        if self.is_running(execution_name):
            self.executions[execution_name].stop()

    # ── invocations ─────────────────────────────────────────────────────────────────────────────────────────────

    def spawn(self, name: str, work: Callable[[], Any]) -> Actor:
        """Start an invocation."""
        actor = Actor(name, work)
        self.actors.append(actor)
        self._acting.append(actor)
        actor.begin()
        return actor

    def acting(self) -> list[Actor]:
        """Return the invocations that have not ended."""
        self._acting = [actor for actor in self._acting if not actor.is_over]
        return self._acting

    def end_all(self) -> None:
        """End every invocation, so that a schedule that broke off leaves none behind."""
        for actor in self.acting():
            actor.die()

    def spawn_function(self, function: str, payload: Payload) -> Actor:
        """Invoke a function of the machine with a payload, passed on as JSON."""
        wire = json.dumps(payload)
        invocation = self._name(function)
        work = {"agent_advance": self._advance, "tool_invoke": self._call, "dispatch": self._open}[function]
        return self.spawn(invocation, lambda: work(json.loads(wire), invocation))

    def spawn_client(
        self, caller: Caller, agent: str, idempotency_key: str, *, rehearse: bool = True
    ) -> Actor:
        """Start a run, as the API does."""
        start = Start(self._ports(), self.registry, stage=StageAnswers(charge_rehearsals=True))
        body = {"input": "hello", "deadline_s": 86_400, "rehearse": rehearse}
        return self.spawn(self._name("client"), lambda: start(caller, agent, body, idempotency_key))

    def spawn_canceller(self, key: RunKey) -> Actor:
        """Cancel a run, as the API does."""
        cancel = CancelRun(self._ports())
        return self.spawn(self._name("canceller"), lambda: cancel(key.tenant, key.run, "tester"))

    def spawn_pauser(self, key: RunKey) -> Actor:
        """Pause a run, as the API does."""
        pause = PauseRun(self._ports())
        return self.spawn(self._name("pauser"), lambda: pause(key.tenant, key.run, "tester"))

    def spawn_resumer(self, key: RunKey) -> Actor:
        """Resume a run, as the API does."""
        resume = ResumeRun(self._ports())
        return self.spawn(self._name("resumer"), lambda: resume(key.tenant, key.run, "tester"))

    def spawn_janitor(self) -> Actor:
        """Reconcile, as the schedule of the janitor does."""
        return self.spawn(self._name("janitor"), ReconcileRuns(self._ports(self.clock)))

    def spawn_decider(self, approval: Approval, decision: str) -> tuple[Actor, str]:
        """Decide an approval, as the API does; each decision is by another person."""
        name = self._name("person")
        decide = DecideApproval(
            self._watched_approvals, self._watched_journal, self._watched_runtime, self._watched_tokens,
            self._watched_machine, self._clock(),
        )  # fmt: skip
        caller = Caller(approval.tenant, name)
        return self.spawn(name, lambda: decide(caller, approval.id, {"decision": decision})), name

    def spawn_reminder(self) -> Actor:
        """Remind of approvals, as the janitor does."""
        reminders = RemindApprovers(
            self._watched_approvals, self._watched_tokens, self._watched_machine, self._watched_events, self.clock
        )  # fmt: skip
        return self.spawn(self._name("tender"), reminders)

    def spawn_closer(self, execution: Execution) -> Actor:
        """Close the run of an execution that failed or was aborted, as its event does."""
        close = CloseRun(self._ports())
        said = (execution.key, EXECUTION_STOPPED, execution.status, execution.epoch)
        return self.spawn(self._name("closer"), lambda: close(*said))

    def spawn_dispatch(self, tenant: str, freed: int | None = None) -> Actor:
        """Serve a tenant's run queue, as a wake-up does."""
        name = self._name("dispatch")
        return self.spawn(name, lambda: DispatchRuns(self._ports(), name, lambda: 100.0)(tenant, freed))

    def _ports(self, clock: Any = None) -> RunPorts:
        return RunPorts(
            journal=self._watched_journal,
            runtime=self._watched_runtime,
            lists=self._watched_runtime,
            run_queue=self._watched_line,
            tokens=self._watched_tokens,
            approvals=self._watched_approvals,
            wake_ups=self._watched_wake_ups,
            machine=self._watched_machine,
            limits=self.limits,
            clock=clock or self._clock(),
            ids=self._ids,
        )

    def _advance(self, payload: Payload, invocation: str) -> Payload:
        clock = self._clock()
        advance = Advance(
            ports=self._ports(clock),
            latest=lambda *said: find_agent(self.registry, *said).definition.version,
            context=self._context,
            call_limits=lambda tenant, agent, version, rehearsed: self._call_limits(
                RunKey(tenant=tenant, run=payload["run"]), agent, version, clock if not rehearsed else None
            ),
            invocation=invocation,
            time_left_s=lambda: 100.0,
            most_events=self._most_events,
        )
        request = AdvanceRequest.model_validate(payload)
        self.epochs[invocation] = request.epoch
        answer = advance(request).model_dump(exclude_none=True)
        found: Payload = json.loads(json.dumps(answer))
        return found

    def _call(self, payload: Payload, invocation: str) -> str:
        call = CallTool(self._watched_journal, self._definition, self._context, invocation)
        return call(CallRequest.model_validate(payload))

    def _open(self, payload: Payload, invocation: str) -> str:
        del invocation
        ports = self._ports()
        openers = openers_of(ports, self.registry, self._watched_events)
        return OpenWait(ports, self._definition, openers)(WaitRequest.model_validate(payload))

    def _context(self, tenant: str, call_id: str) -> ToolContext:
        return ToolContext(tenant, call_id, self.datasets)

    def _definition(self, tenant: str, agent: str, version: str) -> AgentDefinition:
        found = self.registry.agent(tenant, agent, version)
        if found is None:
            raise LookupError(f"{agent} {version}")
        return found.definition

    def _call_limits(self, key: RunKey, agent: str, version: str, clock: SkewedClock | None) -> CallLimits:
        """Return an agent's models with their limits by the invocation's clock, or a rehearsal."""
        place = (key.tenant, agent, version)
        if clock is not None:
            return self.vendors.call_limits(key.tenant, self._definition(*place), clock)
        if place not in self._kept_call_limits:
            self._kept_call_limits[place] = CallLimits.of(self._definition(*place), rehearsed=True)
        plain = self._kept_call_limits[place]
        return replace(plain, backend=WatchedBackend(key, plain, self.call_log))

    def _reserved_usd_micros(self, key: RunKey, invocation: str) -> int:
        """Return what a run reserves for an invocation's call.

        An invocation that has lost the run finds it among the lost.
        """
        state = fold(self.journal.load(key))
        intent = state.ledger.intent if state.owner == invocation else None
        return state.ledger.lost.get(invocation, 0) + (intent.reserve_usd_micros if intent else 0)

    def _is_answered(self, key: RunKey, call: str, invocation: str) -> bool:
        """Return True if a run's journal has the reply to a call that its owner asks for.

        An invocation that has lost the run may not know it.
        """
        journal = self.journal.load(key)
        return call in replies_in(key.run, journal) and fold(journal).owner == invocation

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def _clock(self) -> SkewedClock:
        return SkewedClock(self.clock, self._off_by_s())
