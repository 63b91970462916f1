"""Data files and firing by hand, typed as a person would type them, on the whole cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from stepward.cli.main import invoke
from tests.local.patience import wait_for

pytestmark = pytest.mark.laptop
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Cli:
    monkeypatch.setenv("STEPWARD_URL", laptop.url)
    monkeypatch.setenv("STEPWARD_API_KEY", laptop.api_key)
    monkeypatch.chdir(tmp_path)

    def go(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return go


def output(api: httpx2.Client, shown: str) -> Any:
    run_id = json.loads(shown).get("last_run") or json.loads(shown)["run"]
    ended = wait_for(lambda: ((run := api.get(f"/runs/{run_id}").json())["ended_at"] and run) or None)
    return json.loads(ended["output"])


def test_a_file_goes_there_and_back_unchanged(cli: Cli, api: httpx2.Client, tmp_path: Path) -> None:
    body = bytes(range(256)) * 2_000
    (tmp_path / "picture.bin").write_bytes(body)
    assert cli("data", "put", "typed/a b/ä%.bin", "picture.bin")[:2] == (
        0,
        "typed/a b/ä%.bin: 512,000 bytes.\n",
    )
    assert cli("data", "get", "typed/a b/ä%.bin", "--out", "back.bin")[0] == 0
    assert (tmp_path / "back.bin").read_bytes() == body
    (tmp_path / "order.json").write_bytes(b'{"b": 1, "a": 1.50}\n')
    assert cli("data", "put", "typed-too/order.json", "order.json")[0] == 0
    assert cli("data", "get", "typed-too/order.json")[:2] == (0, '{"b": 1, "a": 1.50}\n')
    (listed,) = json.loads(cli("data", "ls", "typed/", "--json")[1])["files"]
    assert (listed["key"], listed["size_bytes"]) == ("typed/a b/ä%.bin", 512_000)
    assert cli("data", "get", "typed/none.csv")[0] != 0
    for climbing in ("/data/../other/x", "/data/a/%2e%2e/%2e%2e/other/x", "/data/a//b"):
        assert api.put(climbing, content=b"x").status_code in (400, 404)
    assert api.get("/data", params={"prefix": "../"}).status_code == 400


def test_a_file_fires_its_trigger(cli: Cli, api: httpx2.Client, tmp_path: Path, add: Any) -> None:
    said = {"ticket": "{% $event.content.ticket %}"}
    add("typed-files", "s3", s3={"prefix": "typed-in/", "suffix": ".json", "content": "json"}, input=said)
    (tmp_path / "1.json").write_text('{"ticket": "T-1"}', encoding="utf-8")
    code, out, err = cli("triggers", "fire", "typed-files", "--file", "1.json", "--json")
    assert (code, err, output(api, out)) == (0, "", {"ticket": "T-1"})
    (tmp_path / "1.txt").write_text("", encoding="utf-8")
    code, _, err = cli("triggers", "fire", "typed-files", "--file", "1.txt")
    assert (code, "'.json'" in err) == (2, True)


def test_an_event_fires_its_trigger(cli: Cli, api: httpx2.Client, add: Any) -> None:
    wanted = {"source": "shop", "detail_type": "order.typed", "detail": {"country": ["DE"]}}
    add("typed-events", "event", event=wanted, input={"order": "{% $event.detail.order %}"})
    event = json.dumps({"detail": {"order": "SO-1", "country": "DE"}})
    code, out, err = cli("triggers", "fire", "typed-events", "--event", event, "--json")
    assert (code, err, output(api, out)) == (0, "", {"order": "SO-1"})
    code, _, err = cli("triggers", "fire", "typed-events", "--event", '{"detail": {"country": "FR"}}')
    assert (code, "does not fit" in err) == (3, True)


def test_a_signed_call_fires_its_webhook(cli: Cli, api: httpx2.Client, add: Any) -> None:
    secret = add("typed-hook", "webhook", input={"order": "{% $event.body.order %}"})["secret"]
    code, out, _ = cli("triggers", "fire", "typed-hook", "-e", '{"order": 7}', "--secret", secret, "--json")
    assert (code, output(api, out)) == (0, {"order": 7})
    code, _, err = cli("triggers", "fire", "typed-hook", "-e", "{}", "--secret", "whsec_" + "A" * 43 + "=")
    assert (code, "NotAuthenticated" in err) == (3, True)
    assert "--secret" in cli("triggers", "fire", "typed-hook", "-e", "{}")[2]


def test_a_failing_template_is_told(cli: Cli, tmp_path: Path, add: Any) -> None:
    add("typed-fails", "s3", s3={"prefix": "typed-fails/"}, input={"x": "{% $error('no order') %}"})
    (tmp_path / "1.json").write_text("{}", encoding="utf-8")
    code, out, _ = cli("triggers", "fire", "typed-fails", "--file", "1.json")
    assert (code, "no order" in out) == (1, True)
