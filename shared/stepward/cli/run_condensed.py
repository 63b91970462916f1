"""Shows when a run's model was shown less than was said: how much was left out, who summed it up, what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stepward.cli import output
from stepward.sdk import Event, Run, Stepward

_CONDENSED: Final = "agent.context.condensed"
_MOST_PAGES: Final = 50


def decisions(stepward: Stepward, run: Run) -> list[Event]:
    """Read them off a run's events; a rehearsal is shown everything, and a run of one turn has nothing to leave out.

    Args:
        stepward: The client.
        run: The run as the API shows it.
    """
    if "agent" not in run or run.get("rehearsed") is not False or run["totals"]["turns"] < 1:
        return []
    found, after = list[Event](), None
    for _ in range(_MOST_PAGES):
        page = stepward.events(run["id"], after=after)
        found += [event for event in page["events"] if event["type"] == _CONDENSED]
        if not page["events"]:
            break
        after = str(page["next"])
    return found


def show(found: Sequence[Event]) -> None:
    """Write a row a decision."""
    if not found:
        return
    right = ("from turn", "turns left out", "cost")
    table = output.table("shortened at", *right[:2], "summed up by", "cost", right=right)
    for event in found:
        table.add_row(*(output.as_cell(cell) for cell in _cells(event["time"], event["data"])))
    output.say("")
    output.show(table)


def _cells(at: str, data: dict[str, Any]) -> tuple[str, ...]:
    error = data.get("error")
    by = str(data.get("model") or (f"nobody: {error['code']}" if error else "nobody"))
    through = int(data.get("left_out_through") or 0)
    left_out = through - sum(turn <= through for turn in data.get("kept") or ())
    return at, str(data["turn"]), str(left_out), by, output.usd(int(data.get("cost_usd_micros") or 0))
