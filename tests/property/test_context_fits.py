"""Whatever a conversation was: what a model is shown fits, answers every call, and has the task and the last words."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stepward.agents.call_limits import CallLimits, may_call
from stepward.agents.context import USUAL_PART, window_tokens
from stepward.domain.conversation import (
    Condensation,
    Exchange,
    ModelReply,
    ModelRequest,
    ToolCall,
    ToolResult,
)
from stepward.domain.journal import CallOutcome, Condensed, End, Intent, Results, Sequenced, Turn
from stepward.domain.money import Usage
from stepward.domain.run_state import RunState
from stepward.models.messages import TextBlock, conversation
from stepward.ports.clock import from_iso
from tests.support.builders import AT, a_created, an_agent
from tests.support.draws import drawn
from tests.unit.agents.long_talks import GATEWAY

TASK = "Find the book."
TOOLS = [
    {"tool": "record_lookup", "config": {"source": "datasets/books.csv", "key": "title"}},
    {"tool": "read_result"},
    {"tool": "ask_person"},
]
SIZES = st.sampled_from([0, 10, 500, 3_900, 4_100, 12_000, 60_000])
TURNS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["calls", "calls", "calls", "note", "pause"]),
        "results": st.lists(st.tuples(st.sampled_from(["record_lookup", "ask_person"]), SIZES), min_size=1, max_size=3),
        "text": SIZES.filter(lambda size: size <= 12_000),
        "is_measured": st.booleans(),
        "is_short_of_results": st.booleans(),
    }
)  # fmt: skip


def _replay(state: RunState, number: int, turn: dict[str, Any]) -> None:
    """Take one turn in, as the journal would have it."""
    usage = Usage(input_tokens=3_000) if turn["is_measured"] else Usage()
    named = [
        (ToolCall(id=f"call_{number}_{n}", tool=tool, arguments={}), size)
        for n, (tool, size) in enumerate(turn["results"], start=1)
    ]
    calls = tuple(call for call, _ in named) if turn["kind"] == "calls" else ()
    stop: Any = {"calls": "tools", "pause": "pause"}.get(turn["kind"], "end")
    reply = ModelReply(text="t" * turn["text"], calls=calls, usage=usage, stop=stop)
    note = f"Words {number}." if turn["kind"] == "note" else None
    _append(state, Turn(at=AT, writer="one", turn=number, reply=reply, cost_usd_micros=0, note=note))
    if calls:
        kept = named[1:] if turn["is_short_of_results"] and len(named) > 1 else named
        outcomes = tuple(
            CallOutcome(
                call=call.id,
                result=ToolResult(call=call.id, tool=call.tool, content={"text": "x" * size}),
            )
            for call, size in kept
        )
        _append(state, Results(at=AT, writer="one", turn=number, outcomes=outcomes))


def _append(state: RunState, record: Any) -> None:
    state.apply(Sequenced(seq=state.seq + 1, record=record))


@drawn(60)
@given(st.lists(TURNS, min_size=1, max_size=25), st.sampled_from([2_000, 6_000, 20_000]))
def test_what_a_model_is_shown_is_whole_and_fits(turns: list[dict[str, Any]], window: int) -> None:
    agent = an_agent(tools=TOOLS, context={"max_tokens": window}, limits={"max_iterations": 200})
    call_limits = CallLimits.of(agent, rehearsed=False)
    assert window_tokens(agent, {}) == window
    state = RunState()
    _append(state, a_created(input=TASK, rehearsed=False))
    for number, turn in enumerate(turns, start=1):
        _replay(state, number, turn)
        for _ in range(8):
            permit = may_call(state, call_limits, from_iso(AT), "run_" + "0" * 26)
            if not isinstance(permit, Condensation):
                break
            before = call_limits.request(state)
            _append(
                state, Condensed(at=AT, writer="one", turn=number + 1, condensation=permit, agent="helper")
            )
            assert call_limits.request(state) != before
        else:
            raise AssertionError("the decisions do not come to an end")
        if isinstance(permit, End):
            assert permit.error is not None
            assert permit.error.code == "ContextTooLong"
            return
        assert isinstance(permit, Intent)
        request = call_limits.request(state)
        assert GATEWAY.estimate_input_tokens(request) * USUAL_PART <= window
        _is_whole(state, request, number)


def _said(exchange: Exchange) -> tuple[ModelReply, str, list[str]]:
    """Return what of an exchange a shorter conversation must keep; two turns may say the same."""
    bare = exchange.reply.model_copy(update={"usage": Usage()})
    return bare, exchange.note, [result.call for result in exchange.results]


def _is_whole(state: RunState, request: ModelRequest, turns: int) -> None:
    assert request.turn == turns + 1
    assert request.input == TASK
    said = conversation(request, "anthropic")
    roles = [message.role for message in said]
    assert roles == [("user", "assistant")[n % 2] for n in range(len(roles))]
    called: list[str] = []
    for message in said:
        answered = [block.call for block in message.blocks if isinstance(block, ToolResult)]
        assert answered == called
        called = [block.id for block in message.blocks if isinstance(block, ToolCall)]
    assert called == []
    notes = [exchange.note for exchange in state.history if exchange.note]
    if notes:
        assert any(TextBlock(notes[-1]) in message.blocks for message in said)
    assert [_said(one) for one in request.history if _said(one) not in map(_said, state.history)] == []
