"""Play one schedule: a seed chooses agents, order and faults; then all is checked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from stepward.domain.approvals import Approval
from stepward.domain.budgets import AccountLimits, Budget, BudgetScope, TenantLimits
from stepward.domain.errors import BudgetExceeded, Conflict, StepwardError
from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunKey
from stepward.testing.schedules.actors import Actor
from stepward.testing.schedules.faults import NO_FAULT, Died, FaultInjector
from stepward.testing.schedules.focus import Focus
from stepward.testing.schedules.invariants import CallerAnswers, approval_violations, violations
from stepward.testing.schedules.machine import Execution, Task
from stepward.testing.schedules.moments import InvariantBroken, Moments
from stepward.testing.schedules.payment import payments
from stepward.testing.schedules.platform import Platform
from stepward.testing.schedules.shapes import CHILD_SHAPES, agents_of

TENANTS: Final = ("acme", "globex")
MOST_STEPS: Final = 20_000
CLIENT_TRIES: Final = 4
STUBBORN_TRIES: Final = 40
"""More than a brown-out has calls: a cancel is repeated until it is answered, and so is an event."""
SWEEPS: Final = 4
MOST_WAITS_IN_A_ROW: Final = 3
LONGER_THAN_A_CLOCK_IS_WRONG_S: Final = 1_000
OFTEN: Final = 0.2
"""The probability at each step of the disturbance that the schedule tests closely."""
SELDOM: Final = 0.02
HURRY: Final = 0.95
"""The probability at each step that slow invocations are left out."""
MOST_RUNS: Final = 3
_BREAKS: Final = (InvariantBroken, StepwardError, AssertionError, LookupError, TypeError, ValueError)
"""Errors of the scheduler itself where the product has broken a rule."""


@dataclass(frozen=True)
class Outcome:
    """The result of a schedule."""

    seed: int
    violations: list[str]
    faults: dict[str, int]
    steps: int


@dataclass
class Scenario:
    """A schedule while it is played."""

    seed: int
    answers: CallerAnswers = field(default_factory=CallerAnswers)
    steps: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311  a schedule is to be repeatable, not secret
        self.focus = Focus.of(self.seed)
        most = self.chance.randint(0, 5) + self.focus.more_faults
        self.injector = FaultInjector(self.chance, most, self.focus.calm_calls)
        self.platform = Platform(self._off_by_s, self.focus.most_events)
        self.moments = Moments(self.platform)
        self._clients: dict[Actor, tuple[str, int, int]] = {}
        self._cancellers: dict[Actor, tuple[RunKey, int]] = {}
        self._deciders: list[tuple[str, Actor, str]] = []
        self._closers: dict[str, tuple[Actor, int]] = {}
        self._held: tuple[Actor, Actor] | None = None

    def play(self) -> Outcome:
        """Play the schedule to its end and check everything; an exception ends it there."""
        with payments():
            try:
                broken = self._play()
            except _BREAKS as error:
                broken = [f"at step {self.steps}: {type(error).__name__}: {error}"]
            finally:
                self.platform.end_all()
        return Outcome(self.seed, broken, dict(self.injector.counts), self.steps)

    def _play(self) -> list[str]:
        self.platform.limits.change_account(AccountLimits(active=self.chance.randint(1, 4)))
        for tenant in TENANTS[: self.chance.randint(1, 2)]:
            self._limit(tenant)
            self._register(tenant)
            for number in range(self.chance.randint(1, MOST_RUNS)):
                self._ask(tenant, number, 1)
        self._run_until_idle()
        for sweep in range(SWEEPS):
            if sweep == SWEEPS // 2:
                self.injector.stop_faults()  # what must hold is that everything ends once nothing goes wrong any more
            self.platform.clock.forward(61 if sweep < SWEEPS // 2 else LONGER_THAN_A_CLOCK_IS_WRONG_S)
            self.platform.spawn_janitor()
            self.platform.spawn_reminder()
            self._resume_all()
            self._run_until_idle()
            for _ in range(MOST_WAITS_IN_A_ROW):
                self._decide_all()
                self._run_until_idle()
        odd = [f"{a.name}: {a.error!r:.300}" for a in self.platform.actors if _is_odd(a)]
        decided = [(name, person) for name, actor, person in self._deciders if actor.error is None]
        return [
            *odd,
            *violations(self.platform, self.answers),
            *approval_violations(self.platform, decided),
        ]

    def _limit(self, tenant: str) -> None:
        """Choose how many runs may be active, and whether a budget bounds their costs."""
        few = self.chance.randint(1, 3)
        limit_usd_micros = self.chance.choice((None, 30_000, 10_000_000))
        budget = Budget(scope=BudgetScope.TENANT, limit_usd_micros=limit_usd_micros or 0)
        budgets = (budget,) if limit_usd_micros else ()
        self.platform.limits.change(tenant, TenantLimits(active=few, budgets=budgets), 0)

    def _register(self, tenant: str) -> None:
        """Register an agent and the one that it may ask."""
        child, shape = self.chance.choice(CHILD_SHAPES), self.chance.choice(self.focus.shapes)
        limit, asks_models = self.focus.cost_limit_usd, self.focus.asks_models
        for body in agents_of(tenant, shape, child, limit, asks_models=asks_models):
            self.platform.register(tenant, body)

    def _ask(self, tenant: str, number: int, tries: int) -> None:
        caller, key = Caller(tenant, "tester"), f"key-{number}-of-{tenant}"
        self.answers.starts.setdefault(key, set())
        rehearse = not self.focus.asks_models
        client = self.platform.spawn_client(caller, f"agent-of-{tenant}", key, rehearse=rehearse)
        self._clients[client] = (tenant, number, tries)

    # ── the schedule ────────────────────────────────────────────────────────────────────────────────────────────

    def _run_until_idle(self) -> None:
        """Let invocations act until none is left."""
        while actors := self._free():
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise InvariantBroken("the schedule does not come to an end")
            self._step(self.chance.choice(actors))
            self._process_ended()
            self._disturb()

    def _free(self) -> list[Actor]:
        """Return the invocations that may act; one may be held back until another has ended."""
        actors = self.platform.acting()
        if self._held and not self._held[1].is_over:
            actors = [actor for actor in actors if actor is not self._held[0]]
        return self.focus.quick(actors) if self.chance.random() < HURRY else actors

    def _step(self, actor: Actor) -> None:
        """Let an invocation make its call, or cancel its run just before."""
        if self._is_cancelled_first(actor):
            return
        call = actor.ahead
        is_write = call is not None and call.is_write
        fault = self.injector.draw(is_write=is_write, odds=self.focus.odds(actor.name, call))
        if fault is not NO_FAULT and call and call.port == "model":
            self.injector.count(f"model_{call.method}_{fault}")
        actor.step(fault)
        if is_write or self.platform.call_log.uncovered:
            self.moments.check()

    def _is_cancelled_first(self, actor: Actor) -> bool:
        call = actor.ahead
        head = self.platform.runtime.heads.get(call.key) if call and call.key else None
        run = self.focus.cancelled_at(call, head.parent if head else None)
        if head is None or run is None or self._held is not None:
            return False
        key = RunKey(tenant=head.tenant, run=run)
        canceller = self.platform.spawn_canceller(key)
        self._held = (actor, canceller)
        self._cancellers[canceller] = (key, 1)
        self.injector.count("cancel_at_the_last_moment")
        return True

    def _process_ended(self) -> None:
        """Process the invocations that have ended."""
        for execution in list(self.platform.executions.values()):
            if execution.tasks:
                execution.process_ended()
            self._close(execution)
        for actor in [one for one in self._clients if one.is_over]:
            self._client_ended(actor, *self._clients.pop(actor))
        for actor in [one for one in self._cancellers if one.is_over]:
            self._canceller_ended(actor, *self._cancellers.pop(actor))

    def _close(self, execution: Execution) -> None:
        """Invoke the closer of a failed execution; Lambda retries an event whose function fails."""
        if execution.status not in ("FAILED", "ABORTED"):
            return
        closer, tries = self._closers.get(execution.name, (None, 0))
        if closer is None or (closer.is_over and closer.error and tries < STUBBORN_TRIES):
            self._closers[execution.name] = (self.platform.spawn_closer(execution), tries + 1)

    def _client_ended(self, actor: Actor, tenant: str, number: int, tries: int) -> None:
        if actor.error is None:
            self.answers.starts[f"key-{number}-of-{tenant}"].add(actor.answer[0].run)
        elif tries < CLIENT_TRIES and self.chance.random() < 0.8:
            self._ask(tenant, number, tries + 1)

    def _canceller_ended(self, actor: Actor, key: RunKey, tries: int) -> None:
        if actor.error is None:
            self.answers.cancel_acks.setdefault(key.run, len(self.platform.call_log.lines))
        elif not isinstance(actor.error, Conflict) and tries < STUBBORN_TRIES:
            self._cancellers[self.platform.spawn_canceller(key)] = (key, tries + 1)

    def _disturb(self) -> None:
        """Now and then time a task out while it runs, invoke it twice, or cancel its run."""
        running = [e for e in self.platform.executions.values() if e.status == "RUNNING" and e.tasks]
        if not running:
            return
        execution = self.chance.choice(running)
        task: Task = self.chance.choice(execution.tasks)
        if self._strikes("time_out_of_the_machine"):
            execution.time_out(task)
        elif self._strikes("duplicate_delivery"):
            self.platform.spawn_function(task.function, task.payload)
        elif self._strikes("cancel"):
            self._cancellers[self.platform.spawn_canceller(execution.key)] = (execution.key, 1)
        self._pause_or_resume()
        if self.chance.random() < 0.01:
            self._decide_one()

    def _strikes(self, disturbance: str) -> bool:
        return self.injector.happens(disturbance, OFTEN if disturbance == self.focus.disturbance else SELDOM)

    def _decide_one(self) -> None:
        """Decide an open approval, perhaps at the same moment as another person."""
        approvals = self.platform.approvals.open_ones()
        if approvals:
            self._decide(self.chance.choice(approvals))

    def _decide_all(self) -> None:
        """End all open approvals: by a decision, a cancel, a time-out, or several at once."""
        for approval in self.platform.approvals.open_ones():
            way = self.chance.random()
            if way < 0.15:
                self._cancellers[self.platform.spawn_canceller(approval.key)] = (approval.key, 1)
            if 0.1 < way < 0.25:
                self._give_up(approval)
            if way > 0.1:
                self._decide(approval)

    def _give_up(self, approval: Approval) -> None:
        """Time out the machine's wait for an approval."""
        for execution in list(self.platform.executions.values()):
            for task in execution.waits() if execution.key == approval.key else ():
                if task.payload["call"] == approval.wait:
                    execution.time_out(task)

    def _decide(self, approval: Approval) -> None:
        word = self.chance.choice(("approve", "approve", "deny"))
        self._deciders.append((approval.id, *self.platform.spawn_decider(approval, word)))

    def _pause_or_resume(self) -> None:
        """Now and then pause or resume a run: active, waiting or queued."""
        keys = list(self.platform.runtime.heads)
        if keys and self._strikes("pause"):
            self.platform.spawn_pauser(self.chance.choice(keys))
        elif keys and self._strikes("resume"):
            self.platform.spawn_resumer(self.chance.choice(keys))

    def _resume_all(self) -> None:
        """Resume every paused run."""
        for key, head in self.platform.runtime.heads.items():
            if head.paused and not head.ended:
                self.platform.spawn_resumer(key)

    def _off_by_s(self) -> float:
        if not self.injector.happens("slow_clock", SELDOM):
            return 0.0
        return self.chance.uniform(-900, 900)


def _is_odd(actor: Actor) -> bool:
    """Return True if an invocation ended by an error that is neither injected nor expected."""
    error = actor.error
    if error is None or isinstance(error, Died | Conflict | BudgetExceeded):
        return False
    return not (isinstance(error, StepwardError) and error.retryable)


def play_all(first: int, count: int) -> Iterator[Outcome]:
    """Play schedules one after the other."""
    for seed in range(first, first + count):
        yield Scenario(seed).play()
