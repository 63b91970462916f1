"""Show workflows' runs, and the differences of versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from stepward.cli import output, run_view
from stepward.sdk import WorkflowDiff, WorkflowRun, WorkflowTask

LINE_CHARS = 110
_ENDED = {"COMPLETED": "green", "FAILED": "red", "SKIPPED": "dim"}


class TaskFeed:
    """Turn snapshots of a run into what is new since the last one."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[str, int]] = {}

    def changes(self, run: WorkflowRun) -> Iterator[WorkflowTask]:
        """Yield each task that has begun or ended since the last snapshot."""
        for task in sorted(run.get("tasks", []), key=_moment):
            standing = (task["status"], task.get("attempt", 1))
            if task["status"] == "PENDING" or self._shown.get(key_of(task)) == standing:
                continue
            self._shown[key_of(task)] = standing
            yield task


def progress(run: WorkflowRun) -> str:
    """Describe how many of the known tasks have ended."""
    tasks = run.get("tasks", [])
    ended = sum(task["status"] in _ENDED for task in tasks)
    return f"working… {ended:,} of {output.plural(len(tasks), 'task')} ended"


def key_of(task: WorkflowTask) -> str:
    """Return a task's name with its iteration, as `each.draft@each[3]`."""
    return f"{task['task']}@{task['at']}" if task.get("at") else task["task"]


def outcome(run: WorkflowRun) -> Iterator[Text]:
    """Yield a run's outcome: its output, its failures with reasons, and its sums."""
    if run.get("output") is not None:
        yield Text(output.plain(_spelt(run["output"])))
    error = run.get("error")
    if error:
        yield Text(f"{output.plain(error['code'])}: {output.plain(error['detail'])}", style="red")
    if (report := run.get("report")) is not None:
        for failed in report["errors"]:
            where = f"{failed['task']}@{failed['at']}" if failed.get("at") else failed["task"]
            # The failure that ended the run is printed above.
            if error is None or error["detail"] != f"{where}: {failed['detail']}":
                yield Text(output.plain(f"  {where}: {failed['code']}: {failed['detail']}"), style="red")
        recoveries = (
            ("stood in for", report["fell_back"], "yellow"),
            ("undone", report["undone"], "yellow"),
            ("could not be undone", report.get("not_undone", []), "red"),
        )
        for label, names, style in recoveries:
            if names:
                yield Text(output.plain(f"  {label}: {', '.join(names)}"), style=style)
    yield summary(run)


def summary(run: WorkflowRun) -> Text:
    """Format a run's status and usage in one line."""
    report = run.get("report")
    counts = report["counts"] if report else {}
    parts = [f"{number} {status.lower()}" for status, number in counts.items()]
    spent, aws = money(run)
    parts.append(f"{spent} + {aws} AWS")
    if took := duration(run["created_at"], run["ended_at"]):
        parts.append(took)
    return output.joined(output.status_text(run["status"]), Text("  " + " · ".join(parts), style="dim"))


def money(run: WorkflowRun) -> tuple[str, str]:
    """Format the cost of models and tools, and AWS's charge, each with inner runs."""
    cost = run["cost"]
    spent = cost["runs_usd_micros"] + cost["tool_usd_micros"]
    return output.usd(spent), output.usd(cost["runs_aws_usd_micros"] + cost["aws_usd_micros"])


def show_run(run: WorkflowRun) -> None:
    """Print a whole run, with one row per task."""
    own = {
        "deadline": None if run["ended_at"] else run["deadline_at"],
        "part of": run["parent"],
        "again": run.get("rerun_of"),
    }
    charge = {"charged": "no" if run.get("charged") is False else None}
    shared = run_view.shared_fields(run, own, charge)
    output.fields({**shared, "input": output.clip(output.as_line(run.get("input", "")), 200)})
    right = ("took", "tries", "cost", "AWS")
    table = output.table("task", "type", "status", *right, "", right=right)
    for task in run.get("tasks", []):
        cells = (key_of(task), task["type"], output.status_text(task["status"]))
        took = duration(task.get("started_at"), task.get("ended_at"))
        spent, aws = (
            output.usd(micros) if micros else ""
            for micros in (task.get("cost_usd_micros"), task.get("aws_usd_micros"))
        )
        more = (took, task.get("attempt", ""), spent, aws, output.clip(_remark(task)))
        table.add_row(*(output.as_cell(cell) for cell in (*cells, *more)))
    output.say("")
    output.show(table)
    output.say("")
    output.write_lines(outcome(run))


def duration(since: str | None, until: str | None) -> str:
    """Format the time between two moments of the API; empty if one is missing."""
    if since is None or until is None:
        return ""
    took_s = (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()
    if took_s < 1:
        return f"{round(took_s * 1000)} ms"
    if took_s < 120:
        return f"{took_s:.1f} s"
    minutes, seconds = divmod(round(took_s), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 120 else f"{minutes} min {seconds} s"


def _moment(task: WorkflowTask) -> tuple[str, int]:
    """Return the sort key of a task's last change.

    A foreach ends in the moment of its last item, and is shown after it.
    """
    depth = (task.get("at") or "").count("[")
    if ended_at := task.get("ended_at"):
        return ended_at, -depth
    return task.get("started_at") or "", depth


def task_line(task: WorkflowTask) -> Text:
    """Format a task's state in one line."""
    status = task["status"]
    if status == "RUNNING":
        again = f"  attempt {task['attempt']}" if task.get("attempt", 1) > 1 else ""
        remark = f"{task['type']}{again}  {_remark(task)}".rstrip()
        return output.joined(
            Text("  → ", style="cyan"), output.plain(key_of(task)), Text(f"  {remark}", "dim")
        )
    took = duration(task.get("started_at"), task.get("ended_at"))
    spent = output.usd(task["cost_usd_micros"]) if task.get("cost_usd_micros") else ""
    tail = "  ".join(part for part in (took, spent, output.clip(_remark(task), LINE_CHARS)) if part)
    mark = Text("  ← ", style=_ENDED.get(status, ""))
    return output.joined(
        mark,
        output.plain(key_of(task)),
        "  ",
        output.status_text(status),
        Text(f"  {output.plain(tail)}", "dim"),
    )


def _remark(task: WorkflowTask) -> str:
    """Say the one thing that a person wants to know of a task beside its state."""
    if error := task.get("error"):
        stood_in = "stood in for after " if task.get("fell_back") else ""
        return f"{stood_in}{error['code']}: {error['detail']}"
    if why := task.get("why"):
        return why
    if task["status"] == "RUNNING":
        return _waits_for(task)
    if task.get("output_bytes") is not None:
        return output.plural(task["output_bytes"], "byte")
    return output.as_line(task["output"]) if task.get("output") is not None else ""


def _waits_for(task: WorkflowTask) -> str:
    """Return the command or request that a waiting task needs, or its child run."""
    if approval := task.get("approval"):
        return f"stepward approvals show {approval}"
    if address := task.get("callback"):
        return f"POST {address}"
    return task.get("child", "")


def _spelt(output: object) -> str:
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, indent=2)


_LONG: Final = frozenset({"levels"})
"""Fields of a plan that repeat the tasks and edges above."""


def lines_of(found: WorkflowDiff) -> Iterator[Text]:
    """Yield the difference part by part, without empty parts."""
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
    """Format a value of a plan for people: bounds, money and times."""
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
    # The value is printed in seconds, so the name must not end with milliseconds.
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
