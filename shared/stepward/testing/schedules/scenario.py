"""One schedule: a seed chooses the agents, who goes on, and what goes wrong; then everything is looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from stepward.agents.epochs import MOST_EVENTS
from stepward.agents.start import Caller
from stepward.domain.approvals import Approval
from stepward.domain.budgets import AccountLimits, Budget, BudgetScope, TenantLimits
from stepward.domain.errors import BudgetExceeded, Conflict, StepwardError
from stepward.domain.runs import RunKey
from stepward.testing.schedules.actors import Actor
from stepward.testing.schedules.decisions import approval_violations
from stepward.testing.schedules.faults import Died, Misfortune
from stepward.testing.schedules.invariants import EXPECTED_ANSWER, violations
from stepward.testing.schedules.machine import Execution, Task
from stepward.testing.schedules.payment import CHECKED_PAYMENT, payments
from stepward.testing.schedules.platform import Platform

TENANTS: Final = ("acme", "globex")
MOST_STEPS: Final = 20_000
CLIENT_TRIES: Final = 4
SWEEPS: Final = 4
MOST_WAITS_IN_A_ROW: Final = 3
LONGER_THAN_A_CLOCK_IS_WRONG_S: Final = 1_000

_SUM: Final = {"tool": "calculate", "arguments": {"expression": "6 * 7"}}
_PAY: Final = {"tool": "payment"}
_ASK: Final = {"tool": "ask_child", "arguments": {"input": "What is it?"}}
_PERSON: Final = {"tool": "ask_person", "arguments": {"question": "May I?"}}
_CHECKED_PAY: Final = {"tool": CHECKED_PAYMENT}
_CHECKED_SUM: Final = {**_SUM, "tool": "checked_sum"}
_CHECKED_ASK: Final = {**_ASK, "tool": "checked_ask"}
_GUARD: Final = {"approval": {"timeout_s": 604_800}}
_ANSWER: Final = {"say": EXPECTED_ANSWER}
SHAPES: Final[dict[str, list[dict[str, Any]]]] = {
    "one turn": [_ANSWER],
    "inline": [{"call": [_SUM, _SUM]}, _ANSWER],
    "remote": [{"call": [_PAY, _PAY]}, _ANSWER],
    "remote twice": [{"call": [_PAY]}, {"call": [_PAY]}, _ANSWER],
    "mixed": [{"call": [_SUM, _PAY]}, _ANSWER],
    "child": [{"call": [_ASK, _PAY]}, _ANSWER],
    "children": [{"call": [_SUM]}, {"call": [_ASK, _ASK]}, _ANSWER],
    "people": [{"call": [_PERSON, _PERSON, _PAY]}, _ANSWER],
    "guards": [{"call": [_CHECKED_PAY, _PAY, _CHECKED_SUM]}, _ANSWER],
    "guarded child": [{"call": [_CHECKED_ASK, _PERSON]}, {"call": [_CHECKED_PAY]}, _ANSWER],
}
CHILD_SHAPES: Final = ("one turn", "inline", "remote", "guards")
MOST_RUNS: Final = 3


@dataclass(frozen=True)
class Outcome:
    """What a schedule showed."""

    seed: int
    violations: list[str]
    faults: dict[str, int]
    steps: int


@dataclass
class Scenario:
    """A schedule in the making."""

    seed: int
    cancel_acks: dict[str, int] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  a schedule is to be repeatable, not secret
        self.fate = Misfortune(self.chance, most=self.chance.randint(0, 5))
        # Apart from all other chances, so that a seed's other misfortunes stay what they were.
        most_events = random.Random(f"epochs of {self.seed}").choice((MOST_EVENTS, 25, 12))  # noqa: S311  as above
        self.platform = Platform(self._off_by_s, most_events)
        self._clients: dict[Actor, tuple[str, int, int]] = {}
        self._cancellers: dict[Actor, tuple[RunKey, int]] = {}
        self._deciders: list[tuple[str, Actor, str]] = []
        self._closed: set[int] = set()

    def play(self) -> Outcome:
        """Play the schedule to its end and look at everything."""
        with payments():
            faults = self._play()
        return Outcome(self.seed, faults, dict(self.fate.dealt), self.steps)

    def _play(self) -> list[str]:
        self.platform.limits.change_account(AccountLimits(active=self.chance.randint(1, 4)))
        for tenant in TENANTS[: self.chance.randint(1, 2)]:
            self._limit(tenant)
            self._register(tenant)
            for number in range(self.chance.randint(1, MOST_RUNS)):
                self._ask(tenant, number, 1)
        self._run_dry()
        for sweep in range(SWEEPS):
            if sweep == SWEEPS // 2:
                self.fate.relent()  # what must hold is that everything ends once nothing goes wrong any more
            self.platform.clock.forward(61 if sweep < SWEEPS // 2 else LONGER_THAN_A_CLOCK_IS_WRONG_S)
            self.platform.spawn_janitor()
            self.platform.spawn_tender()
            self._resume_all()
            self._run_dry()
            for _ in range(MOST_WAITS_IN_A_ROW):
                self._decide_all()
                self._run_dry()
        odd = [f"{a.name}: {a.error!r:.300}" for a in self.platform.actors if _is_odd(a)]
        decided = [(name, person) for name, actor, person in self._deciders if actor.error is None]
        return [
            *odd,
            *violations(self.platform, self.cancel_acks),
            *approval_violations(self.platform, decided),
        ]

    def _limit(self, tenant: str) -> None:
        """Choose how many runs may be active, and whether a budget bounds what they spend."""
        few = self.chance.randint(1, 3)
        limit_usd_micros = self.chance.choice((None, 30_000, 10_000_000))
        budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=limit_usd_micros or 0)
        budgets = (budget,) if limit_usd_micros else ()
        self.platform.limits.change(tenant, TenantLimits(active=few, budgets=budgets), 0)

    def _register(self, tenant: str) -> None:
        child = f"child-of-{tenant}"
        tools: list[dict[str, Any]] = [
            {"tool": "calculate"},
            {"tool": "payment"},
            {"tool": "ask_person"},
            {"tool": "payment", "name": CHECKED_PAYMENT, **_GUARD},
            {"tool": "calculate", "name": "checked_sum", **_GUARD},
        ]
        self._register_as(tenant, child, self.chance.choice(CHILD_SHAPES), tools)
        asks: list[dict[str, Any]] = [
            {"agent": child, "name": "ask_child"},
            {"agent": child, "name": "checked_ask", **_GUARD},
        ]
        self._register_as(tenant, f"agent-of-{tenant}", self.chance.choice(list(SHAPES)), tools + asks)

    def _register_as(self, tenant: str, agent: str, shape: str, tools: list[dict[str, Any]]) -> None:
        body = {"id": agent, "name": shape, "version": "1.0.0", "model": "balanced", "prompt": "Go."}
        self.platform.register(tenant, {**body, "tools": tools, "rehearsal": {"turns": SHAPES[shape]}})

    def _ask(self, tenant: str, number: int, tries: int) -> None:
        caller, key = Caller(tenant, "tester"), f"key-{number}-of-{tenant}"
        client = self.platform.spawn_client(caller, f"agent-of-{tenant}", key)
        self._clients[client] = (tenant, number, tries)

    # ── the schedule ────────────────────────────────────────────────────────────────────────────────────────────

    def _run_dry(self) -> None:
        """Let everybody act until nobody can."""
        while actors := [actor for actor in self.platform.actors if not actor.is_over]:
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise RuntimeError(f"schedule {self.seed} does not come to an end")
            actor = self.chance.choice(actors)
            is_write = actor.ahead is not None and actor.ahead.is_write
            actor.step(self.fate.deal(is_write=is_write))
            self._take_in()
            self._disturb()

    def _take_in(self) -> None:
        """Let everybody who waits for an actor see that it has ended, until nothing changes any more."""
        for execution in list(self.platform.executions.values()):
            execution.look()
            self._close(execution)
        for actor in [one for one in self._clients if one.is_over]:
            self._client_ended(actor, *self._clients.pop(actor))
        for actor in [one for one in self._cancellers if one.is_over]:
            self._canceller_ended(actor, *self._cancellers.pop(actor))

    def _close(self, execution: Execution) -> None:
        if execution.status in ("FAILED", "ABORTED") and id(execution) not in self._closed:
            self._closed.add(id(execution))
            self.platform.spawn_closer(execution)

    def _client_ended(self, actor: Actor, tenant: str, number: int, tries: int) -> None:
        if actor.error is not None and tries < CLIENT_TRIES and self.chance.random() < 0.8:
            self._ask(tenant, number, tries + 1)

    def _canceller_ended(self, actor: Actor, key: RunKey, tries: int) -> None:
        if actor.error is None:
            self.cancel_acks.setdefault(key.run, len(self.platform.diary.lines))
        elif not isinstance(actor.error, Conflict) and tries < CLIENT_TRIES:
            self._cancellers[self.platform.spawn_canceller(key)] = (key, tries + 1)

    def _disturb(self) -> None:
        """Now and then: a task is given up while it runs, invoked twice, or its run is cancelled."""
        running = [e for e in self.platform.executions.values() if e.status == "RUNNING" and e.tasks]
        if not running:
            return
        execution = self.chance.choice(running)
        task: Task = self.chance.choice(execution.tasks)
        if self.fate.strikes("time_out_of_the_machine", 0.02):
            execution.time_out(task)
        elif self.fate.strikes("duplicate_delivery", 0.02):
            self.platform.spawn_room(task.room, task.payload)
        elif self.fate.strikes("cancel", 0.02):
            self._cancellers[self.platform.spawn_canceller(execution.key)] = (execution.key, 1)
        self._pause_or_resume()
        if self.chance.random() < 0.01:
            self._decide_one()

    def _decide_one(self) -> None:
        """Let somebody decide what is open, perhaps at the same moment as somebody else."""
        approvals = self.platform.approvals.open_ones()
        if approvals:
            self._decide(self.chance.choice(approvals))

    def _decide_all(self) -> None:
        """Let all that is open come to an end: by a word, the run's end, the machine's patience, or several at once."""
        for approval in self.platform.approvals.open_ones():
            way = self.chance.random()
            if way < 0.15:
                self._cancellers[self.platform.spawn_canceller(approval.key)] = (approval.key, 1)
            if 0.1 < way < 0.25:
                self._give_up(approval)
            if way > 0.1:
                self._decide(approval)

    def _give_up(self, approval: Approval) -> None:
        """Let the machine wait no longer."""
        for execution in list(self.platform.executions.values()):
            for task in execution.waits() if execution.key == approval.key else ():
                if task.payload["call"] == approval.wait:
                    execution.time_out(task)

    def _decide(self, approval: Approval) -> None:
        word = self.chance.choice(("approve", "approve", "deny"))
        self._deciders.append((approval.id, *self.platform.spawn_decider(approval, word)))

    def _pause_or_resume(self) -> None:
        """Now and then: a run, active, waiting or in line, is paused, or told to go on."""
        keys = list(self.platform.runtime.heads)
        if keys and self.fate.strikes("pause", 0.02):
            self.platform.spawn_pauser(self.chance.choice(keys))
        elif keys and self.fate.strikes("resume", 0.02):
            self.platform.spawn_resumer(self.chance.choice(keys))

    def _resume_all(self) -> None:
        """Let every run go on that somebody has paused: nobody else would."""
        for key, head in self.platform.runtime.heads.items():
            if head.paused and not head.ended:
                self.platform.spawn_resumer(key)

    def _off_by_s(self) -> float:
        if not self.fate.strikes("slow_clock", 0.02):
            return 0.0
        return self.chance.uniform(-900, 900)


def _is_odd(actor: Actor) -> bool:
    """Tell whether an invocation ended by something that is neither a fault of ours nor an answer."""
    error = actor.error
    if error is None or isinstance(error, Died | Conflict | BudgetExceeded):
        return False
    return not (isinstance(error, StepwardError) and error.retryable)


def play_all(first: int, count: int) -> Iterator[Outcome]:
    """Play schedules one after the other."""
    for seed in range(first, first + count):
        yield Scenario(seed).play()
