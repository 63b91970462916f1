"""The laptop serves the pages that `make docs` has built, or says how to build them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import httpx2
import pytest

from infra.local.deployer.resource import HttpApiParts
from infra.local.executor import Executor
from infra.local.gateway import DocsSite, GatewayServer, HttpApi


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "concepts").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>First</h1>")
    (folder / "404.html").write_text("<h1>Lost</h1>")
    (folder / "search.json").write_text("{}")
    (folder / "concepts" / "run.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def client(site: Path) -> Iterator[httpx2.Client]:
    gateway = GatewayServer(0, lambda _: None, DocsSite(site))
    api = HttpApi(HttpApiParts(apis={"A": {"ProtocolType": "HTTP"}}), Mock(spec=Executor))
    gateway.serve(api)
    with httpx2.Client(base_url=gateway.url, timeout=20, trust_env=False) as client:
        yield client
    gateway.close()


@pytest.mark.parametrize(
    ("path", "status", "kind", "body"),
    [
        ("/docs/", 200, "text/html; charset=utf-8", "<h1>First</h1>"),
        ("/docs/index.html?q=x", 200, "text/html; charset=utf-8", "<h1>First</h1>"),
        ("/docs/concepts/run%2Esvg", 200, "image/svg+xml", "<svg/>"),
        ("/docs/search.json", 200, "application/json", "{}"),
        ("/docs/none.html", 404, "text/html; charset=utf-8", "<h1>Lost</h1>"),
        ("/docs/concepts", 404, "text/html; charset=utf-8", "<h1>Lost</h1>"),
    ],
)
def test_pages_are_served(client: httpx2.Client, path: str, status: int, kind: str, body: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (status, kind, body)


def test_the_folders_name_leads_to_its_first_page(client: httpx2.Client) -> None:
    answer = client.get("/docs")
    assert (answer.status_code, answer.headers["location"]) == (308, "/docs/")


@pytest.mark.parametrize(
    "path", ["/docs/..%2Fsecret.txt", "/docs/../secret.txt", "/docs/link.txt", "/docs/%00"]
)
def test_nothing_outside_of_the_site_is_served(client: httpx2.Client, path: str) -> None:
    port = client.base_url.port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)) as raw:  # a client would take the `..` out
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"secret" not in answer


def test_a_site_that_is_not_built_is_answered_by_the_command_that_builds_it(
    client: httpx2.Client, site: Path
) -> None:
    (site / "index.html").unlink()
    answer = client.get("/docs/concepts/run.html")
    assert answer.status_code == 404
    assert "make docs" in answer.text
    (site / "index.html").write_text("<h1>Built</h1>")
    assert client.get("/docs/").text == "<h1>Built</h1>"


def test_all_else_is_the_apis(client: httpx2.Client) -> None:
    for answer in (client.get("/docsite"), client.post("/docs/"), client.get("/")):
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    head = client.head("/docs/")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "14")


@pytest.mark.usefixtures("laptop")
def test_the_laptop_has_it(http: httpx2.Client) -> None:
    answer = http.get("/docs/")
    assert re.search("make docs|<title>Stepward", answer.text)
