"""Documents go as they were written, refusals come with all problems, runs are watched to their end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from stepward.sdk import ApiError, BadCall, DocumentRefused, Flow, Stepward, StillRunning
from tests.unit.sdk.fake_api import FakeApi, ok, problem
from tests.unit.sdk.workflow_answers import a_task, a_version, a_workflow_run, refusal, still_running

TEXT = "id: billing-flow\ntasks: []\n"


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda w: w.schema(), "GET /workflows/schema"),
        (lambda w: w.list(limit=2, cursor="c"), "GET /workflows?limit=2&cursor=c"),
        (lambda w: w.show("a"), "GET /workflows/a"),
        (lambda w: w.show("a", version="1.0.0"), "GET /workflows/a?version=1.0.0"),
        (lambda w: w.runs("a", limit=3), "GET /workflows/a/runs?limit=3"),
        (lambda w: w.run("run_01"), "GET /runs/run_01"),
        (lambda w: w.cancel("run_01"), "POST /runs/run_01/cancel"),
        (lambda w: w.rerun("run_01"), "POST /runs/run_01/rerun"),
        (lambda w: w.start("a", wait=5), "POST /workflows/a/runs?wait=5"),
        (lambda w: w.plan(TEXT), "POST /workflows/plan"),
        (lambda w: w.planned("a", version="1.0.0"), "GET /workflows/a/plan?version=1.0.0"),
        (lambda w: w.diff("a", "1.0.0", after="1.1.0"), "GET /workflows/a/diff?from=1.0.0&to=1.1.0"),
        (lambda w: w.diff_with("a", TEXT), "POST /workflows/a/diff"),
    ],
)
def test_a_method_asks_for_its_route(call: Callable[[Any], object], target: str) -> None:
    api = FakeApi([ok({"anything": 1})])
    assert call(api.client().workflows) == {"anything": 1}
    assert api.targets == [target]


def test_a_version_is_removed() -> None:
    api = FakeApi([ok({"removed": True})])
    api.client().workflows.remove("a", "1.0.0")
    assert api.targets == ["DELETE /workflows/a/versions/1.0.0"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("a.yaml", "application/yaml"), ("a.YML", "application/yaml"), ("a.json", "application/json")],
)
def test_a_file_goes_byte_for_byte_so_that_lines_are_those_of_the_file(
    tmp_path: Path, name: str, content_type: str
) -> None:
    written = "id: billing-flow  # Grüße\n".encode()
    (tmp_path / name).write_bytes(written)
    api = FakeApi([ok(a_version(), 201)])
    assert api.client().workflows.register(tmp_path / name)["status"] == "READY"
    assert api.targets == ["POST /workflows?wait=25"]
    assert (api.requests[0].content, api.requests[0].headers["content-type"]) == (written, content_type)


def test_texts_values_and_flows_are_documents_too() -> None:
    api = FakeApi([ok(a_version())])
    register = api.client().workflows.register
    flow = Flow("demo", version="1.0.0")
    flow.transform("a", output=1)
    for document in (TEXT, {"id": "demo"}, flow):
        register(document)
    assert api.requests[0].content.decode() == TEXT
    assert api.requests[0].headers["content-type"] == "text/plain"
    assert (api.body(1), api.body(2)) == ({"id": "demo"}, flow.document())


def test_drawings_come_as_the_text_that_they_are() -> None:
    api = FakeApi([httpx2.Response(200, text="flowchart TD\n")])
    workflows = api.client().workflows
    assert workflows.draw(TEXT, "mermaid") == workflows.drawn("a", "svg", version="1.0.0") == "flowchart TD\n"
    assert api.targets == ["POST /workflows/plan?as=mermaid", "GET /workflows/a/plan?version=1.0.0&as=svg"]


def test_an_answer_that_is_no_document_did_not_come_from_the_stage() -> None:
    with pytest.raises(ApiError, match="not a Stepward document"):
        FakeApi([httpx2.Response(200, text="<html>")]).client().workflows.plan(TEXT)


def test_what_cannot_be_read_is_not_sent(tmp_path: Path) -> None:
    api = FakeApi([ok({})])
    with pytest.raises(BadCall, match="cannot be read"):
        api.client().workflows.register(tmp_path / "none.yaml")
    with pytest.raises(BadCall, match="not JSON"):
        api.client().workflows.register({"id": {1, 2}})
    assert api.requests == []


def test_registering_waits_until_the_machine_is_made() -> None:
    begun = a_version(status="PUBLISHING")
    api = FakeApi([ok(begun, 202), ok(begun), ok(a_version())])
    assert api.client().workflows.register(TEXT)["status"] == "READY"
    assert api.targets[1:] == ["GET /workflows/billing-flow?version=1.0.0"] * 2


def test_a_version_that_takes_longer_is_given_as_it_stands() -> None:
    api = FakeApi([ok(a_version(status="PUBLISHING"), 202)])
    assert api.client().workflows.register(TEXT, timeout_s=2)["status"] == "PUBLISHING"
    assert sum(api.pauses_s) == pytest.approx(2)
    assert api.targets[0] == "POST /workflows?wait=2"


def test_a_refused_document_comes_with_all_problems() -> None:
    with pytest.raises(DocumentRefused) as caught:
        FakeApi([refusal()]).client().workflows.register(TEXT)
    first, second = caught.value.problems
    assert (first.code, first.task, first.line, first.column) == ("missing-task", "exact", 9, 13)
    assert (
        first.as_diagnostic("a.yaml") == "a.yaml:9:13: exact: there is no task 'totl' (did you mean 'total'?)"
    )
    assert second.as_diagnostic("a.yaml") == "a.yaml: the loop has no bound (give max_iterations)"
    assert second.as_diagnostic() == second.spelled() == "the loop has no bound (give max_iterations)"
    assert str(caught.value).splitlines()[1:] == [f"  {one.as_diagnostic()}" for one in (first, second)]
    assert isinstance(caught.value, ApiError)


def test_values_have_no_lines() -> None:
    found = FakeApi([refusal()]).client().workflows.problems({"id": "demo"})
    assert [(one.line, one.column) for one in found] == [(None, None)] * 2
    assert FakeApi([ok({})]).client().workflows.problems(TEXT) == ()


def test_other_refusals_stay_what_they_are() -> None:
    errors = [{"field": "input", "detail": "no", "fix": "mend"}]
    for answer in (problem(409, "Conflict"), problem(400, "InvalidRequest", errors=errors)):
        with pytest.raises(ApiError) as caught:
            FakeApi([answer]).client().workflows.problems(TEXT)
        assert not isinstance(caught.value, DocumentRefused)


def test_a_start_carries_its_input_and_a_key_of_its_own() -> None:
    api = FakeApi([ok(a_workflow_run(), 202)])
    workflows = api.client().workflows
    workflows.start("a", {"n": 1}, version="1.0.0", idempotency_key="mine")
    workflows.start("a", [1, 2])
    workflows.start("a")
    assert [api.body(n) for n in range(3)] == [
        {"input": {"n": 1}, "version": "1.0.0"},
        {"input": [1, 2]},
        {"input": {}},
    ]
    keys = [request.headers["idempotency-key"] for request in api.requests]
    assert keys[0] == "mine"
    assert keys[1].startswith("sdk-")


def test_a_run_is_watched_to_its_end_and_asked_less_often_while_nothing_happens() -> None:
    waits = still_running(a_task("total", "RUNNING"))
    moved = still_running(a_task("total"))
    api = FakeApi([ok(waits), ok(waits), ok(waits), ok(moved), ok(a_workflow_run())])
    seen = list(api.client().workflows.watch("run_01"))
    assert [run["status"] for run in seen] == ["RUNNING"] * 4 + ["COMPLETED"]
    assert api.pauses_s == [0.25, 0.375, 0.5625, 0.25]


def test_wait_gives_the_run_once_it_has_ended_or_says_that_it_goes_on() -> None:
    api = FakeApi([ok(still_running()), ok(a_workflow_run(status="FAILED"))])
    assert api.client().workflows.wait("run_01")["status"] == "FAILED"
    slow = FakeApi([ok(still_running())])
    with pytest.raises(StillRunning, match=r"run_01 is RUNNING after 3 s\."):
        slow.client().workflows.wait("run_01", timeout_s=3)
    assert sum(slow.pauses_s) == pytest.approx(3)


def test_a_lost_answer_to_a_registration_is_asked_for_again() -> None:
    api = FakeApi([problem(503, "StoreThrottled"), ok(a_version())])
    client: Stepward = api.client()
    assert client.workflows.register(TEXT)["id"] == "billing-flow"
    assert len(api.requests) == 2
