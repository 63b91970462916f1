"""What the API refuses, and how: a problem document with the code, the field and the fix, and nothing changed."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
RUN = "run_00000000000000000000000000"


@pytest.fixture(scope="module", autouse=True)
def _helper(api: httpx2.Client) -> None:
    api.post("/agents", json=an_agent_body())


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["detail"]
    assert document["field"]
    assert document["fix"]
    return document


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "no API key"),
        ({"Authorization": "Bearer"}, "no API key"),
        ({"Authorization": "Bearer nonsense"}, "not of the form"),
        ({"x-api-key": f"sw_{'0' * 16}_{'0' * 64}"}, "not known"),
    ],
)
def test_without_a_right_key_nobody_is_served(laptop: Laptop, headers: dict[str, str], says: str) -> None:
    for method, path in [("GET", "/runs"), ("POST", "/agents"), ("GET", "/api/health/metrics")]:
        answer = httpx2.request(method, laptop.url + path, headers=headers)
        assert says in problem(answer, 401, "NotAuthenticated")["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"[]",
        b"\xff",
        b"nul",
        b'"text"',
        b"{" * 5_000,
        b'{"input": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"input": {"a": "\\ud800"}}',
    ],
)
def test_a_body_that_is_no_json_object(api: httpx2.Client, body: bytes) -> None:
    for path in ("/agents", "/agents/helper/runs"):
        answer = api.post(path, content=body, headers={"content-type": "application/json"})
        assert problem(answer, 400, "InvalidRequest")["field"] == "body"


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"input": {"a": NaN}}', "input.a"), (b'{"input": ' + b"9" * 5_000 + b"}", "input")],
)
def test_a_number_that_cannot_be_kept_is_named(api: httpx2.Client, body: bytes, field: str) -> None:
    for path in ("/agents", "/agents/helper/runs"):
        answer = api.post(path, content=body, headers={"content-type": "application/json"})
        assert problem(answer, 400, "InvalidRequest")["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": ""}, "input"),
        ({"input": {}}, "input"),
        ({"input": 7}, "input"),
        ({"input": "x", "verison": "1.0.0"}, "verison"),
        ({"input": "x", "version": "1.0"}, "version"),
        ({"input": "x", "deadline_s": 0}, "deadline_s"),
        ({"input": "x", "deadline_s": "soon"}, "deadline_s"),
        ({"input": "x", "rehearse": "no"}, "rehearse"),
        ({"input": "x", "rehearse": False, "charge": False}, "charge"),
    ],
)
def test_a_wrong_start_names_its_field(api: httpx2.Client, body: dict[str, Any], field: str) -> None:
    assert str(
        problem(api.post("/agents/helper/runs", json=body), 400, "InvalidRequest")["field"]
    ).startswith(field)


def test_an_input_over_the_limit(api: httpx2.Client) -> None:
    answer = api.post("/agents/helper/runs", json={"input": "x" * 3_000_001})
    assert "3000000" in problem(answer, 400, "InvalidRequest")["detail"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"prompt": ""}, "prompt"),
        ({"tools": [{"tool": "teleport"}]}, "tools.0.tool"),
        ({"id": "../../etc/passwd"}, "id"),
        ({"limits": {"max_iterations": 1_000}}, "limits.max_iterations"),
    ],
)
def test_a_wrong_agent_names_its_field(api: httpx2.Client, changed: dict[str, Any], field: str) -> None:
    body = an_agent_body(id="faulty") | changed
    assert problem(api.post("/agents", json=body), 400, "InvalidRequest")["field"] == field
    known = api.get("/agents/faulty")
    assert known.status_code == 404 or known.json()["agent"] is None


def test_unknown_things_are_not_found(api: httpx2.Client) -> None:
    problem(api.post("/agents/nobody/runs", json={"input": "x"}), 404, "NotFound")
    problem(api.post("/agents/helper/runs", json={"input": "x", "version": "9.9.9"}), 404, "NotFound")
    problem(api.get("/agents/nobody"), 404, "NotFound")
    problem(api.get(f"/runs/{RUN}"), 404, "NotFound")
    problem(api.get(f"/runs/{RUN}/events"), 404, "NotFound")
    problem(api.post(f"/runs/{RUN}/cancel"), 404, "NotFound")
    problem(api.get("/no/such/route"), 404, "NotFound")


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fetc%2Fpasswd", "%2e%2e", "run_x", "run_" + "0" * 27, "a%00b", "%F0%9F%98%80"]
)
def test_an_id_with_a_path_in_it_is_refused(api: httpx2.Client, name: str) -> None:
    for path in (f"/runs/{name}", f"/runs/{name}/events", f"/agents/{name}X"):
        answer = api.get(path)
        assert answer.status_code in (400, 404), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_reused_key_finds_its_run_or_is_refused(api: httpx2.Client) -> None:
    headers = {"Idempotency-Key": "one-key"}
    first = api.post("/agents/helper/runs", json={"input": "a"}, headers=headers).json()
    again = api.post("/agents/helper/runs", json={"input": "a"}, headers=headers).json()
    assert again["id"] == first["id"]
    other = api.post("/agents/helper/runs", json={"input": "b"}, headers=headers)
    assert problem(other, 409, "Conflict")["field"] == "Idempotency-Key"


def test_versions_never_change(api: httpx2.Client) -> None:
    assert api.post("/agents", json=an_agent_body(id="stone")).status_code == 201
    assert api.post("/agents", json=an_agent_body(id="stone")).status_code == 200
    other = an_agent_body(id="stone", prompt="Otherwise.")
    assert problem(api.post("/agents", json=other), 409, "Conflict")["field"] == "version"
    assert api.get("/agents/stone").json()["agent"]["prompt"] == "Help."


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "limit=1000",
        "limit=000001999",
        "cursor=%00",
        "cursor=Li4v",
        "day=today",
        "agent=../x",
    ],
)
def test_a_wrong_query_names_its_field(api: httpx2.Client, query: str) -> None:
    assert (
        problem(api.get(f"/runs?{query}"), 400, "InvalidRequest")["field"] == query.split("=", maxsplit=1)[0]
    )


def test_lists_page_through_everything(api: httpx2.Client) -> None:
    for _ in range(5):
        api.post("/agents/helper/runs", json={"input": "x"})
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = api.get("/runs", params={"agent": "helper", "limit": 2, **cursor}).json()
        seen += [run["id"] for run in page["runs"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) >= 5
    assert seen == sorted(seen, reverse=True)


def test_another_tenant_sees_nothing(api: httpx2.Client, laptop: Laptop) -> None:
    run_id = api.post("/agents/helper/runs", json={"input": "x"}).json()["id"]
    stranger = {"Authorization": f"Bearer {laptop.issue_key('other', 'spy')}"}
    for method, path in [
        ("GET", f"/runs/{run_id}"), ("GET", f"/runs/{run_id}/events"), ("POST", f"/runs/{run_id}/cancel"),
        ("GET", "/agents/helper"),
    ]:  # fmt: skip
        assert httpx2.request(method, laptop.url + path, headers=stranger).status_code == 404
    assert httpx2.get(f"{laptop.url}/runs", headers=stranger).json()["runs"] == []
    assert httpx2.get(f"{laptop.url}/agents", headers=stranger).json()["agents"] == []


def test_health_is_open_and_metrics_are_not(laptop: Laptop, api: httpx2.Client) -> None:
    assert httpx2.get(f"{laptop.url}/api/health").json()["status"] == "ok"
    ready = httpx2.get(f"{laptop.url}/api/health/ready")
    assert (ready.status_code, ready.json()["checks"]) == (
        200,
        {"journal": "ok", "runtime": "ok", "registry": "ok"},
    )
    text = api.get("/api/health/metrics").text
    assert 'stepward_runs_today{status="COMPLETED"}' in text
