"""A run over the in-memory ports: what is written, in which order, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import InvalidRequest, ProviderRefused, ProviderThrottled
from stepward.ports.run_queue import Freed
from tests.support.builders import an_agent_body
from tests.support.driver import Failing, World

CSV = b"id,amount\nA1,40.00\n"
ORDERS = {
    "tool": "record_lookup",
    "name": "find_order",
    "config": {"source": "datasets/orders.csv", "key": "id"},
}
POLICY = {"tool": "policy_lookup", "config": {"source": "datasets/policy.json"}}
CALCULATE = {"tool": "calculate"}


def an_inline_agent() -> dict[str, Any]:
    sum_ = {"tool": "calculate", "arguments": {"expression": "1 + 1"}}
    order = {"tool": "find_order", "arguments": {"key": "A1"}}
    turns: list[dict[str, Any]] = [{"call": [sum_, order]}] * 3
    say = "{% 'It costs ' & $last.find_order.record.amount %}"
    return an_agent_body(tools=[CALCULATE, ORDERS], rehearsal={"turns": [*turns, {"say": say}]})


def a_remote_agent(turns: int = 2, calls: int = 2) -> dict[str, Any]:
    call = {"tool": "policy_lookup", "arguments": {"topic": "books"}}
    asking: list[dict[str, Any]] = [{"call": [call] * calls}] * turns
    return an_agent_body(
        tools=[POLICY], rehearsal={"turns": [*asking, {"say": "{% $string($last.policy_lookup) %}"}]}
    )


@pytest.fixture
def world() -> World:
    world = World()
    world.datasets.put("acme", "datasets/orders.csv", CSV)
    world.datasets.put("acme", "datasets/policy.json", b'{"topics": {"books": {"days": 30}}}')
    return world


def test_one_turn_is_three_records(world: World) -> None:
    run = world.run(an_agent_body())
    assert (run["status"], run["output"]) == ("COMPLETED", "Done.")
    assert world.kinds(world_key(run)) == ["created", "claimed", "turn"]


def test_an_inline_turn_is_two_appends(world: World) -> None:
    run = world.run(an_inline_agent())
    assert run["output"] == "It costs 40.00"
    assert world.kinds(world_key(run)) == ["created", "claimed", *["turn", "results"] * 3, "turn"]
    assert run["totals"]["turns"] == 4
    assert run["totals"]["tool_calls"] == 6


def test_a_remote_turn_is_a_claim_and_two_appends(world: World) -> None:
    run = world.run(a_remote_agent())
    assert '"days":30' in run["output"]
    assert world.kinds(world_key(run)) == ["created", "claimed", "turn", *["claimed", "results", "turn"] * 2]


def test_the_answer_depends_on_the_data(world: World) -> None:
    world.datasets.put("acme", "datasets/orders.csv", b"id,amount\nA1,7.77\n")
    assert world.run(an_inline_agent())["output"] == "It costs 7.77"


def test_a_loop_stops_at_max_iterations(world: World) -> None:
    loop = {"call": [{"tool": "calculate", "arguments": {"expression": "1"}}], "repeat": True}
    body = an_agent_body(tools=[CALCULATE], rehearsal={"turns": [loop]}, limits={"max_iterations": 4})
    run = world.run(body)
    assert (run["status"], run["error"]["code"]) == ("FAILED", "MaxIterationsReached")
    assert run["totals"]["turns"] == 4


def test_a_run_stops_before_a_call_that_its_budget_may_not_cover(world: World) -> None:
    run = world.run(an_agent_body(limits={"cost_limit_usd": "0.0001"}))
    assert (run["status"], run["error"]["code"]) == ("BUDGET_EXCEEDED", "BudgetExceeded")
    assert run["totals"] == {
        "turns": 0,
        "tool_calls": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "cost_usd_micros": 0,
        "tool_usd_micros": 0,
    }


def test_the_deadline_ends_a_run(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    world.clock.forward(301)
    assert world.finish(key)["error"]["code"] == "DeadlineExceeded"


def test_broken_arguments_come_back_to_the_model_which_may_recover(world: World) -> None:
    turns = [
        {"call": [{"tool": "calculate", "arguments_text": '{"expression": '}]},
        {"when": "{% $results[0].ok = false %}",
         "call": [{"tool": "calculate", "arguments": {"expression": "2 * 3"}}]},
        {"say": "{% $last.calculate.value %}"},
    ]  # fmt: skip
    run = world.run(an_agent_body(tools=[CALCULATE], rehearsal={"turns": turns}))
    assert (run["status"], run["output"]) == ("COMPLETED", "6")


def test_an_unknown_tool_is_a_tool_error(world: World) -> None:
    turns = [{"call": [{"tool": "teleport"}]}, {"say": "{% $results[0].content.error %}"}]
    world.register(an_agent_body())
    world.swap_version(an_agent_body(rehearsal={"turns": turns}))
    assert world.finish(world.start())["output"] == "ToolArgumentInvalid"


def test_more_calls_than_a_turn_may_make_are_refused_one_by_one(world: World) -> None:
    class Eager:
        longest_call_s = 30.0

        def reply(self, request: ModelRequest, call: object = None) -> ModelReply:
            if request.history:
                return ModelReply(text=str([r.error for r in request.history[0].results[11:14]]))
            calls = [
                {"id": f"c{i}", "tool": "calculate", "arguments": {"expression": "1"}} for i in range(18)
            ]
            return ModelReply.model_validate({"calls": calls})

        def estimate_input_tokens(self, request: ModelRequest) -> int:
            return 1

    world.backend = Eager()
    run = world.run(an_agent_body(tools=[CALCULATE]))
    assert run["output"] == "[None, 'ToolArgumentInvalid', 'ToolArgumentInvalid']"


def test_a_call_without_result_becomes_a_tool_error(world: World) -> None:
    world.register(a_remote_agent(turns=1, calls=1))
    key = world.start()
    asked = world.advance(key)
    assert (asked.next, asked.calls) == ("calls", ["call_1_1"])
    done = world.advance(key, called=asked.seq, failed=[{"call": "call_1_1", "error": "States.Timeout"}])
    assert done.next == "done"
    assert "States.Timeout" in world.show(key)["output"]


def test_an_advance_that_died_before_the_map_asks_for_the_same_calls_again(world: World) -> None:
    world.register(a_remote_agent(turns=1, calls=2))
    key = world.start()
    first, again = world.advance(key), world.advance(key)
    assert (again.next, again.calls, again.seq) == ("calls", first.calls, first.seq)


def test_a_call_is_made_once_however_often_it_is_asked_for(world: World) -> None:
    world.register(a_remote_agent(turns=1, calls=1))
    key = world.start()
    asked = world.advance(key)
    assert [world.call(key, asked, "call_1_1") for _ in range(3)] == ["done", "done before", "done before"]


def test_running_short_of_time_hands_over(world: World) -> None:
    world.time_left_s = lambda: 1.0
    world.register(an_inline_agent())
    key = world.start()
    assert world.advance(key).next == "again"
    assert world.finish(key)["status"] == "COMPLETED"


def test_a_throttled_provider_is_waited_for(world: World) -> None:
    world.backend = Failing(ProviderThrottled("slower", retry_after_s=7))
    world.register(an_agent_body())
    key = world.start()
    answer = world.advance(key)
    assert (answer.next, answer.seconds) == ("wait", 7)
    shown = world.show(key)
    assert shown["status"] == "RATE_LIMITED"
    assert shown["waiting_for"] == {
        "what": "provider",
        "reason": "ProviderThrottled",
        "detail": "slower",
        "since": "2026-01-01T00:00:00.000Z",
        "until": "2026-01-01T00:00:07.000Z",
    }
    world.backend = None
    assert world.finish(key)["status"] == "COMPLETED"


def test_a_wait_past_the_deadline_ends_the_run(world: World) -> None:
    world.backend = Failing(ProviderThrottled("slower", retry_after_s=299))
    world.register(an_agent_body(limits={"timeout_s": 60}))
    key = world.start()
    world.advance(key)
    run = world.show(key)
    assert (run["status"], run["totals"]["cost_usd_micros"]) == ("RATE_LIMITED", 0)
    assert run["ended_at"] is not None


def test_a_refusing_provider_fails_the_run(world: World) -> None:
    world.backend = Failing(ProviderRefused("no such model.", fix="name another"))
    run = world.run(an_agent_body())
    assert (run["status"], run["error"]["code"]) == ("FAILED", "ProviderRefused")
    assert run["error"]["detail"] == "no such model. Fix: name another."
    assert run["totals"]["cost_usd_micros"] == 0


def test_a_long_error_is_cut(world: World) -> None:
    turns = [{"say": "{% $error($input.text) %}"}]
    world.register(an_agent_body(rehearsal={"turns": turns}, limits={"cost_limit_usd": 10}))
    run = world.finish(world.start(given={"text": "x" * 500_000}))
    assert run["error"]["code"] == "OutputMalformed"
    assert len(run["error"]["detail"]) == 1_000


def test_an_end_shows_before_the_head_knows_it(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    world.runtime.close = lambda *_: Freed(done=False)  # type: ignore[method-assign]
    world.advance(key)
    run = world.show(key)
    assert (run["status"], run["output"]) == ("COMPLETED", "Done.")
    assert run["totals"]["turns"] == 1
    assert run["totals"]["cost_usd_micros"] > 0
    assert run["ended_at"] is not None


def test_a_failure_of_the_platform_closes_the_run(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    assert world.advance(key, error="Sandbox.Timedout").next == "done"
    run = world.show(key)
    assert (run["status"], run["error"]["code"]) == ("FAILED", "Sandbox.Timedout")


def world_key(run: dict[str, Any]) -> Any:
    from stepward.domain.runs import RunKey

    return RunKey(tenant="acme", run=run["id"])


@pytest.mark.parametrize("text", ["  a\r\nb \n", "\u00a0x\u200b", "e\u0301", "\ta", "0123"])
def test_a_text_arrives_as_it_was_sent(world: World, text: str) -> None:
    world.register(an_agent_body(rehearsal={"turns": [{"say": "{% $input %}"}]}))
    key = world.start(given=text)
    assert world.show(key)["input"] == text
    assert world.finish(key)["output"] == text


@pytest.mark.parametrize("blank", ["", " ", "\n\t", {}, [], 1, None])
def test_an_input_without_anything_is_refused(world: World, blank: object) -> None:
    world.register(an_agent_body())
    with pytest.raises(InvalidRequest, match="not empty"):
        world.start(given=blank)
