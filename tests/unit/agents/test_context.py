"""Long conversations: what a model is shown of them, and that the journal says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.agents.fork import ForkRun
from stepward.domain.conversation import ModelReply, ModelRequest, OpaquePart
from stepward.domain.journal import Condensed, Inherited
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey
from tests.support.driver import ACME, World
from tests.unit.agents.long_talks import LOOK_UP, Reader, a_call, a_world, decisions, prompt_of

pytestmark = pytest.mark.usefixtures("paid")


def _finished(world: World, given: Any = "Look it up.") -> RunKey:
    key = world.start(given=given)
    found = world.finish(key)
    assert found["status"] == "COMPLETED", found["error"]
    return key


def test_two_hundred_turns_over_20_mb_of_results_fit_into_a_window_of_32k() -> None:
    reader = Reader(200, window=32_000, words="I look it up once more. " * 40)
    key = _finished(world := a_world(reader, 102_000))
    assert world.results is not None
    assert sum(len(body) for body in world.results._kept.values()) > 20_000_000
    records = [item.record.model_dump_json() for item in world.journal.load(key).records]
    middle = len(records) // 2
    first, second = (sum(map(len, part)) for part in (records[:middle], records[middle:]))
    assert 0.9 < second / first < 1.1
    assert len(decisions(world, key)) >= 2


def test_results_that_are_not_kept_aside_fit_too() -> None:
    reader = Reader(40, window=32_000)
    key = _finished(world := a_world(reader, 20_000))
    assert len(decisions(world, key)) >= 3


def test_between_two_decisions_a_prompt_grows_at_its_end_only() -> None:
    reader = Reader(60)
    key = _finished(world := a_world(reader, 3_000))
    found = decisions(world, key)
    assert len(found) >= 2
    decided = {record.turn for record in found}
    for before, after in zip(reader.requests, reader.requests[1:], strict=False):
        if after.turn not in decided:
            assert prompt_of(after).startswith(prompt_of(before))


def test_a_decision_goes_down_to_half_and_stands_in_the_events() -> None:
    reader = Reader(60)
    key = _finished(world := a_world(reader, 3_000))
    first = decisions(world, key)[0]
    seen = next(request for request in reader.requests if request.turn == first.turn)
    assert 9_000 <= len(prompt_of(seen).encode()) / 3.6 <= 15_500
    said = next(one for one in world.events(key) if one["type"] == "agent.context.condensed")
    assert said["data"]["left_out_through"] == first.condensation.through > 0
    assert said["data"]["text"] == first.condensation.text == seen.condensed
    assert f"The turns 1 to {first.condensation.through} of this conversation are left out" in seen.condensed
    assert f"record_lookup {first.condensation.through} times" in seen.condensed


def test_old_results_are_cut_short_before_a_turn_is_left_out_and_can_be_read_again() -> None:
    reader = Reader(5)
    key = _finished(world := a_world(reader, 25_000))
    first = decisions(world, key)[0]
    assert first.condensation.through == 0
    assert first.condensation.kept_in == key.run
    seen = next(request for request in reader.requests if request.turn == first.turn)
    (cut,) = seen.history[0].results
    assert cut.content.keys() == {"reference", "bytes", "summary"}
    assert len(json.dumps(seen.history[-1].results[0].content)) > 25_000
    run, _, call = cut.content["reference"].partition("/")
    assert world.results is not None
    kept = json.loads(world.results.read("acme", run, call))
    assert kept["record"]["text"] == "x" * 25_000


def test_a_model_reads_a_result_that_was_cut_short() -> None:
    reader = Reader(5)

    def say(request: ModelRequest) -> ModelReply | None:
        results = [result for exchange in request.history for result in exchange.results]
        cut = next((one for one in results if "reference" in one.content), None)
        if cut is None or request.turn == reader.turns:
            return None
        arguments = {"reference": cut.content["reference"], "path": "record.text", "length": 10}
        return ModelReply(calls=(a_call(request, "read_result", **arguments),), stop="tools")

    reader.says = say
    reader.turns = 8
    key = _finished(world := a_world(reader, 25_000))
    read = fold(world.journal.load(key)).history[-2].results[0]
    assert (read.tool, read.content) == ("read_result", {"value": "x" * 10, "from": 0, "of": 25_000})


def test_without_the_tool_to_read_results_nothing_is_kept_aside() -> None:
    reader = Reader(5)
    tools = [LOOK_UP]
    key = _finished(world := a_world(reader, 25_000, tools=tools))
    assert world.results is not None
    assert world.results._kept == {}
    assert decisions(world, key)[0].condensation.kept_in is None


def test_a_newest_result_that_alone_is_too_long_is_cut_short_too() -> None:
    reader = Reader(3)
    key = _finished(world := a_world(reader, 50_000, context={"max_tokens": 10_000}))
    assert decisions(world, key)[0].condensation.shortened_through == 1


def test_what_cannot_be_made_short_enough_ends_the_run_by_its_name() -> None:
    reader = Reader(3)
    world = a_world(reader, 10, context={"max_tokens": 5_000})
    found = world.finish(world.start(given="word " * 5_000))
    assert (found["status"], found["error"]["code"]) == ("FAILED", "ContextTooLong")
    assert "room for 5000" in found["error"]["detail"]
    assert reader.requests == []


def test_a_task_that_fits_by_usual_count_is_asked_for_all_the_same() -> None:
    reader = Reader(2)
    world = a_world(reader, 10, context={"max_tokens": 5_000})
    assert world.finish(world.start(given="word " * 2_400))["status"] == "COMPLETED"


def test_thinking_goes_with_its_turn_whole_and_in_order() -> None:
    reader = Reader(60)

    def say(request: ModelRequest) -> ModelReply | None:
        if request.turn == reader.turns:
            return None
        call = a_call(request)
        thoughts = [OpaquePart(vendor="anthropic", data={"n": [request.turn, n]}) for n in (1, 2)]
        return ModelReply(calls=(call,), stop="tools", parts=(*thoughts, {"kind": "call", "call": call.id}))

    reader.says = say
    _finished(a_world(reader, 3_000))
    last = reader.requests[-1]
    assert last.left_out > 0
    for turn, exchange in enumerate(last.history, start=last.left_out + 1):
        opaque = [part.data["n"] for part in exchange.reply.parts if isinstance(part, OpaquePart)]
        assert opaque == [[turn, 1], [turn, 2]]


def test_a_rehearsed_run_is_shown_all() -> None:
    look_up = {"tool": "record_lookup", "arguments": {"key": "Dune"}}
    script = [{"call": [look_up]}] * 5 + [{"say": "{% $string($count($results)) %}"}]
    reader = Reader(1)
    world = a_world(reader, 25_000, rehearsal={"turns": script})
    world.backend, world.stage = None, type(world.stage)(rehearsals=True)
    found = world.finish(key := world.start())
    assert (found["status"], found["output"], decisions(world, key)) == ("COMPLETED", "5", [])


def test_a_death_after_what_was_kept_aside_loses_nothing() -> None:
    world = a_world(Reader(5), 25_000)
    key = world.start()
    append, dies = world.journal.append, [True]

    def dying(run: RunKey, seq: int, record: Any) -> None:
        if isinstance(record, Condensed) and dies.pop():
            raise RuntimeError("the function died")
        append(run, seq, record)

    world.journal.append = dying  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        world.finish(key)
    dies.append(False)
    assert world.finish(key)["status"] == "COMPLETED"


def test_the_newest_words_of_a_user_stay() -> None:
    reader = Reader(60)

    def say(request: ModelRequest) -> ModelReply | None:
        return ModelReply(text=" ") if request.turn == 2 else None

    reader.says = say
    key = _finished(world := a_world(reader, 3_000))
    assert decisions(world, key)[-1].condensation.kept == (2,)
    last = reader.requests[-1]
    assert last.history[0].note is not None
    assert last.left_out + len(last.history) == 59


def _forked(world: World, key: RunKey, turn: int, **edits: Any) -> tuple[RunKey, Inherited]:
    case = ForkRun(world.starter, world._definition, lambda _: {})
    fork = case(ACME, key.run, {"turn": turn, **edits}, None)[0].key
    inherited = world.journal.load(fork).records[1].record
    assert isinstance(inherited, Inherited)
    return fork, inherited


def test_a_fork_takes_a_decision_over_from_after_it_only() -> None:
    reader = Reader(40)
    key = _finished(world := a_world(reader, 3_000))
    first = decisions(world, key)[0]
    decided_after = first.turn - 1
    assert _forked(world, key, decided_after)[1].condensation is None
    fork, inherited = _forked(world, key, decided_after + 1)
    assert inherited.condensation == first.condensation
    before = next(request for request in reader.requests if request.turn == first.turn + 1)
    reader.requests.clear()
    assert world.finish(fork)["status"] == "COMPLETED"
    assert prompt_of(reader.requests[0]).startswith(prompt_of(before))
    inherited = _forked(world, fork, decided_after + 1)[1]
    assert inherited.condensation == first.condensation


def test_a_fork_with_another_result_in_what_is_left_out_decides_anew() -> None:
    reader = Reader(40)
    key = _finished(world := a_world(reader, 3_000))
    turn = decisions(world, key)[0].turn
    assert _forked(world, key, turn, results={"call_1_1": {"found": False}})[1].condensation is None
    newest = {f"call_{turn}_1": {"found": False}}
    assert _forked(world, key, turn, results=newest)[1].condensation is not None
