"""Says in words what an agent's run waits for, since when and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepward.cli import output
from stepward.sdk import Run

_PROVIDER: Final = {
    "ProviderThrottled": "the provider wants fewer calls",
    "ProviderUnavailable": "the provider does not answer",
    "StreamCut": "a reply broke off, and is asked for again",
}


def wait_fields(run: Run) -> dict[str, str | None]:
    """Write what a run waits for, for `output.fields`.

    Args:
        run: As the API shows it; an older stage tells neither why nor how long.

    Returns:
        Names and values; empty for a run that waits for nothing.
    """
    waiting = run.get("waiting_for")
    if not waiting:
        return {}
    since = waiting.get("since")
    return {
        "waits for": _words(run, waiting),
        "since": f"{since} ({output.age(since)})" if since else None,
        "until": waiting.get("until"),
    }


def _words(run: Run, waiting: Mapping[str, Any]) -> str:
    match waiting["what"]:
        case "pause":
            return f"the word to go on: stepward runs resume {run['id']}"
        case "slot":
            return f"a free slot, at {waiting.get('place')} priority: stepward status shows how many wait"
        case "provider":
            return _provider(waiting)
        case "answers":
            return _answers(waiting)
        case other:
            return str(other)


def _provider(waiting: Mapping[str, Any]) -> str:
    code = str(waiting.get("reason"))
    if waiting.get("own_limit"):
        said = "its turn at the provider: we hold calls back, by a limit or after failures"
    else:
        said = _PROVIDER.get(code, "the provider")
    detail = f": {waiting['detail']}" if waiting.get("detail") else ""
    return f"{said} ({code}{detail})"


def _answers(waiting: Mapping[str, Any]) -> str:
    runs = waiting.get("runs", {})
    others = [call for call in waiting.get("calls", []) if call not in runs]
    said = [f"the run {run} ({call})" for call, run in runs.items()]
    if others:
        said.append(f"an answer to {', '.join(others)}: stepward approvals ls shows what people are asked")
    return "; ".join(said)
