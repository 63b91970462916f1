"""Let a second `up` ask the laptop that runs already to deploy, through two files beside `laptop.json`."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

_ASKED = "deploy.asked.json"
_ANSWER = "deploy.answer.json"
_LOOK_S = 0.1


def ask(state_dir: Path, limit_s: float) -> tuple[bool, list[str]] | None:
    """Ask and wait; return success and what was done, or None without an answer."""
    wish = uuid.uuid4().hex
    _write(state_dir / _ASKED, {"id": wish})
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        answer = _read(state_dir / _ANSWER)
        if answer is not None and answer["id"] == wish:
            (state_dir / _ANSWER).unlink(missing_ok=True)
            return bool(answer["ok"]), list(answer["lines"])
        time.sleep(_LOOK_S)
    (state_dir / _ASKED).unlink(missing_ok=True)
    return None


def taken(state_dir: Path) -> str | None:
    """Take what was asked for, if somebody has asked."""
    asked = _read(state_dir / _ASKED)
    if asked is None:
        return None
    (state_dir / _ASKED).unlink(missing_ok=True)
    return str(asked["id"])


def answer(state_dir: Path, wish: str, lines: list[str], *, ok: bool) -> None:
    """Send the result to the process that asked."""
    _write(state_dir / _ANSWER, {"id": wish, "ok": ok, "lines": lines})


def _write(file: Path, content: dict[str, Any]) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(file)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return content
