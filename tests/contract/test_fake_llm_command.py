"""`stepward fake-llm` as a process: it says where it listens, plays the bundled rehearsal, and ends when it is told to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest

from stepward.cli.exit_codes import USAGE
from stepward.cli.main import invoke
from stepward.testing.fake_llm import FakeProvider


@contextmanager
def _running(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [
        sys.executable,
        "-c",
        "from stepward.cli.entry import main; main()",
        "fake-llm",
        "--json",
        *words,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        told = json.JSONDecoder()
        text = ""
        while not text.endswith("\n}\n"):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            text += line
        yield process, told.decode(text)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_plays_the_bundled_rehearsal_until_it_is_told_to_end(number: signal.Signals) -> None:
    with _running("--fault", "529:1") as (process, told):
        assert told["environment"]["ANTHROPIC_BASE_URL"] == told["url"]
        with anthropic.Anthropic(base_url=told["url"], api_key="any", max_retries=1) as client:
            reply = client.messages.create(
                model="claude-haiku-5-5",
                max_tokens=800,
                tools=[{"name": "find_ticket", "input_schema": {"type": "object"}}],
                messages=[{"role": "user", "content": '{"ticket_id": "T-1001"}'}],
            )
        (use,) = (block for block in reply.content if block.type == "tool_use")
        assert (use.name, use.input) == ("find_ticket", {"key": "T-1001"})
        process.send_signal(number)
        assert process.wait(30) == 0
        assert process.communicate() == ("", "")


def test_it_plays_a_script(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- text: First.\n- text: Second.\n  repeat: true\n")
    with (
        _running("--script", str(script)) as (_, told),
        anthropic.Anthropic(base_url=told["url"], api_key="any") as client,
    ):
        texts = [
            client.messages.create(
                model="claude-haiku-5-5", max_tokens=8, messages=[{"role": "user", "content": "Hi."}]
            ).content[0]
            for _ in range(3)
        ]
    assert [block.text for block in texts if block.type == "text"] == ["First.", "Second.", "Second."]


def test_a_port_that_is_taken_is_named(provider: FakeProvider, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["fake-llm", "--port", str(provider.port)]) == USAGE
    assert f"Port {provider.port} is not available" in capsys.readouterr().err


_WITHOUT_SDKS = """
import sys
import httpx2

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"anthropic", "openai", "boto3", "botocore", "typer", "rich", "werkzeug", "websockets", "moto"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
from stepward.testing.fake_llm import FakeProvider

tool = {"type": "function", "function": {"name": "find_ticket", "parameters": {"type": "object"}}}
body = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "T-1001"}], "tools": [tool]}
with FakeProvider() as provider:
    answer = httpx2.post(f"{provider.openai_url}/chat/completions", json=body, headers={"authorization": "Bearer any"})
    print(answer.json()["choices"][0]["message"]["content"])
"""


def test_it_needs_no_sdk_and_nothing_of_the_laptop() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _WITHOUT_SDKS], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("I will read ticket T-1001 first.\n", "")
