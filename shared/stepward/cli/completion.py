"""Complete ids on Tab by asking the stage; without an answer it completes nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Final

from stepward.cli import connection
from stepward.sdk import Stepward, StepwardError

ANSWERS_WITHIN_S: Final = 2.0
MOST_ASKED: Final = 100
Pairs = Iterable[tuple[str, str]]


def _completer(ask: Callable[[Stepward], Pairs]) -> Callable[[str], list[tuple[str, str]]]:
    """Return a completion function for Typer: ids, each with a description."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        try:
            url, key = os.environ.get("STEPWARD_URL"), os.environ.get("STEPWARD_API_KEY")
            with connection.connect(url, key, timeout_s=ANSWERS_WITHIN_S) as stepward:
                return [pair for pair in ask(stepward) if pair[0].startswith(incomplete)]
        except StepwardError:
            return []

    return complete


agents: Final = _completer(
    lambda stepward: (
        (one["id"], one.get("name") or "") for one in stepward.agents(limit=MOST_ASKED)["agents"]
    )
)
workflows: Final = _completer(
    lambda stepward: (
        (one["id"], one["name"]) for one in stepward.workflows.list(limit=MOST_ASKED)["workflows"]
    )
)
runs: Final = _completer(
    lambda stepward: ((one["id"], one["status"]) for one in stepward.runs(limit=MOST_ASKED)["runs"])
)
triggers: Final = _completer(
    lambda stepward: (
        (one["id"], one["kind"]) for one in stepward.triggers.list(limit=MOST_ASKED)["triggers"]
    )
)
approvals: Final = _completer(
    lambda stepward: ((one["id"], one["question"]) for one in stepward.approvals.list()["approvals"])
)
tools: Final = _completer(lambda stepward: ((one["name"], one["effect"]) for one in stepward.tools.list()))
files: Final = _completer(
    lambda stepward: (
        (one["key"], f"{one['size_bytes']} bytes") for one in stepward.data.list(limit=MOST_ASKED)["files"]
    )
)
