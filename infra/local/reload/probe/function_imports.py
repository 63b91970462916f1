"""Imports functions and returns what went wrong, so that a broken edit replaces nothing.

All functions are imported in one process, because most of the time goes into the package that they share.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def handle(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Import each function of the event, and return where and why imports failed.

    Args:
        event: `{function: {"code": folder, "environment": {...}}}`.
        context: Not used.

    Returns:
        `{function: place and reason}` of those that fail.
    """
    del context
    failures = {}
    for function, how in event.items():
        fault = _import(function, Path(how["code"]), how["environment"])
        if fault is not None:
            failures[function] = fault
    return failures


def _import(function: str, code: Path, environment: dict[str, str]) -> str | None:
    before = dict(os.environ)
    os.environ.update(environment)
    sys.path.insert(0, str(code))
    try:
        module = importlib.import_module(f"functions.{function}.handler")
    except BaseException as error:  # noqa: BLE001 - whatever a function raises is its answer, SystemExit too
        return f"{_place(error, code)}: {type(error).__name__}: {_message(error)}"
    finally:
        sys.path.remove(str(code))
        os.environ.clear()
        os.environ.update(before)
        _forget_functions()
    return (
        None
        if callable(getattr(module, "handle", None))
        else f"functions/{function}/handler.py:1: no `handle`"
    )


def _forget_functions() -> None:
    # The next function must not find this one.
    for name in [name for name in sys.modules if name.partition(".")[0] == "functions"]:
        del sys.modules[name]


def _place(error: BaseException, code: Path) -> str:
    """Name the line of ours that is nearest to the fault, as the checkout knows the file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_inside(error.filename, code)}:{error.lineno or 1}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _inside(frame.filename, code) != frame.filename]
    return f"{_inside(ours[-1].filename, code)}:{ours[-1].lineno}" if ours else str(code)


def _inside(filename: str, code: Path) -> str:
    path, layout = Path(filename), code.parent.parent
    if not path.is_relative_to(layout):
        return filename
    inside = path.relative_to(layout)
    if inside.parts[0] == code.parent.name:
        # The package was imported by way of the first function that needed it.
        inside = Path(*inside.parts[2:])
    return f"shared/{inside}" if inside.parts[0] == "stepward" else str(inside)


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)
