"""A task's `timeout_s` holds whatever the task does: in the function that carries it, and in its state."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.errors import ToolUnavailable
from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks import tool as tool_task
from stepward.tasks.transform import TransformTask
from stepward.tools import http_get, http_request
from stepward.tools.base import ToolContext
from stepward.tools.egress import Incoming, Outgoing
from stepward.workflows.compiler.compile import compile_workflow
from tests.support.workflow_world import Ran, WorkflowWorld

SITE = "https://site.example"
GET = {"tool": "http_request", "config": {"url": SITE + "/slow"}}
POST = {"tool": "http_request", "config": {"url": SITE + "/slow", "method": "POST"}}
PAGE = {"tool": "http_get", "config": {"allow": [SITE]}, "with": {"url": SITE + "/slow"}}
HOOK = {"type": "webhook", "url": SITE + "/slow"}
READ_HOOK = {**HOOK, "method": "GET"}
KNOWN_HOOK = {**HOOK, "effect": "idempotent"}


class SlowSite:
    """Answers no sooner than it is let go; who asks has given up before, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patience_s: list[float] = []
        self.now_s = 0.0
        for module in (http_request, http_get):
            monkeypatch.setattr(module, "send", self._send)
        monkeypatch.setattr(tool_task, "perf_counter", lambda: self.now_s)

    def _send(self, request: Outgoing) -> Incoming:
        self.patience_s.append(request.timeout_s)
        self.now_s += request.timeout_s
        raise ToolUnavailable(f"{request.url} gave no answer: ReadTimeoutError.", has_begun=True)


class SiteWorld(WorkflowWorld):
    def _tools(self, tenant: str, call_id: str) -> ToolContext:
        return ToolContext(tenant, call_id, MemoryDatasets(), (SITE,), pause=self.pauses.append)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> SlowSite:
    return SlowSite(monkeypatch)


def run(task: dict[str, Any], **said: Any) -> Ran:
    kind = {} if "type" in task else {"type": "tool"}
    return SiteWorld().run([{"id": "slow", **kind, **task, **said}])


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (GET, "TaskTimedOut"),
        (PAGE, "TaskTimedOut"),
        (READ_HOOK, "TaskTimedOut"),
        (KNOWN_HOOK, "TaskTimedOut"),
        (POST, "outcome_unknown"),
        (HOOK, "outcome_unknown"),
    ],
)
def test_a_call_has_the_task_s_time(site: SlowSite, task: dict[str, Any], error: str) -> None:
    ran = run(task, timeout_s=2)
    assert (ran.status, ran.error("slow"), site.patience_s) == ("FAILED", error, [2.5])


def test_a_call_may_have_more_time_than_its_tool_gives_by_itself(site: SlowSite) -> None:
    run(GET, timeout_s=100)
    run(GET, timeout_s=3_600)
    run(GET)
    assert site.patience_s == [100.5, 240, 30]


def test_each_attempt_has_its_time(site: SlowSite) -> None:
    ran = run(GET, timeout_s=2, retry={"strategy": "immediate", "max_attempts": 3})
    assert (ran.error("slow"), site.patience_s) == ("TaskTimedOut", [2.5] * 3)
    assert ran.records["slow"].error_retryable


def test_what_stands_in_for_a_task_stands_in_for_one_whose_time_was_over(site: SlowSite) -> None:
    ran = run(GET, timeout_s=2, fallback={"output": "late"})
    assert (ran.status, ran.output) == ("COMPLETED", "late")


def test_a_call_that_is_to_be_answered_later_is_not_waited_for_longer_than_another(site: SlowSite) -> None:
    run(HOOK, wait_for_call=True, timeout_s=86_400)
    run(HOOK, wait_for_call=True, timeout_s=3)
    assert site.patience_s == [30.5, 3.5]


def test_what_undoes_a_task_has_its_time(site: SlowSite) -> None:
    undo = {"id": "undo", "type": "tool", **GET, "timeout_s": 2}
    done = {"id": "a", "type": "transform", "output": 1, "compensate": undo}
    ill = {"id": "b", "type": "transform", "output": "{% $error('no') %}", "needs": ["a"]}
    ran = SiteWorld().run([done, ill])
    assert (ran.records["a~undone"].status.value, site.patience_s) == ("FAILED", [2.5])


@pytest.mark.parametrize(("takes_s", "status"), [(1.9, "COMPLETED"), (2.1, "FAILED")])
def test_what_is_worked_out_here_has_its_time_too(
    monkeypatch: pytest.MonkeyPatch, takes_s: float, status: str
) -> None:
    world, work = WorkflowWorld(), TransformTask.run

    def slowly(self: TransformTask, *given: Any) -> Any:
        monkeypatch.setattr(world.loop, "now", lambda: began + timedelta(seconds=takes_s))
        return work(self, *given)

    began = world.loop.now()
    monkeypatch.setattr(TransformTask, "run", slowly)
    ran = world.run([{"id": "a", "type": "transform", "output": 1, "timeout_s": 2}])
    assert (ran.status, ran.error("a")) == (status, None if status == "COMPLETED" else "TaskTimedOut")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({}, 310),
        ({"timeout_s": 2}, 32),
        ({"timeout_s": 2, "retry": {"strategy": "constant", "base_s": 1, "max_attempts": 3}}, 38),
        ({"timeout_s": 2, "retry": {"strategy": "constant", "base_s": 9, "max_attempts": 3}}, 32),
        ({"timeout_s": 3_600}, 310),
    ],
)
def test_a_state_waits_a_little_longer_than_its_function(said: dict[str, Any], seconds: int) -> None:
    task = {"id": "a", "type": "tool", **GET, **said}
    document = {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": [task]}
    machine = compile_workflow(WorkflowDefinition.model_validate(document)).machine
    assert machine["States"]["a"]["TimeoutSeconds"] == seconds


def test_errors_tell_what_was_answered_and_whether_it_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([Incoming(503, "text/plain", b"busy"), Incoming(404, "text/plain", b"no")])
    monkeypatch.setattr(http_request, "send", lambda request: next(answers))
    ill = {"type": "tool", **GET, "on_error": "continue"}
    told = {"id": "told", "type": "transform", "run_when": "always", "needs": ["a", "b", "c"]}
    wrong = {
        "id": "c",
        "type": "transform",
        "output": "{% $error('no') %}",
        "on_error": "continue",
        "needs": ["b"],
    }
    tasks = [
        {"id": "a", **ill},
        {"id": "b", "needs": ["a"], "run_when": "always", **ill},
        wrong | {"run_when": "always"},
    ]
    world = SiteWorld()
    ran = world.run([*tasks, {**told, "output": "{% $errors %}"}], allow_partial=True)
    found = ran.outputs["told"]
    assert {name: (one["code"], one["status"], one["retryable"]) for name, one in found.items()} == {
        "a": ("ToolUnavailable", 503, True),
        "b": ("ToolFailed", 404, False),
        "c": ("OutputMalformed", None, False),
    }
    assert all(one.keys() == {"code", "detail", "status", "retryable"} for one in found.values())
