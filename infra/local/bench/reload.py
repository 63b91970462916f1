"""`bench reload`: how long after an edit is saved the first answer comes from the new code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx2

from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT

SOURCES = ("functions", "shared", "statemachines", "infra", "cdk.json", "pyproject.toml", "requirements.lock")
PLACES = {"room": "functions/health/handler.py", "package": "shared/stepward/__init__.py"}
_FIRST_LINE = "from __future__ import annotations\n"
_LIMIT_S = 60.0
_POLL_S = 0.02


def reload(*, times: int) -> int:
    """Edit a copy of this checkout while its laptop runs, and time until the edit shows."""
    with tempfile.TemporaryDirectory() as folder:
        root = copy_checkout(Path(folder) / "checkout")
        with _up(root) as told, httpx2.Client(base_url=told["url"], trust_env=False, timeout=20) as client:
            client.get("/api/health").raise_for_status()
            key = {"Authorization": f"Bearer {told['api_key']}"}
            spans_s = {
                name: _rounded(
                    _until_live(root / place, client, key, f"{name}-{turn}") for turn in range(times)
                )
                for name, place in PLACES.items()
            }
    print(json.dumps(spans_s, indent=2))
    return 0


def copy_checkout(root: Path) -> Path:
    """Copy what the laptop is made of, so that it can be edited."""
    root.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root / name)
    return root


@contextmanager
def _up(root: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "infra.local", "up", "--port", "0", "--json"]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [*command, "--state-dir", str(root / "state")],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _ready(process.stdout)
        finally:
            process.terminate()


def _ready(lines: IO[str] | None) -> dict[str, Any]:
    told = "".join(lines.readline() for _ in range(1)) if lines is not None else ""
    if not told.strip():
        raise LaptopError("the laptop of the copy did not start")
    facts: dict[str, Any] = json.loads(told)
    return facts


def _rounded(found: Iterable[tuple[float, float]]) -> dict[str, list[float]]:
    lightest, heavy = zip(*found, strict=True)
    return {
        "first_answer_s": [round(took_s, 2) for took_s in sorted(lightest)],
        "three_rooms_s": [round(took_s, 2) for took_s in sorted(heavy)],
    }


def _until_live(file: Path, client: httpx2.Client, key: dict[str, str], mark: str) -> tuple[float, float]:
    text = file.read_text(encoding="utf-8")
    file.write_text(_marked(text, mark), encoding="utf-8")
    started_s = time.monotonic()
    _wait(lambda: client.get("/api/health").json()["stage"] == mark)
    took_s = time.monotonic() - started_s
    client.get("/agents", headers=key).raise_for_status()
    two_more_s = time.monotonic() - started_s
    file.write_text(text, encoding="utf-8")
    _wait(lambda: client.get("/api/health").json()["stage"] != mark)
    return took_s, two_more_s


def _marked(text: str, mark: str) -> str:
    line = f"import os; os.environ['STAGE'] = {mark!r}\n"
    if _FIRST_LINE in text:
        return text.replace(_FIRST_LINE, _FIRST_LINE + line, 1)
    return text + line


def _wait(question: Callable[[], bool]) -> None:
    end_s = time.monotonic() + _LIMIT_S
    while not question():
        if time.monotonic() > end_s:
            raise LaptopError(f"the edit was not live within {_LIMIT_S:.0f} s")
        time.sleep(_POLL_S)
