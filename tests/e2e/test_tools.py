"""Tools of every kind on a whole laptop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.new_tools import make_tools
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
Run = Callable[..., dict[str, Any]]
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("functions", "infra", "shared", "statemachines", "cdk.json", "pyproject.toml", "requirements.lock")


def turns(*calls: dict[str, Any], say: str) -> dict[str, Any]:
    return {"turns": [*({"call": [call]} for call in calls), {"say": say}]}


def test_an_api_is_called_as_the_agent_describes_it(run: Run, site: str) -> None:
    greet = {
        "tool": "http_request",
        "name": "greet",
        "config": {
            "method": "POST",
            "url": site + "/echo/{name}",
            "query": {"lang": "en"},
            "body": {"to": "{name}", "times": "{times}"},
            "arguments": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "times": {"type": "integer"}},
                "required": ["name", "times"],
            },
        },
    }
    arguments = {"name": "Ada L", "times": 2}
    ended = run(
        id="greeter",
        tools=[greet],
        rehearsal=turns({"tool": "greet", "arguments": arguments}, say="{% $string($last.greet.body) %}"),
    )
    heard = json.loads(ended["output"])
    assert heard["path"] == "/echo/Ada%20L?lang=en"
    assert json.loads(heard["body"]) == {"to": "Ada L", "times": 2}
    assert heard["key"] == f"{ended['id']}:call_1_1"


def test_a_large_answer_is_read_in_parts(run: Run, site: str) -> None:
    fetch = {
        "tool": "http_request",
        "name": "fetch",
        "config": {"url": site + "/large"},
        "cost_usd": "0.000100",
    }
    look = {"reference": "{% $last.fetch.reference %}", "path": "body.rows.999.note"}
    ended = run(
        id="large-reader",
        tools=[fetch, {"tool": "read_result"}],
        rehearsal=turns(
            {"tool": "fetch"}, {"tool": "read_result", "arguments": look}, say="{% $last.read_result.value %}"
        ),
    )
    assert ended["output"] == "row 999"


def test_the_gallery_is_shown(api: httpx2.Client) -> None:
    names = [one["name"] for one in api.get("/tools").json()["tools"]]
    assert {"calculate", "http_request", "lambda_function", "read_result"} <= set(names)
    assert api.get("/tools/http_request").json()["config"]["properties"]["method"]["default"] == "GET"
    missing = api.get("/tools/http_reqest")
    assert (missing.status_code, missing.json()["fix"]) == (404, "did you mean 'http_request'?")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path)
    return tmp_path


@contextmanager
def a_laptop(root: Path) -> Iterator[httpx2.Client]:
    """Run `up` of another checkout in a process of its own."""
    command = [sys.executable, "-m", "infra.local", "up", "--port", "0", "--state-dir", str(root / "state")]
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root / 'shared'}"}
    log = (root / "up.log").open("w")
    with log, subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log) as up:
        file = root / "state" / "laptop.json"
        try:
            wait_for(lambda: True if file.is_file() or up.poll() is not None else None, 120)
            assert up.poll() is None, (root / "up.log").read_text()
            told = json.loads(file.read_text())
            headers = {"Authorization": f"Bearer {told['api_key']}"}
            with httpx2.Client(base_url=told["url"], headers=headers, timeout=60, trust_env=False) as client:
                yield client
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(30)


def test_a_folder_of_ones_own_is_deployed_published_and_used(checkout: Path) -> None:
    make_tools("text_tools", checkout)
    count = {"tool": "count_words", "arguments": {"text": "{% $input %}"}}
    wrong = {"tool": "count_words", "arguments": {"text": 3}}
    body = an_agent_body(
        tools=[{"tool": "text_tools.count_words"}],
        rehearsal=turns(wrong, count, say="{% $string($last.count_words) %}"),
    )
    with a_laptop(checkout) as client:
        published = wait_for(
            lambda: next((t for t in client.get("/tools").json()["tools"] if "." in t["name"]), None), 60
        )
        assert (published["name"], published["effect"]) == ("text_tools.count_words", "none")
        registered = client.post("/agents", json=body)
        assert registered.status_code == 201, registered.text
        ended = client.post("/agents/helper/runs?wait=25", json={"input": "one two three"}).json()
        assert (ended["status"], ended["output"]) == ("COMPLETED", "3"), ended
        misspelt = an_agent_body(id="other", tools=[{"tool": "text_tools.count_wrods"}])
        refused = client.post("/agents", json=misspelt)
        assert (refused.status_code, refused.json()["field"]) == (400, "tools.0.tool")
