"""Writes the difference of two versions of a workflow as lines: - what was, + what is, ~ what is otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from rich.text import Text

from stepward.cli import output
from stepward.sdk import WorkflowDiff

_LONG: Final = frozenset({"levels"})
"""Of a plan: what the tasks and edges above say already."""


def lines_of(found: WorkflowDiff) -> Iterator[Text]:
    """Give the difference, part by part; a part without any is left out."""
    yield Text(output.plain(f"{found['workflow']} {found['before']} → {found['after']}"), style="bold")
    if found["same"]:
        yield Text("Both do the same.", style="green")
        return
    yield from _part("workflow", [_changed(one) for one in found["fields"]])
    yield from _part("tasks", list(_tasks(found)))
    order = [
        *(_minus(_edge(one)) for one in found["edges_removed"]),
        *(_plus(_edge(one)) for one in found["edges_added"]),
    ]
    yield from _part("order", order)
    yield from _part("plan", [_changed(one) for one in found["plan"] if one["field"] not in _LONG])
    yield from _part("reach", list(_reach(found)))


def shown_value(field: str, value: Any) -> str:
    """Spell a value of a plan: bounds, money and times as people say them."""
    match value:
        case None:
            return "nothing"
        case {"least": least, "most": most}:
            return f"{least:,}" if least == most else f"{least:,} to {most:,}"
        case {"least_usd_micros": int() as least, "most_usd_micros": most}:
            upper = "or more" if most is None else f"to {output.usd(most)}"
            return output.usd(least) if least == most else f"{output.usd(least)} {upper}"
        case int() if field.endswith("_ms"):
            return f"{value / 1000:,g} s"
        case [*names] if field == "critical_path":
            return ", ".join(map(str, names))
        case _:
            return output.as_line(value)


def _part(title: str, lines: list[Text]) -> Iterator[Text]:
    if lines:
        yield Text("")
        yield Text(title, style="bold")
        yield from lines


def _tasks(found: WorkflowDiff) -> Iterator[Text]:
    yield from (_minus(path) for path in found["tasks_removed"])
    yield from (_plus(path) for path in found["tasks_added"])
    for task in found["tasks_changed"]:
        yield Text(f"  ~ {output.plain(task['task'])}", style="yellow")
        for change in task["fields"]:
            yield _changed(change, indent="      ")


def _changed(change: dict[str, Any], indent: str = "  ~ ") -> Text:
    field = change["field"]
    was, now = (output.clip(shown_value(field, change[side]), 80) for side in ("before", "after"))
    # A time in milliseconds is spelled in seconds, so its name must not say otherwise.
    label = output.plain(field.removesuffix("_ms"))
    return Text(f"{indent}{label}: {was} → {now}", style="yellow" if "~" in indent else "")


def _edge(edge: dict[str, str]) -> str:
    why = "" if edge["why"] == "needs" else f"  ({edge['why']})"
    return f"{edge['before']} → {edge['after']}{why}"


def _reach(found: WorkflowDiff) -> Iterator[Text]:
    for side, write in (("removed", _minus), ("added", _plus)):
        for kind, names in found["permissions"][side].items():
            if names:
                yield write(f"{kind}: {', '.join(names)}")


def _minus(text: str) -> Text:
    return Text(f"  - {output.plain(text)}", style="red")


def _plus(text: str) -> Text:
    return Text(f"  + {output.plain(text)}", style="green")
