"""Workflows on the real machine: registered, published, carried by real functions, settled."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.laptop


def register(api: httpx2.Client, **document: Any) -> dict[str, Any]:
    body = {"name": "A workflow", "version": "1.0.0", **document}
    answer = api.post("/workflows", json=body, params={"wait": 25})
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == "READY", found
    return found


def run(api: httpx2.Client, workflow: str, given: Any = None) -> dict[str, Any]:
    answer = api.post(f"/workflows/{workflow}/runs", params={"wait": 25}, json={"input": given or {}})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {task["task"]: task["status"] for task in found["tasks"]}


def test_tasks_that_need_each_other_run_in_order_and_bring_their_outputs(api: httpx2.Client) -> None:
    total = {"id": "total", "type": "transform", "output": "{% $input.price * $input.count %}"}
    exact = {
        "id": "exact",
        "type": "tool",
        "tool": "calculate",
        "with": {"expression": "{% $string($tasks.total) & ' * 1.19' %}"},
        "needs": ["total"],
    }
    note = {"id": "note", "type": "transform", "output": "{% 'for ' & $input.who %}"}
    last = {
        "id": "bill",
        "type": "transform",
        "needs": ["exact", "note"],
        "output": {"text": "{% $tasks.note %}", "total": "{% $tasks.exact.value %}"},
    }
    register(api, id="billing-flow", tasks=[total, exact, note, last])
    found = run(api, "billing-flow", {"price": 20, "count": 5, "who": "Ada"})
    assert (found["status"], found["output"]) == ("COMPLETED", {"text": "for Ada", "total": "119.00"})
    assert set(statuses(found).values()) == {"COMPLETED"}
