"""Runs command lines in this process, in an empty folder, against a stage that answers from a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stepward.cli import connection
from stepward.cli.connection import Target
from stepward.cli.main import invoke
from stepward.sdk import Stepward
from tests.unit.sdk.fake_api import Answer, FakeApi


@dataclass
class Outcome:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def bare_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("STEPWARD_URL", "STEPWARD_API_KEY", "STEPWARD_STATE_DIR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def go(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = invoke(arguments)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return go


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeApi]:
    """Make a stage that every command finds; answers are given in turn."""

    def make(*answers: Answer) -> FakeApi:
        api = FakeApi(list(answers))

        def open_client(target: Target, timeout_s: float = 30.0) -> Stepward:
            del timeout_s
            return api.client(target.url, target.api_key)

        monkeypatch.setattr(connection, "open_client", open_client)
        monkeypatch.setenv("STEPWARD_URL", "http://127.0.0.1:8400")
        monkeypatch.setenv("STEPWARD_API_KEY", "sw_test")
        return api

    return make


@pytest.fixture
def laptop_file(bare_folder: Path) -> Callable[..., Path]:
    """Write the file that a running laptop keeps."""

    def write(**changes: Any) -> Path:
        path = bare_folder / ".stepward" / "laptop.json"
        (path.parent / "logs").mkdir(parents=True, exist_ok=True)
        known = {
            "url": "http://127.0.0.1:8400",
            "api_key": "sw_laptop",
            "tenant": "acme",
            "log_dir": ".stepward/logs",
        }
        path.write_text(json.dumps({**known, **changes}), encoding="utf-8")
        return path

    return write
