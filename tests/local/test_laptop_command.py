"""`up` as a person meets it: it tells what to do, and whatever ends it, nothing stays behind."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import stopping
from infra.local import up as up_command
from infra.local.__main__ import main
from infra.local.executor import Trouble
from stepward.testing.fake_llm import FakeProvider

ROOT = Path(__file__).resolve().parents[2]
UP = [sys.executable, "-m", "infra.local", "up"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield int(other.getsockname()[1])


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Give the test's process its own handlers back when a command has taken them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("option", ["--port", "--aws-port"])
def test_a_port_in_use_is_told_with_the_way_out(taken_port: int, tmp_path: Path, option: str) -> None:
    ports = {"--port": "0", "--aws-port": "0", option: str(taken_port)}
    command = [*UP, "--state-dir", str(tmp_path), *(word for pair in ports.items() for word in pair)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2
    assert f"Port {taken_port} is in use" in done.stderr
    assert f"{option} {taken_port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--port", "99999"], "99999 is no port"),
        (["--port=-5"], "-5 is no port"),
        (["--aws-port", "many"], "many is no port"),
        (["--port", "8499", "--aws-port", "8499"], "cannot both be 8499"),
        (["--state-dir", str(Path(__file__))], "cannot be written to"),
        (["--state-dir", "/proc/nowhere"], "cannot be written to"),
    ],
)
def test_an_option_that_cannot_be_is_told_in_a_line(
    options: list[str], told: str, capsys: pytest.CaptureFixture[str], own_signals: None
) -> None:
    try:
        status: object = main(["up", *options])
    except SystemExit as ended:
        status = ended.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert told in " ".join(err.split())  # it is wrapped for narrow terminals
    assert "Traceback" not in err


def test_troubles_after_a_signal_are_no_troubles(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(stopping, "_stopping", ended)
    trouble = Trouble("echo", "crashed", "Runtime.ExitError: killed", tmp_path)
    up_command._tell(trouble, as_json=False)
    ended.set()
    up_command._tell(trouble, as_json=False)
    assert capsys.readouterr().out.count("crashed") == 1


@pytest.mark.laptop
@pytest.mark.soak
def test_the_demo_with_a_model_asks_its_provider_and_says_what_it_cost() -> None:
    with FakeProvider() as provider:
        options = ["--model", "claude-haiku-5-5", "--provider-url", provider.url, "--json"]
        command = [sys.executable, "-m", "infra.local", "demo", *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        asked = {request.model for request in provider.requests}
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["right"], told["of"], asked) == (14, 14, {"claude-haiku-5-5"})
    assert all(ticket["cost_usd_micros"] > 0 for ticket in told["tickets"])


@pytest.mark.laptop
def test_demo_as_json_prints_one_document_at_the_end() -> None:
    command = [sys.executable, "-m", "infra.local", "demo", "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stderr is not None
        demo.stderr.readline()
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr == "Another demo runs in this checkout; wait for its end.\n"
        out, err = demo.communicate(timeout=180)
    assert demo.returncode == 0, err
    told = json.loads(out)
    assert told["right"] == told["of"] == len(told["tickets"]) > 0
    assert [ticket["came_by"] for ticket in told["tickets"]].count("S3") == 1
    assert {"ticket", "answer", "status", "cost_usd_micros"} <= set(told["tickets"][0])


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            child = int(file.parent.name)
            found |= {child} | descendants(child)
    return found


def test_the_commands_explain_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("up", "demo", "bench", "Ctrl-C"))
