"""What a stage answers about workflows, for tests of the client and the command."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.unit.sdk.fake_api import problem

PROBLEMS: list[dict[str, Any]] = [
    {
        "code": "missing-task",
        "detail": "there is no task 'totl'",
        "fix": "did you mean 'total'?",
        "task": "exact",
        "field": "needs.0",
        "line": 9,
        "column": 13,
    },
    {"code": "no-end", "detail": "the loop has no bound", "fix": "give max_iterations"},
]


def refusal() -> httpx2.Response:
    detail = "there is no task 'totl' (and 1 more)"
    return problem(400, "InvalidRequest", detail, fix="did you mean 'total'?", errors=PROBLEMS)


def a_version(**more: Any) -> dict[str, Any]:
    tasks = [
        {"id": "total", "type": "transform", "output": 1},
        {"id": "exact", "type": "tool", "tool": "calculate", "needs": ["total"]},
    ]
    version = {
        "id": "billing-flow",
        "version": "1.0.0",
        "created_at": "2026-11-05T10:00:00.000Z",
        "created_by": "ci",
        "status": "READY",
        "machine": "abc",
        "states": 3,
        "definition": {"id": "billing-flow", "name": "Billing", "version": "1.0.0", "tasks": tasks},
    }
    return {**version, **more}


def a_task(task: str, status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    if status in ("PENDING", "RUNNING"):
        return {"task": task, "type": "transform", "status": status, **more}
    ended = {
        "started_at": "2026-11-05T10:00:00.000Z",
        "ended_at": "2026-11-05T10:00:01.250Z",
        "attempt": 1,
        "fell_back": False,
        "cost_usd_micros": 0,
    }
    return {"task": task, "type": "transform", "status": status, **ended, **more}


def a_workflow_run(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = list(tasks) or [a_task("total", output=100), a_task("exact", output={"value": "119"})]
    counts: dict[str, int] = {}
    for task in shown:
        counts[task["status"]] = counts.get(task["status"], 0) + 1
    run = {
        "id": "run_01",
        "workflow": "billing-flow",
        "version": "1.0.0",
        "principal": "ci",
        "status": "COMPLETED",
        "rehearsed": False,
        "created_at": "2026-11-05T10:00:00.000Z",
        "deadline_at": "2026-11-06T10:00:00.000Z",
        "ended_at": "2026-11-05T10:00:02.000Z",
        "parent": None,
        "totals": {
            "tasks": 2,
            "completed": 2,
            "failed": 0,
            "skipped": 0,
            "cost_usd_micros": 3900,
            "tool_usd_micros": 900,
            "runs_aws_usd_micros": 100,
        },
        "aws": {"counts": {"transitions": 3}, "usd_micros": 80},
        "cost": {
            "runs_usd_micros": 3000,
            "tool_usd_micros": 900,
            "runs_aws_usd_micros": 100,
            "aws_usd_micros": 80,
            "total_usd_micros": 4080,
        },
        "input": {"price": 20},
        "output": {"total": "119"},
        "tasks": shown,
        "report": {
            "counts": counts,
            "success_rate": 1.0,
            "errors": [],
            "fell_back": [],
            "undone": [],
            "cost_usd_micros": 3900,
        },
    }
    return {**run, **more}


def still_running(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_workflow_run(*tasks, **{"status": "RUNNING", "ended_at": None, "output": None, **more})
