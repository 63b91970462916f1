"""`stepward run`: what is sent, what a person sees, what a script gets."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from stepward.sdk import Stepward
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, an_event, ok, page, problem

Stage = Callable[..., FakeApi]
BEGUN = ok(a_run(status="PENDING", ended_at=None, output=None), 202)


def a_feed() -> httpx2.Response:
    return page(
        an_event(1, "run.created", input={"ticket_id": "T-1001"}),
        an_event(2, "run.claimed"),
        an_event(
            3, "turn.completed", turn=1, text="I will look.", cost_usd_micros=1200, usage={}, stop="tools"
        ),
        an_event(3, "tool.called", call="c1", tool="find_order", arguments={"key": "SO-1"}),
        an_event(4, "tool.completed", call="c1", tool="find_order", ok=True, content={"found": True}),
        an_event(4, "tool.completed", call="c2", tool="broken", ok=False, content={}, error="ToolFailed"),
        an_event(5, "run.waiting", until="10:00:09", reason="the provider is busy"),
        an_event(6, "something.new"),
        an_event(7, "run.ended", status="COMPLETED"),
        ended=True,
    )


def test_a_person_sees_who_did_not_answer_and_what_budgets_gave(run: Run, stage: Stage) -> None:
    tried = [{"model": "ours/llama-4", "error": "ProviderUnavailable"}]
    events = (
        an_event(2, "run.topped_up", drawn_usd_micros=20_000),
        an_event(3, "turn.completed", turn=1, text="Hi", model="claude-haiku-5-5", tried=tried),
        an_event(4, "run.ended", status="COMPLETED"),
    )
    stage(BEGUN, page(*events, ended=True), ok(a_run()))
    seen = run("run", "support-refunds", "--input", "hi").out
    assert "ours/llama-4 (ProviderUnavailable) did not answer, claude-haiku-5-5 did" in seen
    assert "draws $0.020000 more from its budgets" in seen


def test_a_person_sees_turns_tools_answer_cost_and_totals(run: Run, stage: Stage) -> None:
    stage(BEGUN, a_feed(), ok(a_run()))
    seen = run("run", "support-refunds", "--input", '{"ticket_id": "T-1001"}')
    assert seen.code == 0
    for text in (
        *("run_01  support-refunds 1.0.0", "turn 1", "I will look.", '→ find_order {"key": "SO-1"}'),
        *('← find_order {"found": true}', "broken ToolFailed", "the provider is busy", "agent.something.new"),
        *(
            "we refund 10.00 EUR",
            "COMPLETED",
            "2 turns",
            "1 tool call",
            "900 + 80 tokens",
            "$0.003900",
            "rehearsed",
        ),
    ):
        assert text in seen.out


def test_files_are_attached_in_their_order(run: Run, stage: Stage) -> None:
    api = stage(BEGUN)
    seen = run(
        "run", "clerk", "--input", "What is it?", "--attach", "b.pdf", "--attach", "a.png", "--no-wait"
    )
    assert seen.code == 0
    assert api.body(0) == {"input": "What is it?", "attachments": ["b.pdf", "a.png"]}


def test_a_script_gets_the_run_and_nothing_else(run: Run, stage: Stage) -> None:
    stage(BEGUN, ok(a_run()))
    seen = run("run", "support-refunds", "--input", "hi", "--json")
    assert (seen.code, seen.err) == (0, "")
    assert seen.json == a_run()


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "BUDGET_EXCEEDED"])
def test_a_run_that_does_not_complete_exits_1(run: Run, stage: Stage, status: str) -> None:
    error = {"code": "MaxIterationsReached", "detail": "10 turns and no answer."}
    stage(BEGUN, a_feed(), ok(a_run(status=status, output=None, error=error)))
    seen = run("run", "support-refunds", "--input", "hi")
    assert seen.code == 1
    assert "MaxIterationsReached: 10 turns and no answer." in seen.out


@pytest.mark.parametrize("flag", ["--no-wait", "--no-follow"])
def test_no_wait_only_starts(run: Run, stage: Stage, flag: str) -> None:
    api = stage(BEGUN)
    seen = run("run", "support-refunds", "--input", "hi", flag)
    assert seen.code == 0
    assert "stepward runs tail run_01" in seen.out
    assert len(api.requests) == 1
    assert run("run", "support-refunds", "--input", "hi", flag, "--json").json["status"] == "PENDING"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("plain text", "plain text"),
        ('{"a": 1}', {"a": 1}),
        ('  {"a": 1}\n', {"a": 1}),
        ("[1, 2]", "[1, 2]"),
        ("@in.json", {"from": "file"}),
        ("@in.txt", "Grüße\n"),
        ("-", "from a pipe"),
    ],
)
def test_input_comes_as_text_json_file_or_pipe(
    run: Run, stage: Stage, bare_folder: Path, monkeypatch: pytest.MonkeyPatch, given: str, sent: Any
) -> None:
    (bare_folder / "in.json").write_text('{"from": "file"}', encoding="utf-8")
    (bare_folder / "in.txt").write_text("Grüße\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO("from a pipe"))
    api = stage(BEGUN)
    assert run("run", "a", "--input", given, "--no-wait").code == 0
    assert api.body() == {"input": sent}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"a": }', "--input starts like a JSON object but is not one: Expecting value: line 1 column 7"),
        ("@missing.json", "missing.json cannot be read: No such file or directory"),
        ("@.", "cannot be read: Is a directory"),
        ("@latin.txt", "latin.txt is not a text file: it is not UTF-8 (byte 0, line 1)"),
        ('{"a":' * 50_000, "starts like a JSON object"),
    ],
)
def test_input_that_cannot_be_read_exits_2_before_anything_is_sent(
    run: Run, stage: Stage, bare_folder: Path, given: str, said: str
) -> None:
    (bare_folder / "latin.txt").write_bytes(b"\xe9")
    api = stage(BEGUN)
    seen = run("run", "a", "--input", given)
    assert seen.code == 2
    assert said in seen.err
    assert api.requests == []


@pytest.mark.parametrize("text", ["1_0", "\uff11\uff10", "\u0661", "1e1", "ten", "0", "-5", ""])
@pytest.mark.parametrize(
    "command", [("runs", "ls", "--limit"), ("run", "a", "--input", "hi", "--deadline"), ("logs", "--lines")]
)
def test_an_option_that_is_no_whole_number_exits_2(
    run: Run, stage: Stage, command: tuple[str, ...], text: str
) -> None:
    api = stage(BEGUN)
    seen = run(*command, text)
    assert (seen.code, api.requests) == (2, [])
    assert "Traceback" not in seen.err


def test_options_of_the_run_are_sent(run: Run, stage: Stage) -> None:
    api = stage(BEGUN)
    more = ["--version", "1.0.0", "--deadline", "60", "--idempotency-key", "mine"]
    assert run("run", "a", "-i", "hi", "--no-wait", *more).code == 0
    assert api.body() == {"input": "hi", "version": "1.0.0", "deadline_s": 60}
    assert api.requests[0].headers["idempotency-key"] == "mine"


def test_a_refusal_exits_3_with_code_field_and_fix(run: Run, stage: Stage) -> None:
    refusal = {"field": "agent_id", "fix": "See `stepward agents ls`."}
    stage(problem(404, "NotFound", "There is no agent 'nope'.", **refusal))
    seen = run("run", "nope", "--input", "hi")
    assert (seen.code, seen.out) == (3, "")
    assert "NotFound: There is no agent 'nope'." in seen.err
    assert "field: agent_id" in seen.err
    assert "fix: See `stepward agents ls`." in seen.err
    seen = run("run", "nope", "--input", "hi", "--json")
    assert (seen.code, seen.err, seen.json["code"]) == (3, "", "NotFound")


def test_control_characters_of_an_answer_never_reach_the_terminal(run: Run, stage: Stage) -> None:
    stage(BEGUN, a_feed(), ok(a_run(output="\x1b[2Jhidden\x07 \u202etxt [bold]markup[/bold]")))
    seen = run("run", "a", "--input", "hi")
    assert not any(c in seen.out for c in "\x1b\x07\u202e")
    assert "[bold]markup[/bold]" in seen.out


def test_ctrl_c_leaves_the_run_and_says_how_to_stop_it(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    stage(BEGUN)
    monkeypatch.setattr(Stepward, "follow", interrupted)
    seen = run("run", "a", "--input", "hi")
    assert seen.code == 130
    assert "stepward runs cancel run_01" in seen.err


def test_standard_input_keeps_its_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepward.cli.input_files import read_standard_input

    text = "a\r\nb\rc \u00e9\n"
    piped = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + text.encode()), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", piped)
    assert read_standard_input() == text
