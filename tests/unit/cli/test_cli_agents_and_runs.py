"""`stepward agents` and `stepward runs`: lists, single ones, feeds, and definitions with faults in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepward.cli import output
from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, an_event, ok, page, problem

Stage = Callable[..., FakeApi]
SUMMARY = {
    "id": "support-refunds",
    "name": "Support",
    "version": "1.0.0",
    "model": "balanced",
    "description": "",
    "created_at": "2026-11-05T10:00:00Z",
}


def listed(**more: object) -> dict[str, object]:
    return {name: value for name, value in a_run(**more).items() if name not in {"input", "output"}}


def test_agents_are_listed_with_the_way_to_the_next_page(run: Run, stage: Stage) -> None:
    api = stage(ok({"agents": [SUMMARY], "next_cursor": "abc"}))
    seen = run("agents", "ls", "--limit", "1")
    assert "support-refunds" in seen.out
    assert "--cursor abc" in seen.out
    assert api.targets == ["GET /agents?limit=1"]
    assert run("agents", "ls", "--json").json["agents"] == [SUMMARY]


def test_an_empty_list_says_what_to_do_next(run: Run, stage: Stage) -> None:
    stage(ok({"agents": [], "runs": [], "next_cursor": None}))
    assert "stepward agents register" in run("agents", "ls").out
    assert "stepward run AGENT" in run("runs", "ls").out


def test_an_agent_is_shown_as_the_yaml_that_made_it(run: Run, stage: Stage) -> None:
    detail = {
        "agent": {"id": "a", "prompt": "Be kind.\nBe brief."},
        "id": "a",
        "version": "1.0.0",
        "created_at": "now",
    }
    stage(ok(detail))
    assert "id: a" in run("agents", "show", "a").out
    assert run("agents", "show", "a", "--json").json == detail


def test_a_yaml_file_is_registered_as_json_with_its_dates_as_text(
    run: Run, stage: Stage, bare_folder: Path
) -> None:
    (bare_folder / "a.yaml").write_text(
        "id: a\nsince: 2026-11-05\nn: 1\nmore: [x, {y: null}]\n", encoding="utf-8"
    )
    api = stage(ok({"id": "a", "version": "1.0.0", "created_at": "now"}, 201))
    seen = run("agents", "register", "a.yaml")
    assert (seen.code, "a 1.0.0 is registered" in seen.out) == (0, True)
    assert api.body() == {"id": "a", "since": "2026-11-05", "n": 1, "more": ["x", {"y": None}]}


def test_a_json_file_is_registered(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "a.json").write_text('{"id": "a"}', encoding="utf-8")
    stage(ok({"id": "a", "version": "1.0.0"}, 201))
    assert run("agents", "register", "a.json", "--json").json == {"id": "a", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.yaml", "id: a\ntools: [x\nname: b\n", "a.yaml:3:5: "),
        ("a.yaml", "id: a\n\tname: b\n", "a.yaml:2:1: "),
        ("a.yaml", "id: a\nname: b\nid: c\n", "a.yaml:3:1: the key 'id' appears in line 1 already"),
        ("a.yaml", "id: !!python/object:os.system x\n", "a.yaml:1:5: "),
        ("a.yaml", "id: a\x00\n", "a.yaml:1:6: "),
        ("a.yaml", "- id: a\n", "a.yaml:1:1: the document holds a list"),
        ("a.yaml", "", "a.yaml: the document holds nothing"),
        ("a.yaml", "# nothing\n", "the document holds nothing"),
        (
            "a.yaml",
            "id: x\nprompt: " + "[" * 3_000 + "]" * 3_000,
            "a.yaml:2:48: the document is nested deeper",
        ),
        ("a.json", "[" * 100_000, "a.json:1:1: the document is nested deeper"),
        ("a.json", '{"a":' * 60 + "1" + "}" * 60, "a.json:1:201: the document is nested deeper"),
        ("a.yaml", "a: &a [x]\nb: *a\n", "a.yaml:1:4: &a: anchors and aliases are not read"),
        ("a.yaml", "id: a\n---\nid: b\n", "a.yaml:2:1: a second document begins here"),
        ("a.yaml", "id: 0x" + "f" * 3_600, "a.yaml:1:5: 0xfff"),
        (
            "a.yaml",
            "limits: {cost_limit_usd: 0.123456789012345678}",
            "a.yaml:1:26: 0.123456789012345678 has 18",
        ),
        ("a.yaml", "id: 1e400", "a.yaml:1:5: 1e400 is larger than a number can be"),
        ("a.yaml", "id: .nan", "a.yaml:1:5: .nan is not a JSON number"),
        ("a.json", '{"id": NaN}', "a.json:1:8: NaN is not a JSON number"),
        ("a.json", '{"id": 1, "id": 2}', "a.json:1:11: the key 'id' appears in line 1 already"),
        ("a.yaml", "? [a, b]\n: c\n", "a.yaml:1:3: "),
        ("a.json", '{\n  "id": a\n}', "a.json:2:9: it cannot be read as JSON: Expecting value."),
        ("a.txt", "id: a", "neither .yaml, .yml nor .json"),
    ],
)
def test_a_broken_file_is_named_with_line_and_column(
    run: Run, stage: Stage, bare_folder: Path, name: str, text: str, said: str
) -> None:
    (bare_folder / name).write_text(text, encoding="utf-8")
    api = stage(ok({}))
    seen = run("agents", "register", name)
    assert seen.code == 2
    assert said in seen.err
    assert "Traceback" not in seen.err
    assert api.requests == []


@pytest.mark.parametrize("name", ["folder.yaml", "missing.yaml", "latin.yaml", "half.json", "nul\0.yaml"])
@pytest.mark.parametrize("command", [("agents", "register"), ("triggers", "add"), ("workflow", "register")])
def test_what_is_no_text_file_is_one_line(
    run: Run, stage: Stage, bare_folder: Path, name: str, command: tuple[str, ...]
) -> None:
    (bare_folder / "folder.yaml").mkdir()
    (bare_folder / "latin.yaml").write_bytes(b"id: a\nname: caf\xe9\n")
    (bare_folder / "half.json").write_bytes(b"\xff\xfe{")
    api = stage(ok({}))
    seen = run(*command, name)
    assert (seen.code, api.requests) == (2, [])
    assert name.split("\0", maxsplit=1)[0] in seen.err
    assert "Traceback" not in seen.err
    assert name != "latin.yaml" or "line 2" in seen.err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("command", [("agents", "register"), ("triggers", "add")])
def test_words_mean_what_they_mean_in_workflows(
    run: Run, stage: Stage, bare_folder: Path, encoding: str, command: tuple[str, ...]
) -> None:
    written = "id: a\nplate: 0123\nat: 12:30:00\nday: 2026-11-30\nsku: 1_000\ncountry: [NO, no, on, yes, true, ~]\nn: 0o17\n"
    (bare_folder / "a.yaml").write_bytes(written.encode(encoding))
    api = stage(ok({"id": "a", "version": "1.0.0"}, 201))
    assert run(*command, "a.yaml").code == 0
    assert api.body() == {
        "id": "a",
        "plate": "0123",
        "at": "12:30:00",
        "day": "2026-11-30",
        "sku": "1_000",
        "country": ["NO", "no", "on", "yes", True, None],
        "n": 15,
    }


def test_several_wrong_fields_are_all_shown(run: Run, stage: Stage, bare_folder: Path) -> None:
    (bare_folder / "a.json").write_text("{}", encoding="utf-8")
    errors = [
        {"field": "id", "detail": "missing"},
        {"field": "prompt", "detail": "empty", "fix": "write one"},
    ]
    stage(problem(400, "InvalidRequest", "2 fields are wrong.", errors=errors))
    seen = run("agents", "register", "a.json")
    assert seen.code == 3
    assert "id: missing" in seen.err
    assert "prompt: empty (write one)" in seen.err


def test_runs_are_listed(run: Run, stage: Stage) -> None:
    api = stage(ok({"runs": [listed(), listed(id="run_02", status="FAILED")], "next_cursor": None}))
    seen = run("runs", "ls", "--agent", "support-refunds", "--day", "2026-11-05")
    assert all(text in seen.out for text in ("run_01", "run_02", "FAILED", "$0.003900"))
    assert api.targets == ["GET /runs?agent=support-refunds&day=2026-11-05"]
    assert len(run("runs", "ls", "--json").json["runs"]) == 2


def test_runs_of_both_kinds_are_narrowed_and_fit_eighty_columns(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"run_{'0' * 25}{number}" for number in (1, 2)]
    flow = listed(
        id=ids[0],
        workflow="billing-flow",
        status="PARTIALLY_COMPLETED",
        created_at="2026-11-05T10:00:00.000Z",
    )
    api = stage(ok({"runs": [flow, listed(id=ids[1])], "next_cursor": "abc"}))
    monkeypatch.setattr(output, "WIDTH_WHEN_PIPED", 80)
    seen = run("runs", "ls", "--status", "failed", "--since", "24h", "--kind", "workflow")
    assert api.targets == ["GET /runs?kind=workflow&status=FAILED&since=24h"]
    assert all(any(line.startswith(run_id) for line in seen.out.splitlines()) for run_id in ids)
    assert max(map(len, seen.out.splitlines())) <= 80
    assert run("runs", "ls", "--kind", "job").code == 2


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_no_window_breaks_the_name_of_an_agent_or_a_model(
    run: Run, stage: Stage, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    named = listed(id=f"run_{'0' * 26}", agent="support-refunds", answered_by="claude-sonnet-5-5")
    stage(ok({"runs": [named, listed(answered_by=None)], "next_cursor": None}))
    monkeypatch.setenv("COLUMNS", str(columns))
    seen = run("runs", "ls")
    assert seen.code == 0
    if columns > 20:
        assert "support-refunds 1.0.0" in seen.out
        assert "claude-sonnet-5-5" in seen.out


def test_an_age_is_written_in_its_largest_unit() -> None:
    now = datetime(2026, 11, 5, 10, tzinfo=UTC)
    ages = [output.age(at, now) for at in ("2026-11-05T09:59:18.000Z", "2026-11-05T09:53:00.000Z")]
    assert [*ages, output.age("2026-11-05T07:00:00.000Z", now), output.age("2026-10-24T00:00:00.000Z", now)] == [
        "42s", "7m", "3h", "12d",
    ]  # fmt: skip
    assert output.age("2026-11-05T10:00:01.000Z", now) == "0s"


def test_a_run_is_shown_with_input_answer_and_totals(run: Run, stage: Stage) -> None:
    stage(ok(a_run()))
    seen = run("runs", "show", "run_01")
    assert all(text in seen.out for text in ("hello", "we refund", "COMPLETED", "ci"))
    assert run("runs", "show", "run_01", "--json").json == a_run()


def test_a_run_that_the_response_cache_answered_says_so(run: Run, stage: Stage) -> None:
    totals = {**a_run()["totals"], "response_cache_hits": 2, "saved_tokens": 9, "saved_usd_micros": 1_234}
    stage(ok(a_run(totals=totals)))
    assert "2 from the response cache, saved $0.001234" in " ".join(run("runs", "show", "run_01").out.split())
    hit = {"hit": True, "saved_usd_micros": 617}
    stage(
        ok(a_run()),
        page(
            an_event(2, "turn.completed", turn=1, text="Hi", response_cache=hit),
            an_event(3, "turn.completed", turn=2, text="Ho", response_cache={"hit": False}),
            an_event(4, "run.ended", status="COMPLETED"),
            ended=True,
        ),
    )
    first, second, _ = run("runs", "tail", "run_01").out.splitlines()
    assert "from the response cache, saved $0.000617" in first
    assert "response cache" not in second


def test_tail_writes_one_event_a_line(run: Run, stage: Stage) -> None:
    stage(
        ok(a_run()),
        page(
            an_event(2, "turn.completed", turn=1, text="Hi"),
            an_event(3, "run.ended", status="COMPLETED"),
            ended=True,
        ),
    )
    seen = run("runs", "tail", "run_01", "--after", "1", "--json")
    assert [json.loads(line)["seq"] for line in seen.out.splitlines()] == [2, 3]
    assert "turn 1" in run("runs", "tail", "run_01").out


def test_cancel_shows_the_new_status_and_a_conflict_exits_3(run: Run, stage: Stage) -> None:
    stage(ok(a_run(status="CANCELLED"), 202), problem(409, "Conflict", "It has ended."))
    assert "CANCELLED" in run("runs", "cancel", "run_01").out
    seen = run("runs", "cancel", "run_01", "--json")
    assert (seen.code, seen.json["code"], seen.err) == (3, "Conflict", "")
