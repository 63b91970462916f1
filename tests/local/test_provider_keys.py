"""Keys of providers on a laptop: they go from the environment into its Secrets Manager, and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import httpx2
import pytest

from infra.local.executor.spec import FunctionSpec
from infra.local.executor.worker import worker_environment
from infra.local.faults import LaptopError, UnusableOption
from infra.local.laptop import LaptopOptions
from infra.local.provider_keys import take
from tests.local.test_laptop_command import ROOT, UP, descendants
from tests.support.builders import an_agent_body

PLANTED = "sk-planted-0123456789"
HOUSE = 'providers.house={kind="openai-chat", url="http://127.0.0.1:9", key_env="HOUSE_KEY"}'


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "HOUSE_KEY"):
        monkeypatch.setenv(name, "")


def test_keys_are_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", f" {PLANTED}\n")
    monkeypatch.setenv("HOUSE_KEY", "sk-house")
    assert take([HOUSE]) == {"anthropic": PLANTED, "house": "sk-house"}
    assert not {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "HOUSE_KEY"} & set(os.environ)
    assert take([HOUSE]) == {}


def test_what_no_entry_names_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSE_KEY", "sk-house")
    assert take() == {}
    assert os.environ["HOUSE_KEY"] == "sk-house"


def test_two_entries_may_name_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", PLANTED)
    assert take([HOUSE.replace("HOUSE_KEY", "OPENAI_API_KEY")]) == {"openai": PLANTED, "house": PLANTED}


def test_what_is_no_key_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", f"{PLANTED}\n{PLANTED}")
    with pytest.raises(UnusableOption, match="ANTHROPIC_API_KEY holds no key") as told:
        take()
    assert PLANTED not in str(told.value)


def test_wrong_settings_are_told_as_everywhere() -> None:
    with pytest.raises(LaptopError, match="unknown word"):
        take(['providers.house={kind="openai", urll="x"}'])


def test_options_show_no_key() -> None:
    assert PLANTED not in repr(LaptopOptions(provider_keys={"anthropic": PLANTED}))


def test_a_function_has_nothing_of_this_machines_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLANTED)
    spec = FunctionSpec("advance", "rooms.echo.handle", tmp_path, environment={"STAGE": "laptop"})
    given = worker_environment(spec, "127.0.0.1:1", "ASIA", "http://127.0.0.1:2")
    assert PLANTED not in str(given)
    assert given["STAGE"] == "laptop"


def environments(pids: set[int]) -> bytes:
    """What processes began with, and what they are called with."""
    found = b""
    for pid in pids:
        try:
            found += Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def secret(endpoint: str, name: str) -> Any:
    client = boto3.client(
        "secretsmanager",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="laptop",
        aws_secret_access_key="laptop",
    )
    return json.loads(client.get_secret_value(SecretId=name)["SecretString"])


def providers(state: Path, *words: str, value: str = "", code: int = 0) -> str:
    """Run `stepward providers` against the laptop of a folder."""
    command = [sys.executable, "-c", "from stepward.cli.entry import main; main()", "providers", *words]
    environment = {**os.environ, "STEPWARD_STATE_DIR": str(state), "PYTHONPATH": str(ROOT / "shared")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=value, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.mark.laptop
def test_a_key_is_in_the_secrets_and_in_nothing_else(tmp_path: Path) -> None:
    state, data = tmp_path / "state", tmp_path / "data"
    command = [*UP, "--json", "--port", "0", "--state-dir", str(state), "--data", str(data), f"--set={HOUSE}"]
    keys = {"ANTHROPIC_API_KEY": PLANTED, "HOUSE_KEY": f"{PLANTED}-house"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        assert up.stdout is not None
        line = up.stdout.readline()
        assert line, up.stderr and up.stderr.read()
        told = json.loads(line)
        assert json.loads((state / "laptop.json").read_text()).items() <= told.items()
        for provider, key in (("anthropic", PLANTED), ("house", f"{PLANTED}-house")):
            found = secret(told["endpoint"], f"stepward/laptop/providers/{provider}/shared")
            assert found == {"keys": [{"id": "environment", "value": key}]}
        headers = {"Authorization": f"Bearer {told['api_key']}"}
        with httpx2.Client(base_url=told["url"], headers=headers, trust_env=False, timeout=30) as client:
            assert client.post("/agents", json=an_agent_body(id="spoken")).status_code == 201
            run = client.post("/agents/spoken/runs", params={"wait": 25}, json={"input": "hello"}).json()
            events = client.get(f"/runs/{run['id']}/events").text
        said = providers(state, "add", "anthropic", "--id", "second", value=f"{PLANTED}-second")
        said += providers(state, "ls")
        of_entry = providers(state, "set", "house", value=f"{PLANTED}-third")
        slip = providers(state, "set", "hause", value=f"{PLANTED}-third", code=1)
        begun = environments(descendants(up.pid))
        up.terminate()
        rest, troubles = up.communicate(timeout=120)
    assert (rest, up.returncode) == ("", 0), "as JSON, it is one object and nothing else"
    assert run["status"] == "COMPLETED"
    assert "…cond" in said
    assert "house" in of_entry
    assert "\n".join(of_entry.splitlines()[1:]).count("…hird") == 1
    assert "did you mean 'house'?" in slip
    assert b"zygote" in begun
    files = [path for folder in (state, data) for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"agent_advance.log", "http-api.log"}
    kept = b"".join(path.read_bytes() for path in files)
    for place in (begun, kept, (line + rest + troubles + said + events).encode()):
        assert PLANTED.encode() not in place
