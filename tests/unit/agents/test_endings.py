"""What follows from each reply of a model, and from each way in which there is none."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.conversation import ModelReply, ModelRequest, OpaquePart, Stop, TextPart, ToolCall
from stepward.domain.errors import (
    AskNextModel,
    KeyRefused,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StepwardError,
    StreamCut,
)
from stepward.domain.journal import Turn
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from stepward.ports.models import CallContext
from tests.support.builders import an_agent_body
from tests.support.driver import World

USED = Usage(input_tokens=1_000, output_tokens=100)
DONE = ModelReply(text="Done.", usage=USED)
CALL = ToolCall(id="call_1_1", tool="calculate", arguments={"expression": "1"})


class Model:
    """Answers or raises in order; the last of it again and again."""

    longest_call_s = 30.0

    def __init__(self, *outcomes: ModelReply | StepwardError) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[ModelRequest] = []
        self.calls: list[CallContext] = []

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.asked.append(request)
        self.calls.append(call)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, StepwardError):
            raise outcome
        return outcome

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 1_000


def asked(model: Model, **changed: Any) -> tuple[World, RunKey]:
    world = World(backend=model)
    world.register(an_agent_body(tools=[{"tool": "calculate"}], **changed))
    return world, world.start()


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        ("length", "OutputTruncated"),
        ("refused", "ModelRefused"),
        ("filtered", "ContentFiltered"),
        ("context", "ContextTooLong"),
    ],
)
def test_an_ending_that_is_no_answer_ends_the_run_by_its_name(stop: Stop, code: str) -> None:
    cut = ModelReply(text="Well", calls=(CALL,), stop=stop, usage=USED)
    world, key = asked(Model(cut))
    found = world.finish(key)
    assert (found["status"], found["error"]["code"]) == ("FAILED", code)
    assert (found["totals"]["tool_calls"], found["totals"]["output_tokens"]) == (0, 100)
    assert found["totals"]["cost_usd_micros"] == 3_000


def test_a_pause_of_the_vendor_is_gone_on_from() -> None:
    model = Model(ModelReply(text="Half", stop="pause", usage=USED), DONE)
    world, key = asked(model)
    assert (world.finish(key)["output"], len(model.asked)) == ("Done.", 2)


def test_a_vendor_that_never_ends_its_pause_is_left_at_the_last_turn() -> None:
    world, key = asked(Model(ModelReply(stop="pause", usage=USED)), limits={"max_iterations": 3})
    found = world.finish(key)
    assert (found["error"]["code"], found["totals"]["turns"]) == ("MaxIterationsReached", 3)


def test_an_empty_answer_is_asked_for_again_twice() -> None:
    empty = ModelReply(usage=USED)
    model = Model(empty, empty, DONE)
    world, key = asked(model)
    assert world.finish(key)["output"] == "Done."
    assert [bool(one.history and one.history[-1].note) for one in model.asked] == [False, True, True]
    world, key = asked(Model(empty))
    found = world.finish(key)
    assert (found["error"]["code"], found["totals"]["turns"]) == ("OutputEmpty", 3)


def test_answers_that_are_empty_between_calls_end_too() -> None:
    empty, calls = ModelReply(usage=USED), (replies_with_a_call(turn) for turn in range(2, 100, 2))
    outcomes = [one for call in calls for one in (empty, call)]
    world, key = asked(Model(*outcomes), limits={"max_iterations": 100})
    found = world.finish(key)
    assert (found["error"]["code"], found["totals"]["turns"]) == ("OutputEmpty", 21)


def replies_with_a_call(turn: int) -> ModelReply:
    return ModelReply(calls=(CALL.model_copy(update={"id": f"call_{turn}_1"}),), stop="tools", usage=USED)


def test_a_stream_that_broke_off_is_paid_and_asked_for_again() -> None:
    came = ModelReply(text="Do", stop="cut", usage=Usage(input_tokens=1_000, output_tokens=10))
    world, key = asked(Model(StreamCut("it broke off", partial=came), DONE))
    answer = world.advance(key)
    assert (answer.next, answer.seconds) == ("wait", 2)
    found = world.finish(key)
    assert (found["output"], found["totals"]["turns"]) == ("Done.", 1)
    assert found["totals"]["cost_usd_micros"] == 2_100 + 3_000
    turns = [item.record for item in world.journal.load(key).records if isinstance(item.record, Turn)]
    assert [turn.late for turn in turns] == [True, False]


def test_a_model_whose_streams_all_break_off_is_left_after_ten() -> None:
    came = ModelReply(text="Do", stop="cut", usage=Usage(input_tokens=1_000, output_tokens=10))
    model = Model(StreamCut("it broke off", partial=came))
    world, key = asked(model, limits={"timeout_s": 3_600})
    found = world.finish(key)
    assert (found["status"], found["error"]["code"], len(model.asked)) == ("FAILED", "StreamCut", 10)
    assert found["totals"]["cost_usd_micros"] == 10 * 2_100


def test_the_next_attempt_knows_whose_streams_broke_off_since_the_newest_turn() -> None:
    came = ModelReply(text="Do", stop="cut", usage=Usage(input_tokens=1_000, output_tokens=10))
    others = came.model_copy(update={"model": "gpt-6.1-terra"})
    pause = ModelReply(text="Half", stop="pause", usage=USED)
    cuts = [StreamCut("it broke off", partial=partial) for partial in (came, others, came)]
    model = Model(*cuts, pause, DONE)
    world, key = asked(model, limits={"timeout_s": 3_600}, fallbacks=["gpt-6.1-terra"])
    world.finish(key)
    first, second = {"claude-sonnet-5-5": ("StreamCut",)}, {"gpt-6.1-terra": ("StreamCut",)}
    twice = {"claude-sonnet-5-5": ("StreamCut", "StreamCut")}
    assert [call.unanswered for call in model.calls] == [{}, first, first | second, twice | second, {}]


def test_the_next_model_is_asked_at_once_by_a_function_that_has_time_for_it() -> None:
    model = Model(AskNextModel(ProviderUnavailable("silent"), tried=("claude-sonnet-5-5",)), DONE)
    world, key = asked(model, max_retries=0)
    assert world.advance(key).next == "again"
    assert world.finish(key)["output"] == "Done."
    assert model.calls[1].unanswered == {"claude-sonnet-5-5": ("ProviderUnavailable",)}


@pytest.mark.parametrize("fault", [ProviderUnavailable("silent"), ProviderRefused("no")])
def test_a_round_in_which_all_models_failed_is_a_retry_with_a_pause(fault: ProviderFault) -> None:
    over = AskNextModel(fault, tried=("gpt-6.1-terra",), is_round_over=True)
    model = Model(AskNextModel(fault, tried=("claude-sonnet-5-5",)), over)
    world, key = asked(model, max_retries=1, fallbacks=["gpt-6.1-terra"], limits={"timeout_s": 3_600})
    steps = [(answer.next, answer.seconds) for answer in (world.advance(key) for _ in range(3))]
    assert steps == [("again", None), ("wait", 10), ("done", None)]
    assert model.calls[2].unanswered == dict.fromkeys(("claude-sonnet-5-5", "gpt-6.1-terra"), (fault.code,))
    found = world.show(key)
    assert (found["status"], found["error"]["code"]) == ("RATE_LIMITED", fault.code)
    assert found["totals"]["cost_usd_micros"] == 0


def test_after_a_round_the_machine_waits_as_long_as_the_soonest_provider_asks() -> None:
    full = ProviderThrottled("full", retry_after_s=45, is_ours=True)
    model = Model(AskNextModel(full, tried=("claude-sonnet-5-5",), is_round_over=True), DONE)
    world, key = asked(model, max_retries=0, fallbacks=["gpt-6.1-terra"])
    answer = world.advance(key)
    assert (answer.next, answer.seconds) == ("wait", 45)


def test_a_wait_for_our_own_limits_is_no_retry() -> None:
    full = ProviderThrottled("full", retry_after_s=1, is_ours=True)
    world, key = asked(Model(full, full, full, DONE), max_retries=0, limits={"timeout_s": 3_600})
    assert world.finish(key)["output"] == "Done."


def test_a_wait_for_our_own_limits_ends_at_the_deadline() -> None:
    full = ProviderThrottled("full", retry_after_s=30, is_ours=True)
    world, key = asked(Model(full), max_retries=0, limits={"timeout_s": 100})
    waits = 0
    while world.advance(key).next == "wait":
        waits += 1
        world.clock.forward(30)
    found = world.show(key)
    assert (found["status"], found["error"]["code"], waits) == ("RATE_LIMITED", "ProviderThrottled", 3)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (ProviderThrottled("slower", retry_after_s=7), 7),
        (ProviderThrottled("slower"), 10),
        (ProviderThrottled("slower", retry_after_s=10_000), 300),
        (ProviderUnavailable("down"), 10),
    ],
)
def test_a_provider_that_is_busy_is_waited_for_by_the_machine(error: StepwardError, seconds: int) -> None:
    world, key = asked(Model(error, DONE), limits={"timeout_s": 3_600})
    answer = world.advance(key)
    assert (answer.next, answer.seconds) == ("wait", seconds)
    found = world.finish(key)
    assert (found["output"], found["totals"]["cost_usd_micros"]) == ("Done.", 3_000)


@pytest.mark.parametrize("error", [KeyRefused("no"), ProviderRefused("no")])
def test_what_no_waiting_mends_ends_the_run_and_costs_nothing(error: StepwardError) -> None:
    world, key = asked(Model(error))
    found = world.finish(key)
    assert (found["status"], found["error"]["code"]) == ("FAILED", error.code)
    assert found["totals"]["cost_usd_micros"] == 0


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"total": "1"}', "output.total"),
        ("[]", "output"),
        ("no", "output"),
        ('{"total": 1, "more": 2}', "output"),
    ],
)
def test_an_answer_that_does_not_fit_its_schema_is_told_where(text: str, path: str) -> None:
    schema = {
        "type": "object",
        "properties": {"total": {"type": "number"}},
        "required": ["total"],
        "additionalProperties": False,
    }
    model = Model(ModelReply(text=text, usage=USED), ModelReply(text='{"total": 1}', usage=USED))
    world, key = asked(model, output_schema=schema)
    assert world.finish(key)["output"] == '{"total": 1}'
    assert path in str(model.asked[1].history[-1].note)


SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"total": 1}\n```',
        '\n```\n{"total": 1}```\n',
        '```JSON  \n\n{"total": 1}\n\n```',
    ],
)
def test_a_fence_around_an_answer_costs_no_repair(text: str) -> None:
    thought = OpaquePart(vendor="anthropic", data={"thinking": "Hm."})
    reply = ModelReply(text=text, usage=USED, parts=(thought, TextPart(chars=len(text))))
    model = Model(reply)
    world, key = asked(model, output_schema=SCHEMA)
    assert (world.finish(key)["output"], len(model.asked)) == ('{"total": 1}', 1)
    turn = next(item.record for item in world.journal.load(key).records if isinstance(item.record, Turn))
    assert turn.reply.parts == (thought, TextPart(chars=12))


@pytest.mark.parametrize(
    "text",
    [
        'Here:\n```json\n{"total": 1}\n```',
        '```json\n{"total": 1}\n```\n```json\n{"total": 2}\n```',
        "```yaml\ntotal: 1\n```",
        "```json\n```",
    ],
)
def test_an_answer_that_has_more_than_a_fence_is_told_so(text: str) -> None:
    model = Model(ModelReply(text=text, usage=USED), ModelReply(text='{"total": 1}', usage=USED))
    world, key = asked(model, output_schema=SCHEMA)
    assert (world.finish(key)["output"], len(model.asked)) == ('{"total": 1}', 2)


def test_without_a_schema_a_fence_is_a_part_of_the_answer() -> None:
    world, key = asked(Model(ModelReply(text="```json\n{}\n```", usage=USED)))
    assert world.finish(key)["output"] == "```json\n{}\n```"
