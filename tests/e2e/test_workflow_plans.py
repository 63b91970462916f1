"""Plans by the API: of documents, of versions, of the step between two, as values and as pictures."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.e2e.ends import version_of
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop

TASKS: list[dict[str, Any]] = [
    {"id": "total", "output": "{% $input.price * $input.count %}"},
    {"id": "word", "agent": "plan-helper", "needs": ["total"]},
]


def a_document(**changed: Any) -> dict[str, Any]:
    return {"id": "planned-flow", "name": "Planned", "version": "1.0.0", "tasks": TASKS, **changed}


def test_documents_and_versions_are_planned_drawn_and_compared(api: httpx2.Client) -> None:
    assert api.post("/agents", json=an_agent_body(id="plan-helper")).status_code in (200, 201)
    told = api.post("/workflows/plan", json=a_document())
    assert told.status_code == 200, told.text
    plan = told.json()["plan"]
    assert plan["states"] == {"least": 3, "expected": 3, "most": 3}
    assert plan["children"]["most_usd_micros"] > plan["children"]["least_usd_micros"] > 0
    assert {proof["name"]: proof["holds"] for proof in told.json()["proofs"]}["no-deadlock"]

    drawn = api.post("/workflows/plan", params={"as": "svg"}, json=a_document())
    assert (drawn.headers["content-type"], drawn.text[:5]) == ("image/svg+xml", "<svg ")

    version_of(api, api.post("/workflows", json=a_document(), params={"wait": 25}))
    kept = api.get("/workflows/planned-flow/plan").json()["plan"]
    assert kept["states"] == plan["states"]
    more = a_document(version="1.1.0", tasks=[*TASKS, {"id": "told", "event": "done", "needs": ["word"]}])
    step = api.post("/workflows/planned-flow/diff", json=more).json()
    assert (step["tasks_added"], step["permissions"]["added"]["events"]) == (["told"], ["done"])
    same = api.get("/workflows/planned-flow/diff", params={"from": "1.0.0", "to": "1.0.0"}).json()
    assert same["same"]


def test_what_registering_would_refuse_is_refused_with_every_problem(api: httpx2.Client) -> None:
    wrong = a_document(tasks=[{"id": "a", "output": 1, "needs": ["b"]}, {"id": "c", "agent": "nobody-there"}])
    told = api.post("/workflows/plan", json=wrong)
    assert told.status_code == 400
    assert told.json()["errors"][0]["code"] == "missing-task"
    leaks = a_document(
        policy={"redact_pii": True},
        tasks=[{"id": "a", "output": 1, "data": "pii"}, {"id": "e", "event": "told", "needs": ["a"]}],
    )
    assert api.post("/workflows", json=leaks).json()["errors"][0]["code"] == "pii-redacted"
