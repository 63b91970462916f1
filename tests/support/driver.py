"""A run in memory: the use cases over the in-memory ports, moved along as the state machine would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from stepward.adapters.memory.approvals import MemoryApprovals
from stepward.adapters.memory.costs import MemoryLimitsConfig
from stepward.adapters.memory.functions import MemoryResults
from stepward.adapters.memory.journal import MemoryJournal
from stepward.adapters.memory.prompts import MemoryPromptRegistry
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.run_queue import MemoryTokens, MemoryWakeUps
from stepward.adapters.memory.runtime_state import MemoryRuntimeState
from stepward.adapters.memory.small_ports import (
    CountingIds,
    MemoryDatasets,
    MemoryEvents,
    MemoryRunMachine,
    StillClock,
)
from stepward.agents.advance import Advance
from stepward.agents.answering import StageAnswers
from stepward.agents.approval_reminders import RemindApprovers
from stepward.agents.approvals import DecideApproval
from stepward.agents.call_limits import CallLimits, failure
from stepward.agents.call_tool import CallTool
from stepward.agents.continue_as_new import MOST_EVENTS
from stepward.agents.dispatch import DispatchRuns
from stepward.agents.journal_writer import RunWriter
from stepward.agents.lookup import startable_agent
from stepward.agents.machine_messages import AdvanceAnswer, AdvanceRequest, CallRequest, WaitRequest
from stepward.agents.register import Register
from stepward.agents.run_control import CancelRun
from stepward.agents.run_ports import RunPorts
from stepward.agents.show_runs import ShowRuns
from stepward.agents.start import Start
from stepward.agents.waits import OpenWait, openers_of
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.journal import Cancel
from stepward.domain.money import Price
from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunKey
from stepward.models.gateway import Providers
from stepward.prompts.fill import FillPrompts
from stepward.prompts.render import Renderer
from stepward.tools.base import ToolContext

ACME = Caller(tenant="acme", principal="tester")


@dataclass
class World:
    """Everything a run needs, in memory; `backend` replaces the agents' own."""

    journal: MemoryJournal = field(default_factory=MemoryJournal)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    machine: MemoryRunMachine = field(default_factory=MemoryRunMachine)
    datasets: MemoryDatasets = field(default_factory=MemoryDatasets)
    clock: StillClock = field(default_factory=StillClock)
    ids: CountingIds = field(default_factory=CountingIds)
    backend: Any = None
    time_left_s: Callable[[], float] = lambda: 100.0
    most_events: int = MOST_EVENTS
    agreed: dict[str, Price] = field(default_factory=dict)
    results: MemoryResults | None = None
    providers: Providers | None = None
    stage: StageAnswers = field(default_factory=lambda: StageAnswers(charge_rehearsals=True))

    def __post_init__(self) -> None:
        self.runtime = MemoryRuntimeState(self.journal)
        self.run_queue = self.runtime.line
        self.tokens = MemoryTokens()
        self.wake_ups = MemoryWakeUps()
        self.approvals = MemoryApprovals(self.runtime, self.journal)
        self.told = MemoryEvents()
        self.limits = MemoryLimitsConfig()
        self.prompts = MemoryPromptRegistry()
        self.fill = FillPrompts(self.prompts, Renderer())
        self.ports = RunPorts(
            journal=self.journal,
            runtime=self.runtime,
            lists=self.runtime,
            run_queue=self.run_queue,
            tokens=self.tokens,
            approvals=self.approvals,
            wake_ups=self.wake_ups,
            machine=self.machine,
            limits=self.limits,
            clock=self.clock,
            ids=self.ids,
            prompts=self.fill,
        )
        self._invocations = count(1)

    def register(self, body: dict[str, Any]) -> None:
        case = Register(
            self.registry, self.clock, (), agreed=lambda _: self.agreed, check_prompt=self.fill.check
        )
        case("acme", body)

    def swap_version(self, body: dict[str, Any]) -> None:
        """Put a definition in a version's place that no registration would let in."""
        found = AgentDefinition.model_validate(body)
        place = ("acme", found.id, found.version)
        before = self.registry._versions[place]
        self.registry._versions[place] = before.model_copy(update={"definition": found})

    def start(self, agent: str = "helper", given: Any = "hello", key: str | None = None) -> RunKey:
        return self.starter(ACME, agent, {"input": given}, key)[0].key

    @property
    def starter(self) -> Start:
        return Start(self.ports, self.registry, stage=self.stage, datasets=lambda: self.datasets)

    def advance(self, key: RunKey, **said: Any) -> AdvanceAnswer:
        head = self.runtime.heads.get(key)
        asks = {"execution": head.execution_name if head else None, **said}
        request = AdvanceRequest(v=1, tenant=key.tenant, run=key.run, **asks)
        return Advance(
            ports=self.ports,
            call_limits=self._call_limits,
            latest=lambda *said: startable_agent(self.registry, *said).definition.version,
            context=self._context,
            invocation=f"invocation-{next(self._invocations)}",
            time_left_s=_fresh_at_first(self.time_left_s),
            most_events=self.most_events,
        )(request)

    def call(self, key: RunKey, answer: AdvanceAnswer, call: str) -> str:
        request = CallRequest(
            v=1, tenant=key.tenant, run=key.run, agent=answer.agent or "", version=answer.version or "",
            seq=answer.seq, newest=answer.newest or 0, call=call,
        )  # fmt: skip
        invocation = f"tool-{next(self._invocations)}"
        return CallTool(self.journal, self._definition, self._context, invocation)(request)

    def wait(self, key: RunKey, answer: AdvanceAnswer, call: str) -> str:
        """Open one wait of the machine, as it would with a token of its own."""
        token = f"token-{next(self._invocations)}"
        request = WaitRequest(
            v=1, tenant=key.tenant, run=key.run, agent=answer.agent or "", version=answer.version or "",
            call=call, token=token,
        )  # fmt: skip
        openers = openers_of(self.ports, self.registry, self.told)
        OpenWait(self.ports, self._definition, openers)(request)
        return token

    def decide(
        self, approval: str, decision: str = "approve", by: str = "ann", **said: Any
    ) -> dict[str, Any]:
        """Decide as somebody else than the tester, who starts all runs."""
        case = DecideApproval(
            self.approvals, self.journal, self.runtime, self.tokens, self.machine, self.clock
        )
        return case(Caller("acme", by), approval, {"decision": decision, **said})

    def tend(self) -> dict[str, int]:
        """Look after approvals, as the janitor does."""
        return RemindApprovers(self.approvals, self.tokens, self.machine, self.told, self.clock)()

    def serve(self, tenant: str = "acme") -> int:
        """Serve a tenant's line as a wake-up asks for."""
        return DispatchRuns(self.ports, f"dispatch-{next(self._invocations)}", lambda: 100.0)(tenant)

    def finish(self, key: RunKey) -> dict[str, Any]:
        """Move a run along until it is done, with all that it waits for, over as many executions as it takes."""
        said: dict[str, Any] = {}
        for _ in range(500):
            answer = self.advance(key, **said)
            if answer.next == "done" and self.runtime.heads[key].ended:
                return self.show(key)
            said = {"called": answer.seq, "asked": answer.calls} if answer.next == "calls" else {}
            for call in answer.calls or []:
                self.call(key, answer, call)
            if answer.next == "waits":
                said = {"awaited": answer.seq}
                self._answer_all(key, answer)
            assert answer.next != "done" or self.runtime.heads[key].execution_name in self.machine.started
            said["spent"] = self.spent(answer)
        raise AssertionError("the run does not end")

    def spent(self, answer: AdvanceAnswer) -> int:
        """Count the events of an execution as the machine does, up to its next advance; of a new one after `done`."""
        if answer.next == "done":
            return 7
        items = 7 * len(answer.calls or []) + 8 * len(answer.waits or [])
        return (answer.spent or 7) + 7 + (4 + items if items else 2 * (answer.next == "wait"))

    def _answer_all(self, key: RunKey, answer: AdvanceAnswer) -> None:
        for wait in answer.waits or []:
            token = self.wait(key, answer, wait.call)
            item = self.journal.call(key, wait.call)
            if item and item.started_by and token not in self.machine.answered:
                self.finish(RunKey(tenant=key.tenant, run=item.started_by))

    def run(self, body: dict[str, Any], given: Any = "hello") -> dict[str, Any]:
        self.register(body)
        return self.finish(self.start(body["id"], given))

    def show(self, key: RunKey) -> dict[str, Any]:
        return ShowRuns(self.journal, self.runtime).detail(key.tenant, key.run)

    def events(self, key: RunKey) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = ShowRuns(self.journal, self.runtime).events(key.tenant, key.run, {})[
            "events"
        ]
        return events

    def cancel(self, key: RunKey) -> None:
        CancelRun(self.ports)(key.tenant, key.run, "tester")

    def end_unseen(self, key: RunKey) -> None:
        """End a run and nobody else: as if a canceller had died before it looked for children."""
        RunWriter.open(self.ports, key, "a canceller").end(failure("Bug", "it broke."))

    def cancel_in_journal(self, key: RunKey) -> None:
        """Ask for the end and die before writing it."""
        writer = RunWriter.open(self.ports, key, "a canceller")
        writer.append(writer.make(Cancel, by="tester"))

    def kinds(self, key: RunKey) -> list[str]:
        return [item.record.kind for item in self.journal.load(key).records]

    def _context(self, tenant: str, call_id: str) -> ToolContext:
        return ToolContext(tenant, call_id, self.datasets, results=self.results)

    def _definition(self, tenant: str, agent: str, version: str) -> AgentDefinition:
        found = self.registry.agent(tenant, agent, version)
        assert found is not None
        return found.definition

    def _call_limits(self, tenant: str, agent: str, version: str, rehearsed: bool) -> CallLimits:
        definition = self._definition(tenant, agent, version)
        call_limits = CallLimits.of(definition, self.agreed, rehearsed=rehearsed, providers=self.providers)
        if self.backend is None:
            return call_limits
        return replace(call_limits, backend=self.backend)


class Failing:
    """A backend that always raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    longest_call_s = 30.0

    def reply(self, request: ModelRequest, call: object = None) -> ModelReply:
        raise self.error

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 10


def _fresh_at_first(later: Callable[[], float]) -> Callable[[], float]:
    """Give an invocation all its time at its first look, and what is left after that."""
    looks = count()
    return lambda: 100.0 if next(looks) == 0 else later()
