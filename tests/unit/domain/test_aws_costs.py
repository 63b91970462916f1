"""What a run takes of AWS, counted from journals that were really written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from stepward.domain.aws_costs import AwsTally, aws_cost
from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH
from stepward.domain.conversation import CacheHit, ToolResult
from stepward.domain.journal import (
    Admitted,
    CallItem,
    CallOutcome,
    Claimed,
    Parked,
    Queued,
    Results,
    Sequenced,
    parse_record,
)
from stepward.domain.run_queue import Allowance, Slot
from tests.support.builders import AT, a_call, a_created, a_turn

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = ROOT / "tests" / "golden" / "0.1.0"
# Counted at the wire by the laptop's meter; `bench counts` shows the same.
MEASURED = {
    "one_turn": {"transitions": 3, "lambda_requests": 3, "write_units": 28},
    "remote_2_2": {"transitions": 13, "lambda_requests": 9, "write_units": 38},
    "remote_2_2_2": {"transitions": 18, "lambda_requests": 12, "write_units": 43},
    "inline_2_2_2": {"transitions": 3, "lambda_requests": 3, "write_units": 34},
}


def _golden(name: str) -> tuple[list[Sequenced], dict[str, CallItem]]:
    items = json.loads((GOLDEN / f"journal-{name}.json").read_text())
    records, calls = [], {}
    for item in items:
        place, body = item["sk"]["S"], item["body"]["S"]
        if place.isdigit():
            records.append(Sequenced(seq=int(place), record=parse_record(body)))
        else:
            call = place.removeprefix("CALL#")
            calls[call] = CallItem(call=call, result=ToolResult.model_validate_json(body))
    return records, calls


@pytest.mark.parametrize("name", MEASURED)
def test_the_reference_runs_take_what_was_measured(name: str) -> None:
    found = aws_cost(*_golden(name))
    assert {count: found.counts[count] for count in MEASURED[name]} == MEASURED[name]
    assert found.counts["http_requests"] == 1
    assert found.usd_micros > 25 * found.counts["transitions"]


def test_the_rooms_are_as_large_as_they_are_deployed() -> None:
    deployed = {
        room: tomllib.loads((ROOT / "functions" / room / "function.toml").read_text())["memory_mb"]
        for room in ROOM_MEMORY_MB
    }
    assert deployed == ROOM_MEMORY_MB


def _take(*records: Any, calls: dict[str, CallItem] | None = None) -> AwsTally:
    tally = AwsTally()
    for seq, record in enumerate(records, 1):
        tally.apply(Sequenced(seq=seq, record=record), calls or {})
    return tally


def test_a_functions_time_is_that_between_its_records() -> None:
    claimed = Claimed(at="2026-01-01T00:00:00.000Z", writer="one")
    turn = a_turn(at="2026-01-01T00:00:03.000Z")
    without = _take(a_created(), claimed).cost().counts["lambda_gb_ms"]
    assert (
        _take(a_created(), claimed, turn).cost().counts["lambda_gb_ms"]
        == without + 3_000 * ROOM_MEMORY_MB["agent_advance"] // 1024
    )


def test_a_large_body_is_kept_in_a_bucket() -> None:
    tally = _take(a_created(input="x" * 200_000))
    assert tally.s3_puts == 1
    assert tally.write_units == _take(a_created()).write_units


def test_budgets_and_a_place_in_line_are_counted() -> None:
    plain = _take(a_created())
    drawn = _take(a_created(allowance=Allowance(usd_micros=1, budgets=("day##2026-01-01", "tenant##"))))
    assert drawn.write_units == plain.write_units + 6
    waited = _take(a_created(place="2#x"), Admitted(at=AT, writer="d", slot=Slot()))
    assert (waited.queue_messages, waited.lambda_requests) == (1, plain.lambda_requests + 1)


def test_waiting_for_people_counts_a_state_each() -> None:
    parked = Parked(at=AT, writer="one", calls=("call_1_1", "call_1_2"), reason="answers")
    before, after = _take(a_created()), _take(a_created(), parked, Queued(at=AT, writer="d", position="0#x"))
    assert after.transitions == before.transitions + 3
    assert after.lambda_requests == before.lambda_requests + 3


def test_a_call_that_is_marked_costs_one_write_more() -> None:
    call = a_call()
    results = Results(at=AT, writer="one", turn=1, outcomes=(CallOutcome(call=call.id),))
    result = ToolResult(call=call.id, tool="pay", took_ms=100)
    marked = {call.id: CallItem(call=call.id, started_by="t", result=result)}
    unmarked = {call.id: CallItem(call=call.id, result=result)}
    turn = a_turn(calls=(call,))
    assert (
        _take(turn, results, calls=marked).write_units == 1 + _take(turn, results, calls=unmarked).write_units
    )


def test_counting_ahead_changes_nothing() -> None:
    tally = _take(a_created(), Claimed(at=AT, writer="one"))
    before = tally.cost()
    tally.copy().apply(Sequenced(seq=3, record=a_turn(at="2026-01-01T00:01:00.000Z")), {})
    assert tally.cost() == before


def test_every_price_is_more_than_nothing() -> None:
    assert all(price > 0 for price in USD_MICROS_EACH.values())
    assert AwsTally().cost().usd_micros == 0


def test_the_response_cache_is_counted_where_it_was_asked() -> None:
    tallies = []
    hit = {"kept_at": AT, "usage": {"output_tokens": 9}, "saved_usd_micros": 9}
    plain = a_turn()
    turns = (
        plain,
        a_turn(cache_missed=True),
        a_turn(reply=plain.reply.model_copy(update={"cache_hit": CacheHit.model_validate(hit)})),
    )
    for turn in turns:
        tally = AwsTally()
        tally.apply(Sequenced(seq=3, record=turn), {})
        tallies.append((tally.read_units, tally.write_units))
    assert tallies == [(0, 1), (0.5, 2), (0.5, 1)]
