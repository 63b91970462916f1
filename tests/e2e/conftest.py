"""One laptop for all end-to-end tests: the real template, real Lambda processes, the real state machine."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.local.bench.called_site import CalledSite, called_site
from infra.local.laptop import Laptop, LaptopOptions
from stepward.testing.fake_llm import FakeProvider
from tests.e2e.ends import run_of
from tests.support.builders import an_agent_body

LIBRARY = Path(__file__).resolve().parents[2] / "shared" / "stepward" / "library"
REMEMBERING = (
    "agent_advance",
    "dispatch",
    "runs_api",
    "system_api",
    "task_run",
    "trigger_events",
    "webhooks",
    "workflows_api",
)
"""The rooms that keep limits for some seconds."""
_HELD_S = 60.0


_let_go = threading.Event()


class _Site(BaseHTTPRequestHandler):
    """A web site for `http_get`: well, held, hanging, flooding, redirecting, or dropping the line."""

    def do_GET(self) -> None:
        match self.path:
            case "/held":
                _let_go.wait(_HELD_S)
                self._answer(200, b"let go")
            case "/hang":
                time.sleep(20)
            case "/flood":
                self._answer(200, b"x" * 10_000_000)
            case "/away":
                self.send_response(302)
                self.send_header("Location", "http://192.0.2.1/")
                self.end_headers()
            case "/drop":
                self.connection.close()
            case "/large":
                rows = [{"id": n, "note": f"row {n}"} for n in range(5_000)]
                self._answer(200, json.dumps({"rows": rows}).encode(), "application/json")
            case _:
                self._answer(200, b"hello")

    def do_POST(self) -> None:
        """Tell what was heard."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        heard = {"path": self.path, "body": body, "key": self.headers["Idempotency-Key"]}
        self._answer(200, json.dumps(heard).encode(), "application/json")

    def _answer(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="package")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def let_go(site: str) -> Iterator[Callable[[], None]]:
    """Hold everybody who asks for the site's page `/held` until the test says so, or is over."""
    del site
    _let_go.clear()
    yield _let_go.set
    _let_go.set()


@pytest.fixture(scope="package")
def called() -> Iterator[tuple[CalledSite, str]]:
    """A site that tasks of workflows call when they start, and its address."""
    with called_site() as both:
        yield both


@pytest.fixture(scope="package")
def models() -> Iterator[FakeProvider]:
    """A provider on loopback behind every vendor's name: tell it what to answer by `script`, what goes wrong by `fault`."""
    with FakeProvider() as provider:
        yield provider


@pytest.fixture(scope="package")
def laptop(site: str, called: tuple[CalledSite, str], models: FakeProvider) -> Iterator[Laptop]:
    settings = (
        f"http_allow={json.dumps([site, called[1]])}",
        f"providers.anthropic.url={json.dumps(models.url)}",
        f"providers.openai.url={json.dumps(models.openai_url)}",
    )
    with Laptop(LaptopOptions(settings=settings)) as laptop:
        for path in (LIBRARY / "support" / "datasets").iterdir():
            put_dataset(laptop, path.name, path.read_bytes())
        yield laptop


@pytest.fixture(scope="package")
def api(laptop: Laptop) -> Iterator[httpx2.Client]:
    headers = {"Authorization": f"Bearer {laptop.api_key}"}
    limits = httpx2.Limits(max_connections=120)
    with httpx2.Client(base_url=laptop.url, headers=headers, timeout=60, limits=limits) as client:
        yield client


@dataclass(frozen=True)
class Tenant:
    """A tenant that no other test uses, and a client that asks as its owner."""

    name: str
    api: httpx2.Client


@pytest.fixture
def tenant(laptop: Laptop) -> Iterator[Tenant]:
    """Make a tenant of the test's own, so that its limits, budgets and status show nothing of other tests."""
    name = f"tenant-{uuid.uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {laptop.issue_key(name, 'owner')}"}
    with httpx2.Client(base_url=laptop.url, headers=headers, timeout=60) as client:
        yield Tenant(name, client)


def put_dataset(laptop: Laptop, name: str, body: bytes) -> None:
    bucket = laptop.physical_id("AWS::S3::Bucket")
    laptop.client("s3").put_object(Bucket=bucket, Key=f"tenants/acme/datasets/{name}", Body=body)


def forget_limits(laptop: Laptop) -> None:
    """Let rooms begin in new processes: those that run would know of changed limits and budgets within 15 seconds."""
    for spec in laptop.executor.functions():
        if spec.short_name in REMEMBERING:
            laptop.executor.register(spec)


@pytest.fixture
def run(api: httpx2.Client) -> Callable[..., dict[str, Any]]:
    """Register an agent under an id of its own and run it to its end; `said` is what its start says besides."""

    def run(given: Any = "hello", said: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
        body = an_agent_body(**changed)
        registered = api.post("/agents", json=body)
        assert registered.status_code in (200, 201), registered.text
        start = {"input": given, **(said or {})}
        return run_of(api, api.post(f"/agents/{body['id']}/runs", params={"wait": 25}, json=start))

    return run


@pytest.fixture
def add(api: httpx2.Client) -> Any:
    """Make a trigger for an agent that says what it was given; both go after the test."""
    made: list[str] = []

    def add(name: str, kind: str, **said: Any) -> dict[str, Any]:
        api.post(
            "/agents", json=an_agent_body(id="echo", rehearsal={"turns": [{"say": "{% $string($input) %}"}]})
        )
        answer = api.post("/triggers", json={"id": name, "kind": kind, "agent": "echo", **said})
        assert answer.status_code == 201, answer.text
        made.append(name)
        found: dict[str, Any] = answer.json()
        return found

    yield add
    for name in made:
        api.delete(f"/triggers/{name}")
