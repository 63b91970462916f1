"""The response cache: equal calls are given the model's earlier reply, which costs nothing and says so."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryResponseCache
from stepward.agents.register import Register
from stepward.agents.response_cache import MOST_KEPT_BYTES
from stepward.domain.conversation import ModelReply, ToolCall, Tried
from stepward.domain.errors import Bug, StepwardError, StoreThrottled, StreamCut
from stepward.domain.journal import Turn
from stepward.domain.run_origins import Caller
from stepward.domain.runs import RunKey
from stepward.ports.models import Delta, KeptReply, ResponseKey
from tests.unit.agents.caching import (
    CALL,
    CALL_USD_MICROS,
    DONE,
    DONE_USD_MICROS,
    USED,
    a_body,
    a_world,
    cache_of,
    run_twice,
)
from tests.unit.agents.test_endings import Model


def test_an_equal_run_asks_no_model_and_costs_nothing() -> None:
    model = Model(CALL, DONE)
    world = a_world(model)
    first, second = run_twice(world)
    assert (first["output"], second["output"], len(model.asked)) == ("Done.", "Done.", 2)
    assert first["totals"]["cost_usd_micros"] == DONE_USD_MICROS + CALL_USD_MICROS
    assert "saved_usd_micros" not in first["totals"]
    totals = second["totals"]
    assert (totals["turns"], totals["tool_calls"], totals["cost_usd_micros"]) == (2, 1, 0)
    assert (totals["input_tokens"], totals["output_tokens"]) == (0, 0)
    assert (totals["response_cache_hits"], totals["saved_tokens"]) == (2, 1_620)
    assert totals["saved_usd_micros"] == DONE_USD_MICROS + CALL_USD_MICROS
    assert (cache_of(world).reads, cache_of(world).writes) == (4, 2)


def test_the_events_tell_what_came_from_the_cache() -> None:
    world = a_world(Model(DONE))
    runs = run_twice(world)
    told = [
        event["data"]
        for run in runs
        for event in world.events(RunKey(tenant="acme", run=run["id"]))
        if event["type"] == "agent.turn.completed"
    ]
    assert told[0]["response_cache"] == {"hit": False}
    assert told[1]["cost_usd_micros"] == 0
    assert told[1]["response_cache"] == {
        "hit": True,
        "kept_at": "2026-01-01T00:00:00.000Z",
        "saved_usage": USED.model_dump(),
        "saved_usd_micros": DONE_USD_MICROS,
    }
    turn = world.journal.load(RunKey(tenant="acme", run=runs[1]["id"])).records[-1].record
    assert isinstance(turn, Turn)
    assert (turn.reply.request_id, turn.reply.cache_hit and turn.reply.cache_hit.request_id) == (
        None,
        "msg_1",
    )


def test_it_is_off_unless_it_is_asked_for() -> None:
    model = Model(DONE)
    world = a_world(model)
    _, second = run_twice(world, response_cache=None)
    assert (len(model.asked), cache_of(world).reads, cache_of(world).writes) == (2, 0, 0)
    assert "response_cache_hits" not in second["totals"]
    events = world.events(RunKey(tenant="acme", run=second["id"]))
    assert not any("response_cache" in event["data"] for event in events)


def test_the_book_of_costs_has_what_was_saved() -> None:
    world = a_world(Model(DONE))
    run_twice(world)
    (line,) = world.runtime.cost_book.lines("acme", "2026-01-01", "2026-01-01")
    assert (line.runs, line.turns, line.model_usd_micros) == (2, 2, DONE_USD_MICROS)
    assert (line.response_cache_hits, line.saved_tokens, line.saved_usd_micros) == (1, 1_100, DONE_USD_MICROS)


def test_a_reply_expires_by_our_clock() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    world.clock.forward(59.999)
    world.finish(world.start())
    assert len(model.asked) == 1
    world.clock.forward(0.001)
    world.finish(world.start())
    assert (len(model.asked), cache_of(world).writes) == (2, 2)


@pytest.mark.parametrize(
    "reply",
    [
        DONE.model_copy(update={"stop": "length"}),
        DONE.model_copy(update={"stop": "refused"}),
        DONE.model_copy(update={"stop": "filtered"}),
        DONE.model_copy(update={"stop": "context"}),
        DONE.model_copy(update={"stop": "pause"}),
        DONE.model_copy(update={"text": " "}),
        DONE.model_copy(update={"text": "x" * MOST_KEPT_BYTES}),
        DONE.model_copy(update={"model": "gpt-6-luna", "tried": (Tried(model="a", error="KeyMissing"),)}),
        CALL.model_copy(update={"calls": (ToolCall(id="c", tool="calculate", arguments_text="{"),)}),
        CALL.model_copy(update={"calls": (ToolCall(id="c", tool="calculate", arguments={"x": 1}),)}),
        CALL.model_copy(update={"calls": (ToolCall(id="c", tool="made_up", arguments={}),)}),
    ],
)
def test_only_a_whole_good_reply_of_the_wanted_model_is_kept(reply: ModelReply) -> None:
    world = a_world(Model(reply))
    world.register(a_body(limits={"max_iterations": 1}))
    world.finish(world.start())
    assert cache_of(world).writes == 0


def test_an_answer_is_kept_once_it_fits_and_not_before() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    bad, good = (DONE.model_copy(update={"text": text}) for text in ("no", '{"n": 1}'))
    model = Model(bad, good, bad, bad)
    world = a_world(model)
    world.run(a_body(output_schema=schema))
    assert (len(model.asked), cache_of(world).writes) == (2, 1)
    found = world.finish(world.start())
    # The first call has no kept reply, and the second is equal to the one whose answer was repaired.
    assert (found["output"], len(model.asked), found["totals"]["response_cache_hits"]) == ('{"n": 1}', 3, 1)


def test_a_stream_that_broke_off_is_not_kept() -> None:
    came = DONE.model_copy(update={"text": "Do", "stop": "cut"})
    world = a_world(Model(StreamCut("it broke off", partial=came)))
    world.register(a_body())
    world.advance(world.start())
    assert cache_of(world).writes == 0


def test_a_rehearsal_has_nothing_to_do_with_it() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body(rehearsal={"turns": [{"say": "Done."}]}))
    world.finish(world.start())
    assert (cache_of(world).reads, cache_of(world).writes) == (0, 0)


def test_tenants_and_versions_never_see_each_others_replies() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    world.run(a_body(version="1.0.1"))
    assert len(model.asked) == 2
    Register(world.registry, world.clock, (), agreed=lambda _: {})("other", a_body())
    key = world.starter(Caller("other", "tester"), "helper", {"input": "hello"}, None)[0].key
    world.finish(key)
    assert (len(model.asked), cache_of(world).writes) == (3, 3)


def test_a_version_with_other_content_is_not_given_what_the_old_one_said() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    world.swap_version(a_body(description="another"))
    world.finish(world.start())
    assert len(model.asked) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"kept_at": "2026-01-01T00:10:00.000Z"},
        {"reply": DONE.model_copy(update={"model": "made-up"})},
        {"reply": DONE.model_copy(update={"stop": "cut"})},
        {"reply": DONE.model_copy(update={"tried": (Tried(model="a", error="KeyMissing"),)})},
    ],
    ids=["of a clock that is ahead", "of another model", "cut", "in another's place"],
)
def test_what_no_release_would_have_kept_is_not_given_and_is_replaced(changed: dict[str, Any]) -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    replies = cache_of(world)._kept
    good = dict(replies)
    replies.update({key: kept.model_copy(update=changed) for key, kept in good.items()})
    assert world.finish(world.start())["totals"]["cost_usd_micros"] == DONE_USD_MICROS
    assert (len(model.asked), replies) == (2, good)


def test_another_input_asks_the_model() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    world.finish(world.start(given="good-bye"))
    assert len(model.asked) == 2


class Broken(MemoryResponseCache):
    """A store that is throttled, or refuses the function; `at` says from which call on."""

    def __init__(self, error: BaseException, *, finds: bool) -> None:
        super().__init__()
        self.error, self.finds = error, finds

    def find(self, key: ResponseKey) -> KeptReply | None:
        if not self.finds:
            raise self.error
        return super().find(key)

    def keep(self, key: ResponseKey, kept: KeptReply) -> None:
        super().keep(key, kept)
        raise self.error


@pytest.mark.parametrize("error", [StoreThrottled("slower"), Bug("AccessDeniedException")])
@pytest.mark.parametrize("finds", [True, False])
def test_a_store_that_fails_costs_no_run_anything_but_the_call(
    error: StepwardError, finds: bool, caplog: pytest.LogCaptureFixture
) -> None:
    model, store = Model(DONE), Broken(error, finds=finds)
    world = a_world(model, store)
    with caplog.at_level(logging.WARNING):
        found = world.run(a_body())
    assert (found["status"], found["totals"]["cost_usd_micros"]) == ("COMPLETED", DONE_USD_MICROS)
    assert (len(model.asked), store.writes) == (1, 1 if finds else 0)
    assert error.detail in caplog.text
    assert "response cache" in caplog.text


class _Died(BaseException):
    pass


def test_a_function_that_dies_while_a_reply_is_kept_has_paid_once() -> None:
    model, store = Model(CALL, DONE), Broken(_Died(), finds=True)
    world = a_world(model, store)
    world.register(a_body())
    key = world.start()
    with pytest.raises(_Died):
        world.advance(key)
    store.error = StoreThrottled("slower")
    found = world.finish(key)
    assert (found["output"], len(model.asked)) == ("Done.", 2)
    assert found["totals"]["cost_usd_micros"] == DONE_USD_MICROS + CALL_USD_MICROS


def test_a_function_that_dies_with_a_hit_loses_no_more_than_it_had_reserved() -> None:
    model = Model(DONE)
    world = a_world(model)
    world.run(a_body())
    key = world.start()
    append = world.journal.append
    world.journal.append = _dies_at_turns(append)  # type: ignore[method-assign]
    with pytest.raises(_Died):
        world.advance(key)
    world.journal.append = append  # type: ignore[method-assign]
    found = world.finish(key)
    reserved = 1_000 * 2.5 + 1_024 * 10
    assert (found["output"], len(model.asked)) == ("Done.", 1)
    assert found["totals"]["response_cache_hits"] == 1
    assert 0 < found["totals"]["cost_usd_micros"] <= reserved


def _dies_at_turns(append: Any) -> Any:
    def dying(key: Any, seq: int, record: Any) -> Any:
        if isinstance(record, Turn):
            raise _Died
        return append(key, seq, record)

    return dying


def test_a_hit_is_shown_at_once_to_whoever_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepward.agents.model_turn import ModelTurn

    world, seen = a_world(Model(DONE)), list[Delta]()
    world.run(a_body())
    plain = ModelTurn._call
    monkeypatch.setattr(
        ModelTurn, "_call", lambda turn, what="": replace(plain(turn, what), on_delta=seen.append)
    )
    world.finish(world.start())
    assert seen == [Delta("text", "Done.")]
