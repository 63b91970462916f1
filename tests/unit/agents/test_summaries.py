"""Summaries of what a model is not shown any more: asked for once, paid always, and never what a run ends by."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.call_limits import out_of_budget
from stepward.agents.machine_messages import AdvanceAnswer
from stepward.agents.run_slots import RunSlot
from stepward.domain.conversation import ModelReply, ModelRequest, ToolCall
from stepward.domain.errors import (
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StoreConflict,
    StreamCut,
)
from stepward.domain.journal import Cancel, Claimed, Condensed, End, Intent, Turn
from stepward.domain.run_state import RunState, fold, fold_records
from stepward.domain.runs import RunKey
from stepward.models import catalog
from stepward.models.base import price_of
from stepward.ports.models import CallContext
from tests.support.driver import World
from tests.unit.agents.long_talks import LOOK_UP, SUMMARY_USAGE, Reader, Summariser, a_world, decisions

USAGE = SUMMARY_USAGE
COST = price_of("fast").cost_usd_micros(USAGE)
CONTEXT = {"max_tokens": 8_000, "summarise": "fast"}


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Summariser:
    found = Summariser()
    monkeypatch.setattr(catalog, "gateway_for", lambda *_: found)
    return found


def _world(turns: int = 16, **changed: Any) -> World:
    return a_world(Reader(turns), 3_000, **{"context": CONTEXT, **changed})


def _finished(world: World) -> RunKey:
    key = world.start(given="Find Dune.")
    found = world.finish(key)
    assert found["status"] == "COMPLETED", found["error"]
    return key


def _costs(world: World, key: RunKey) -> dict[str, int]:
    ledger = fold(world.journal.load(key)).ledger
    return {model: totals.cost_usd_micros for (_, model), totals in ledger.by_payee.items()}


def test_a_summary_stands_for_what_is_left_out_and_is_paid_to_who_wrote_it(cheap: Summariser) -> None:
    key = _finished(world := _world())
    first, *_ = found = decisions(world, key)
    assert [record.model for record in found] == ["claude-haiku-5-5"] * len(found)
    assert "Dune is there. (1)" in first.condensation.text
    assert _costs(world, key)["claude-haiku-5-5"] == COST * len(found)
    seen = [one for one in world.backend.requests if one.turn >= first.turn]
    assert seen[0].condensed == first.condensation.text
    totals = world.show(key)["totals"]
    assert (totals["turns"], totals["input_tokens"] > 900 * len(found)) == (16, True)


def test_the_model_that_sums_up_is_told_the_task_the_turns_and_its_last_summary(cheap: Summariser) -> None:
    key = _finished(world := _world(24))
    one, two = (request.input for request in cheap.requests[:2])
    through = decisions(world, key)[0].condensation.through
    assert "<task>\nFind Dune.\n</task>" in one
    assert [f'number="{turn}"' in one for turn in (1, through, through + 1)] == [True, True, False]
    assert [f'number="{turn}"' in two for turn in (through, through + 1)] == [False, True]
    assert "<summary_so_far>\nDune is there. (1)\n</summary_so_far>" in two
    assert {request.model for request in cheap.requests} == {"claude-haiku-5-5"}


def test_a_summary_has_its_own_reservation_before_it_is_asked_for(cheap: Summariser) -> None:
    key = _finished(world := _world())
    records = [item.record for item in world.journal.load(key).records]
    for index, record in enumerate(records):
        if isinstance(record, Condensed):
            before = records[index - 1]
            assert isinstance(before, Claimed)
            assert before.intent is not None
            assert (before.intent.summarises, before.intent.turn) == (True, record.turn)
            assert before.intent.reserve_usd_micros >= record.cost_usd_micros > 0
    assert {call.name for call in cheap.calls} == {
        f"{key.run}:{record.turn}:summary" for record in decisions(world, key)
    }


def test_a_summary_in_the_journal_is_not_asked_for_again(cheap: Summariser) -> None:
    world = _world()
    key = world.start()
    calls, reply = [0], world.backend.reply

    def dying(request: ModelRequest, call: CallContext) -> ModelReply:
        if request.left_out and not calls[0]:
            calls[0] += 1
            raise RuntimeError("the function died")
        return reply(request, call)

    world.backend.reply = dying
    with pytest.raises(RuntimeError):
        world.finish(key)
    world.finish(key)
    assert len(cheap.requests) == len(decisions(world, key))


def test_a_summary_that_was_lost_is_booked_with_what_it_had_reserved(cheap: Summariser) -> None:
    world = _world()
    key = world.start()
    cheap.outcomes = [RuntimeError("the function died")]
    with pytest.raises(RuntimeError):
        world.finish(key)
    found = world.finish(key)
    ledger = fold(world.journal.load(key)).ledger
    (lost,) = ledger.lost.values()
    assert lost > COST
    assert found["totals"]["cost_usd_micros"] == ledger.totals.cost_usd_micros + lost


def test_a_model_that_dies_again_and_again_is_not_asked_for_ever(cheap: Summariser) -> None:
    world = _world()
    key = world.start()
    cheap.outcomes = [RuntimeError("the function died")] * 3
    for _ in range(3):
        with pytest.raises(RuntimeError):
            world.finish(key)
    assert world.finish(key)["status"] == "COMPLETED"
    error = decisions(world, key)[0].error
    assert error is not None
    assert (error.code, error.detail) == ("ProviderUnavailable", "3 calls have brought no summary.")


def test_a_refusal_is_written_down_and_the_run_goes_on_without_a_summary(cheap: Summariser) -> None:
    cheap.outcomes = [ProviderRefused("no such model.")]
    key = _finished(world := _world())
    first = decisions(world, key)[0]
    assert first.error is not None
    assert (first.error.code, first.model, first.cost_usd_micros) == ("ProviderRefused", None, 0)
    assert "you called record_lookup" in first.condensation.text
    assert fold(world.journal.load(key)).ledger.lost == {}
    said = next(one for one in world.events(key) if one["type"] == "agent.context.condensed")
    assert said["data"]["error"]["detail"] == "no such model."


def test_a_busy_provider_is_waited_for_a_few_times(cheap: Summariser) -> None:
    cheap.outcomes = [ProviderThrottled("slower", retry_after_s=7)] * 2
    world = _world(max_retries=0)
    key = _finished(world)
    assert decisions(world, key)[0].model == "claude-haiku-5-5"
    assert world.kinds(key).count("wait") == 2
    cheap.outcomes = [ProviderUnavailable("down")] * 3
    key = _finished(world)
    error = decisions(world, key)[0].error
    assert error is not None
    assert (error.code, world.kinds(key).count("wait")) == ("ProviderUnavailable", 2)


def test_what_came_of_a_summary_that_broke_off_is_paid(cheap: Summariser) -> None:
    cheap.outcomes = [StreamCut("cut", partial=ModelReply(text="Du", usage=USAGE, stop="cut"))]
    key = _finished(world := _world())
    found = decisions(world, key)
    assert _costs(world, key)["claude-haiku-5-5"] == COST * (len(found) + 1)
    late = [item.record for item in world.journal.load(key).records if isinstance(item.record, Turn)]
    assert [turn.reply.text for turn in late if turn.late] == ["Du"]


def test_a_summary_that_broke_off_does_not_count_among_the_agents_own_replies(cheap: Summariser) -> None:
    cheap.outcomes = [StreamCut("cut", partial=ModelReply(text="Du", usage=USAGE, stop="cut"))]
    key = _finished(world := _world())
    journal = world.journal.load(key)
    cut = next(one.seq for one in journal.records if isinstance(one.record, Turn) and one.record.late)
    state = fold_records([one for one in journal.records if one.seq <= cut], journal.calls)
    assert (state.cuts, state.unanswered, state.ledger.intent) == (0, {}, None)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (ModelReply(text="Dune is", usage=USAGE, stop="length"), "OutputTruncated"),
        (ModelReply(text="", usage=USAGE, stop="refused"), "ModelRefused"),
        (ModelReply(text=" ", usage=USAGE), "OutputEmpty"),
        (ModelReply(calls=(ToolCall(id="c", tool="t"),), usage=USAGE, stop="tools"), "OutputEmpty"),
    ],
)
def test_what_is_no_whole_summary_is_paid_and_not_used(
    cheap: Summariser, reply: ModelReply, code: str
) -> None:
    cheap.outcomes = [reply]
    key = _finished(world := _world())
    first = decisions(world, key)[0]
    assert first.error is not None
    assert (first.error.code, first.condensation.summary, first.cost_usd_micros) == (code, None, COST)


def test_a_summary_that_cannot_be_paid_is_left_out(cheap: Summariser) -> None:
    dear = {**CONTEXT, "summarise": "deep"}
    key = _finished(world := _world(context=dear))
    records = world.journal.load(key).records
    place = next(n for n, item in enumerate(records) if isinstance(item.record, Condensed))
    claimed = records[place - 1].record
    assert isinstance(claimed, Claimed)
    assert claimed.intent is not None
    spent = fold_records(records[: place - 1], {}).ledger.spent_usd_micros
    limit = spent + claimed.intent.reserve_usd_micros * 9 // 10  # well below, so that no rounding decides
    cheap.requests.clear()
    world = _world(claimed.intent.turn, context=dear, limits={"cost_limit_usd": limit / 1_000_000})
    error = decisions(world, _finished(world))[0].error
    assert error is not None
    assert (error.code, cheap.requests) == ("BudgetExceeded", [])


def test_a_summary_that_budgets_do_not_cover_is_left_out(
    cheap: Summariser, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered = RunSlot.covered

    def short(self: RunSlot, state: RunState, intent: Intent, limit_usd_micros: int) -> Intent | End:
        if intent.summarises:
            return out_of_budget("there is too little.")
        return covered(self, state, intent, limit_usd_micros)

    monkeypatch.setattr(RunSlot, "covered", short)
    key = _finished(world := _world())
    assert {one.error.code for one in decisions(world, key) if one.error} == {"BudgetExceeded"}
    assert cheap.requests == []


def test_a_cancel_while_the_summary_streams_books_it_and_ends_the_run(cheap: Summariser) -> None:
    world = _world()
    key = world.start()
    seen = []

    def cancel() -> None:
        world.cancel(key)
        seen.append(cheap.calls[-1].is_over())

    cheap.outcomes = [cancel]
    with pytest.raises(StoreConflict):
        world.finish(key)
    assert world.show(key)["status"] == "CANCELLED"
    assert seen == [True]
    late = world.journal.load(key).records[-1].record
    assert isinstance(late, Turn)
    assert (late.late, late.model, late.cost_usd_micros) == (True, "claude-haiku-5-5", COST)
    assert decisions(world, key) == []
    assert any(isinstance(item.record, Cancel) for item in world.journal.load(key).records)


def test_nothing_is_summed_up_after_the_deadline(cheap: Summariser) -> None:
    turn = decisions(world := _world(), _finished(world))[0].turn
    cheap.requests.clear()

    def late(request: ModelRequest) -> None:
        if request.turn == turn - 1:
            world.clock.forward(400)

    world = _world()
    world.backend.says = late
    found = world.finish(world.start())
    assert (found["error"]["code"], cheap.requests) == ("DeadlineExceeded", [])


def test_without_enough_time_left_the_next_invocation_sums_up(cheap: Summariser) -> None:
    cheap.longest_call_s = 90.0
    world = _world()
    left, advance, answers = [95.0], world.advance, []

    def tire(_: ModelRequest) -> None:
        left[0] = 60.0

    def fresh(key: RunKey, **said: Any) -> AdvanceAnswer:
        left[0] = 95.0
        answers.append(advance(key, **said))
        return answers[-1]

    world.backend.says, world.time_left_s = tire, lambda: left[0]
    world.advance = fresh  # type: ignore[method-assign]
    key = _finished(world)
    found = decisions(world, key)
    assert [answer.next for answer in answers] == ["again"] * len(found) + ["done"]
    assert all(record.model for record in found)


def test_an_agent_that_wants_no_summary_pays_for_none(cheap: Summariser) -> None:
    for summarise in ("off", None):
        context = {"max_tokens": 8_000, **({"summarise": summarise} if summarise else {})}
        key = _finished(world := _world(context=context, tools=[LOOK_UP]))
        assert [record.model for record in decisions(world, key)] == [None] * len(decisions(world, key))
    assert cheap.requests == []
