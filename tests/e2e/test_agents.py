"""Agents from their first file to their end, through the real API, rooms and tables."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from infra.local.laptop import Laptop
from stepward.cli.main import invoke
from stepward.domain.ids import AGENT_UID_PATTERN
from tests.e2e.ends import run_of
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop


@pytest.fixture
def name() -> str:
    return f"life-{uuid.uuid4().hex[:10]}"


def post(api: httpx2.Client, status: int, **body: Any) -> dict[str, Any]:
    answer = api.post("/agents", json=an_agent_body(**body))
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def start(api: httpx2.Client, agent: str, **body: Any) -> httpx2.Response:
    return api.post(f"/agents/{agent}/runs", params={"wait": 25}, json={"input": "hello", **body})


def test_an_agent_lives_from_its_first_refusal_to_its_end(api: httpx2.Client, name: str) -> None:
    other = f"{name}-other"
    refused = post(api, 400, id=name, dependencies=[other])
    assert (refused["code"], refused["field"]) == ("InvalidRequest", "dependencies.0")
    known = api.get(f"/agents/{name}").json()
    assert (known["state"], known["agent"]) == ("VALIDATING", None)
    assert known["refusal"]["field"] == "dependencies.0"
    assert start(api, name).status_code == 409

    post(api, 201, id=other)
    for to in ("VALIDATED", "READY"):
        assert api.post(f"/agents/{name}/transitions", json={"to": to}).json()["state"] == to
    skipped = api.post(f"/agents/{name}/transitions", json={"to": "VALIDATED"})
    assert (skipped.status_code, skipped.json()["code"]) == (409, "Conflict")
    assert run_of(api, start(api, name))["status"] == "COMPLETED"
    assert api.get(f"/agents/{name}").json()["view"] == "COMPLETED"

    uid = known["uid"]
    assert re.fullmatch(AGENT_UID_PATTERN, uid)
    assert start(api, uid).json()["agent"] == name
    assert api.delete(f"/agents/{uid}").json()["state"] == "TERMINATED"
    assert start(api, name).status_code == 409
    assert post(api, 409, id=name, version="2.0.0")["field"] == "id"


def test_a_label_is_moved_and_a_start_gets_its_version(api: httpx2.Client, name: str) -> None:
    for version in ("1.0.0", "2.0.0"):
        post(api, 201, id=name, version=version, rehearsal={"turns": [{"say": f"I am {version}."}]})
    labels = f"/agents/{name}/labels"
    assert api.put(f"{labels}/prod", json={"version": "1.0.0"}).status_code == 200
    assert start(api, name, version="prod").json()["output"] == "I am 1.0.0."
    assert start(api, name).json()["output"] == "I am 2.0.0."
    api.put(f"{labels}/prod", json={"version": "2.0.0"})
    assert start(api, name, version="prod").json()["version"] == "2.0.0"
    assert [one["label"] for one in api.get(labels).json()["labels"]] == ["latest", "prod"]
    assert api.delete(f"{labels}/prod").status_code == 200
    assert start(api, name, version="prod").status_code == 404
    assert api.put(f"{labels}/latest", json={"version": "1.0.0"}).status_code == 400


def test_agents_are_found_by_what_they_are_for(api: httpx2.Client, name: str) -> None:
    post(api, 201, id=name, tags=[name], capabilities=["API_INTEGRATION"], module="finance", priority=9)
    post(api, 201, id=f"{name}-2", tags=[name])
    found = api.get("/agents", params={"tag": name}).json()["agents"]
    assert [one["id"] for one in found] == [name, f"{name}-2"]
    both = {"tag": name, "capability": "API_INTEGRATION", "module": "finance"}
    assert [one["priority"] for one in api.get("/agents", params=both).json()["agents"]] == [9]
    assert api.get("/agents", params={"state": "EXECUTING"}).json()["field"] == "state"
    assert api.get("/agents", params={"colour": "red"}).json()["field"] == "colour"


def test_agents_that_ask_each_other_are_refused(api: httpx2.Client, name: str) -> None:
    other = f"{name}-other"
    post(api, 201, id=name)
    post(api, 201, id=other, tools=[{"agent": name}])
    refused = post(api, 400, id=name, version="1.1.0", team=[{"agent": other}])
    assert f"{name} → {other} → {name}" in refused["detail"]
    assert refused["field"] == "tools.0.config.agent"
    assert api.get(f"/agents/{name}").json()["version"] == "1.0.0"


def test_a_folder_is_imported_from_the_command_line(
    api: httpx2.Client, laptop: Laptop, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = [an_agent_body(id=f"{name}-a", dependencies=[f"{name}-b"]), an_agent_body(id=f"{name}-b")]
    for body in bodies:
        (tmp_path / f"{body['id']}.yaml").write_text(yaml.safe_dump(body), encoding="utf-8")
    reach = ["--url", laptop.url, "--key", laptop.api_key]
    assert invoke(["agents", "import", str(tmp_path), *reach]) == 0
    assert "2 registered, 0 refused." in capsys.readouterr().out
    assert api.get(f"/agents/{name}-a").json()["state"] == "READY"
