"""Format a run's events as lines for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.text import Text

from stepward.cli.commands_for_routes import in_commands
from stepward.cli.output import (
    as_line,
    clip,
    joined,
    plain,
    plural,
    print_wrapped_text,
    status_text,
    usd,
    write_lines,
)
from stepward.sdk import Event, Run

Data = dict[str, Any]
LINE_CHARS = 110


def lines_of(event: Event) -> list[Text]:
    """Format one event; one of an unknown type is shown by its name."""
    writer = _WRITERS.get(event["type"])
    if writer is None:
        return [Text(f"  {plain(event['type'])}", style="dim")]
    return writer(event["data"])


def summary(run: Run) -> Text:
    """Format a run's outcome and usage in one line."""
    totals = run["totals"]
    tokens = f"{totals['input_tokens']:,} + {totals['output_tokens']:,} tokens"
    parts = [
        plural(totals["turns"], "turn"),
        plural(totals["tool_calls"], "tool call"),
        tokens,
        usd(totals["cost_usd_micros"]),
    ]
    if hits := totals.get("response_cache_hits"):
        parts.append(f"{hits} from the response cache, saved {usd(totals['saved_usd_micros'])}")
    if run.get("rehearsed"):
        parts.append("rehearsed: no model was called or paid")
    elif models := run.get("answered_by"):
        parts.append(plain(models))
    return joined(status_text(run["status"]), Text("  " + " · ".join(parts), style="dim"))


def show_verdict(run: Run) -> None:
    """Print a run's answer, or the reason why there is none, and its usage."""
    if run.get("output"):
        write_lines([Text(plain(run["output"]))])
    if error := run.get("error"):
        print_wrapped_text(
            Text(f"{plain(error['code'])}: {in_commands(plain(error['detail']))}", style="red")
        )
    print_wrapped_text(summary(run))


def _created(data: Data) -> list[Text]:
    return [Text(f"  input   {clip(as_line(data.get('input', '')), LINE_CHARS)}", style="dim")]


def _claimed(_data: Data) -> list[Text]:
    return []


def _turn(data: Data) -> list[Text]:
    head = Text(f"  turn {data.get('turn', '?'):<3}", style="bold")
    spent = Text(f"  {usd(int(data.get('cost_usd_micros') or 0))}", style="dim")
    cached = data.get("response_cache") or {}
    if cached.get("hit"):
        saved = usd(int(cached.get("saved_usd_micros") or 0))
        spent = Text(f"  from the response cache, saved {saved}", style="dim")
    said = data.get("text") or ("(calls tools)" if data.get("stop") == "tools" else "(no text)")
    return [joined(head, clip(said, LINE_CHARS), spent), *_tried(data)]


def _tried(data: Data) -> list[Text]:
    """Format the models that failed before a fall-back answered."""
    tried = [f"{one.get('model', '?')} ({one.get('error', '?')})" for one in data.get("tried") or ()]
    line = f"     {plain(', '.join(tried))} did not answer, {plain(data.get('model', '?'))} did"
    return [Text(line, style="yellow")] if tried else []


def _topped_up(data: Data) -> list[Text]:
    drawn = usd(int(data.get("drawn_usd_micros") or 0))
    return [Text(f"  draws {drawn} more from its budgets", style="dim")]


def _called(data: Data) -> list[Text]:
    call = f"{data.get('tool', '?')} {as_line(data.get('arguments'))}"
    return [joined(Text("     → ", style="cyan"), clip(call, LINE_CHARS))]


def _completed(data: Data) -> list[Text]:
    good = bool(data.get("ok"))
    content = (
        data.get("content") if good else f"{data.get('error') or 'error'}: {as_line(data.get('content'))}"
    )
    mark = Text("     ← ", style="green" if good else "red")
    return [joined(mark, clip(f"{data.get('tool', '?')} {as_line(content)}", LINE_CHARS))]


def _condensed(data: Data) -> list[Text]:
    left_out, by = data.get("left_out_through"), data.get("model")
    what = f"leaves out turns up to {left_out}" if left_out else "cuts results of old turns short"
    return [Text(f"  {what}{f', summed up by {plain(by)}' if by else ''}", style="dim")]


def _waiting(data: Data) -> list[Text]:
    return [
        Text(f"  waits until {plain(data.get('until', '?'))}: {clip(data.get('reason', ''))}", style="yellow")
    ]


def _cancelling(data: Data) -> list[Text]:
    return [Text(f"  cancelled by {plain(data.get('by', '?'))}", style="magenta")]


def _inherited(data: Data) -> list[Text]:
    return [
        Text(f"  goes on after {plural(int(data.get('turns') or 0), 'turn')} of another run", style="dim")
    ]


def _pausing(data: Data) -> list[Text]:
    return [Text(f"  paused by {plain(data.get('by', '?'))}", style="magenta")]


def _resuming(data: Data) -> list[Text]:
    return [Text(f"  resumed by {plain(data.get('by', '?'))}", style="magenta")]


def _ended(data: Data) -> list[Text]:
    return [joined(Text("  ended   ", style="bold"), status_text(str(data.get("status", "?"))))]


_WRITERS: dict[str, Callable[[Data], list[Text]]] = {
    "agent.run.created": _created,
    "agent.run.claimed": _claimed,
    "agent.turn.completed": _turn,
    "agent.tool.called": _called,
    "agent.tool.completed": _completed,
    "agent.context.condensed": _condensed,
    "agent.run.topped_up": _topped_up,
    "agent.run.waiting": _waiting,
    "agent.run.cancelling": _cancelling,
    "agent.run.inherited": _inherited,
    "agent.run.pausing": _pausing,
    "agent.run.resuming": _resuming,
    "agent.run.ended": _ended,
}
