"""Whatever dies at any call to a port, happens twice at once, or gets lost: the same answer, nothing twice that may be once.

Every call of every document is tried, in a soak in each way: a death just before it and just after it, and an answer that
its caller never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.workflows.compiler import latches, machine_size
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.draws import drawn, sampled, times
from tests.support.interleaving import InterleavedWorld, Trouble
from tests.support.virtual_time import EventLoop
from tests.support.workflow_doubles import ill, well
from tests.support.workflow_world import Died, Ran

AWAIT_RETRY_S = 900
MOST_TROUBLES = 2
"""As many as a state forgives before its room keeps a failure."""
some = drawn(60)
KINDS = ["before", "after", "lost"]


def t(name: str, *needs: str, output: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "transform", "output": output or name, "needs": needs, **more}


CROSSING = [
    t("a"), t("b"), t("c", "a", output="{% $tasks.a %}"), t("d", "a", "b", output="{% $tasks.a & $tasks.b %}"),
    t("e", "b"), t("f", "c", "d", "e", output="{% $tasks.c & $tasks.d & $tasks.e %}"), t("g", "d", "e"),
]  # fmt: skip
ASKING = [
    {"id": "ask", "type": "agent", "agent": "helper", "with": {"input": 1}},
    {"id": "may", "type": "human", "question": "?", "timeout_s": 10_000},
    t("both", "ask", "may", output="{% $tasks.ask.given & $tasks.may.by %}"), t("ill", output="{% $error('no') %}", on_error="continue"),
    t("end", "may", "ill", run_when="always"),
]  # fmt: skip
ROUNDS = [
    {"id": "each", "type": "foreach", "items": [1, 2], "tasks": [
        t("a", output="{% $item %}"), t("b"), t("c", "a"), t("d", "a", "b", output="{% $tasks.a & $tasks.b %}"),
    ], "collect": "{% $tasks.d %}"},
    {"id": "again", "type": "loop", "until": "{% $iteration = 1 %}", "max_iterations": 3, "tasks": [t("n")]},
    {"id": "rest", "type": "wait", "seconds": 5, "needs": ["each"]},
    t("end", "rest", "again", output="{% $tasks.each %}"),
]  # fmt: skip
ONCE = [
    t("a"), t("b"),
    {"id": "pay", "type": "tool", "tool": "lambda_function", "needs": ["a", "b"], "fallback": {"output": "paid"}, "config": {
        "function": "pay", "description": "Pays.", "effect": "once", "arguments": {"type": "object"},
    }},
    t("end", "pay", output="{% $tasks.pay %}"), t("beside", "b"),
]  # fmt: skip
UNDONE = [
    t("a", compensate={"id": "undo", "type": "event", "event": "undo.a"}),
    t(
        "large",
        output="{% $pad('', 3000, 'x') %}",
        compensate={"id": "undo", "type": "event", "event": "undo.large"},
    ),
    t("bad", "a", "large", output="{% $error('no') %}"),
]
CHUNKS = [
    {"id": "each", "type": "foreach", "items": [1, 2], "chunk_size": 1, "tasks": [
        t("a", output="{% $item > 1 ? $error('no') : $item %}"),
    ]},
    t("end", "each", output="{% $tasks.each %}"),
]  # fmt: skip
DOCUMENTS = {
    "crossing": CROSSING,
    "asking": ASKING,
    "rounds": ROUNDS,
    "once": ONCE,
    "undone": UNDONE,
    "chunks": CHUNKS,
}


def no_trouble(number: int, name: str) -> None:
    """Nothing goes wrong."""


def live(document: str, trouble: Trouble, seed: int = 0, **more: Any) -> tuple[InterleavedWorld, Ran]:
    """Run a document to its end, and let all that still goes on come to its own."""
    world = InterleavedWorld(seed, trouble, **more)
    served: list[Any] = []
    world.functions["pay"] = lambda event: served.append(event) or "paid"  # type: ignore[func-returns-value]
    world.register(DOCUMENTS[document], on_error="fail" if document == "undone" else "continue")
    key = world.start(None)
    execution = world.execution(key)
    world.loop.run(until=lambda: execution.status != "RUNNING")
    ended_s = world.loop.now_s
    world.loop.run()
    assert len(served) <= 1, "what may happen once happened twice"
    world.loop.now_s = ended_s
    return world, Ran(world, key)


def expected(document: str) -> tuple[str, Any, dict[str, str]]:
    """Say how a document ends without trouble, compiled as it is now."""
    return _calm_end(document, latches.MOST_SHARED, machine_size.MOST_REQUEST_BYTES)


@cache
def _calm_end(document: str, *compiled: int) -> tuple[str, Any, dict[str, str]]:
    del compiled
    _, ran = live(document, no_trouble)
    return ran.status, ran.output, ran.outputs


def holds_nothing(world: InterleavedWorld) -> None:
    """Every slot was given back once: the line itself refuses one that is given back twice."""
    count = world.run_queue.count("acme")
    assert (count.active, count.parked, world.run_queue.positions) == (0, 0, {})


def same(document: str, world: InterleavedWorld, ran: Ran) -> None:
    status, output, outputs = expected(document)
    assert ran.execution.status == ("FAILED" if ran.status == "FAILED" else "SUCCEEDED"), ran.execution.error
    assert ran.status == status
    assert (ran.output, ran.outputs) == (output, outputs)
    assert {end.status.value for _, end, _ in world.told} == {status}
    holds_nothing(world)
    if document == "undone":
        assert {name for name, _, _ in world.events} == {"undo.a", "undo.large"}


def made(patch: pytest.MonkeyPatch, shared: int) -> None:
    """Compile with so many tasks to a latch; with 0 as if a machine had no bytes for its awaits, so that rooms make them."""
    patch.setattr(latches, "MOST_SHARED", shared or 1)
    if not shared:
        patch.setattr(machine_size, "MOST_REQUEST_BYTES", 0)


def places(calls: int, kind: str) -> Sequence[int]:
    """Say at which calls there is to be trouble: each kind at others, so that a soak's third reaches all."""
    return sampled(range(1, calls + 1), len(KINDS), KINDS.index(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("document", "shared"), [*((name, shared) for shared in (40, 1) for name in DOCUMENTS), ("crossing", 0)]
)
def test_trouble_at_any_call(monkeypatch: pytest.MonkeyPatch, document: str, kind: str, shared: int) -> None:
    made(monkeypatch, shared)
    calls = len(live(document, no_trouble)[0].calls)
    assert calls > 10
    for at in places(calls, kind):
        world, ran = live(document, lambda number, name, at=at: kind if number == at else None)
        same(document, world, ran)
        assert world.loop.now_s < AWAIT_RETRY_S, f"a wake-up was lost at {at}, {world.calls[at - 1]}"


@some
@given(st.integers(0, 2**32), st.sampled_from(sorted(DOCUMENTS)))
def test_states_that_are_entered_twice_at_once(seed: int, document: str) -> None:
    chance = EventLoop(seed).chance
    world, ran = live(document, no_trouble, seed, twice=lambda request: chance.random() < 0.5)
    same(document, world, ran)
    assert world.loop.now_s < AWAIT_RETRY_S


@some
@given(st.integers(0, 2**32), st.sampled_from(sorted(DOCUMENTS)), st.sampled_from([40, 1, 0]))
def test_deaths_doubles_and_lost_words_together(seed: int, document: str, shared: int) -> None:
    chance = EventLoop(seed).chance
    left = ["before", "after", "lost"]
    chance.shuffle(left)
    left = left[:MOST_TROUBLES]

    def trouble(number: int, name: str) -> str | None:
        del number, name
        return left.pop() if left and chance.random() < 0.05 else None

    with pytest.MonkeyPatch.context() as patch:
        made(patch, shared)
        world = live(document, trouble, seed, twice=lambda request: chance.random() < 0.2)
        same(document, *world)


@pytest.mark.parametrize("attempts", [1, 2])
def test_an_answer_between_two_entries_is_not_lost(attempts: int) -> None:
    """The first entry dies when all is set going; the answer comes in the very moment in which the second keeps its token."""
    for seed in range(times(50)):
        world = InterleavedWorld(seed, no_trouble)
        room = world.room

        def mortal(request: TaskRequest, room: Any = room) -> dict[str, Any]:
            answer: dict[str, Any] = room(request)
            if request.task and request.tries == 0:
                raise Died
            return answer

        world.room = mortal  # type: ignore[method-assign]
        world.reach.delay_s = lambda place: 1.0
        world.reach.answers["ask"] = lambda place, said: (
            well(1) if place.attempt == attempts else ill(passing=True)
        )
        ran = world.run([{**ASKING[0], "retry": {"strategy": "immediate", "max_attempts": 3}}])
        assert (ran.status, len(world.reach.agents)) == ("COMPLETED", attempts)
        assert world.loop.now_s < 10, "both come in the same second"


@pytest.mark.parametrize(("document", "shared"), [*((name, 40) for name in DOCUMENTS), ("crossing", 0)])
def test_words_to_awaits_that_get_lost_are_healed_by_time(
    monkeypatch: pytest.MonkeyPatch, document: str, shared: int
) -> None:
    made(monkeypatch, shared)
    healed = 0
    for seed in range(times(10)):
        world = InterleavedWorld(seed, no_trouble)
        lost: set[str] = set()
        world.machines.lost = lambda token, world=world, lost=lost: _once(token, world.parked, lost)
        world.functions["pay"] = lambda event: "paid"
        world.register(DOCUMENTS[document], on_error="fail" if document == "undone" else "continue")
        ran = world.finish(world.start(None))
        same(document, world, ran)
        healed += world.loop.now_s >= AWAIT_RETRY_S
        assert bool(lost) == (world.loop.now_s >= AWAIT_RETRY_S)
    if document == "crossing":
        assert healed


def _once(token: str, parked: set[str], lost: set[str]) -> bool:
    """Lose every word to an await whose token is an await's first."""
    if token in parked and (token in lost or len(lost) < 2):
        lost.add(token)
        return True
    return False


LATE = [
    *UNDONE[:2],
    {"id": "rest", "type": "wait", "seconds": 1_000, "needs": ["a", "large"]},
]


def late(trouble: Trouble, seed: int = 0) -> InterleavedWorld:
    """Let a run's time be over; its event comes twice, each minute somebody sweeps up, until it has ended."""
    world = InterleavedWorld(seed, no_trouble)
    world.register(LATE, timeout_s=100)
    key = world.start(None)
    execution = world.execution(key)
    world.loop.run(until=lambda: execution.status != "RUNNING")
    world.calls.clear()
    world._trouble = trouble

    def close() -> None:
        world.run_apart(lambda: world.close(key), lambda found, error: None)

    def sweep() -> None:
        head = world.runs.head(key)
        if head is None or not head.ended:
            close()
            world.loop.later(60, sweep)

    for event in (close, close):
        world.loop.later(0, event)
    world.loop.later(60, sweep)
    world.loop.run()
    return world


def is_undone(world: InterleavedWorld, deaths: int = 1) -> None:
    (head,) = world.runs.heads.values()
    assert (head.status.value, head.error and head.error.code) == ("FAILED", "States.Timeout")
    assert {end.status.value for _, end, _ in world.told} == {"FAILED"}
    said = [name for name, _, _ in world.events]
    assert set(said) == {"undo.a", "undo.large"}
    assert len(said) <= 2 + deaths, "undone twice, and nobody died"
    holds_nothing(world)
    undone = {str(task) for task in world.store.full_snapshot(head.key).records if task.is_undone}
    assert undone == {"a~undone", "large~undone"}


@pytest.mark.parametrize("kind", KINDS)
def test_trouble_at_any_call_of_an_undoing(kind: str) -> None:
    calls = len(late(no_trouble).calls)
    assert calls > 15
    for at in places(calls, kind):
        is_undone(late(lambda number, name, at=at: kind if number == at else None))


@some
@given(st.integers(0, 2**32))
def test_deaths_while_a_run_is_undone(seed: int) -> None:
    chance = EventLoop(seed).chance
    left = ["before", "after", "lost"]
    chance.shuffle(left)
    is_undone(late(lambda number, name: left.pop() if left and chance.random() < 0.05 else None, seed), 3)
