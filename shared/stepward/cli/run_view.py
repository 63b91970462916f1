"""Show agents' runs: lists, reasons for waiting, and shortened conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard, cast

from rich.text import Text

from stepward.cli import output
from stepward.sdk import Event, Run, Stepward, WorkflowRun


def show_runs(runs: list[Run | WorkflowRun]) -> None:
    """Print one row per run: id, owner, status, who answers, cost and age.

    In a narrow window the owner and who answers are printed below the rest: no name is broken.
    """
    wide = output.table("run", "of", "status", "by", "cost", "age", right=("cost", "age"))
    narrow = output.table("run", "status", "cost", "age", right=("cost", "age"))
    for run in runs:
        run_id, status, figures = output.as_cell(run["id"]), output.status_text(run["status"]), _figures(run)
        wide.add_row(run_id, _whose(run), status, output.as_cell(answered_by(run)), *figures)
        narrow.add_row(run_id, status, *figures)
    if output.fits(wide) or not output.fits(narrow):
        output.show(wide)
    else:
        output.show_with_notes(narrow, [_note(run) for run in runs])


def show_status(run: Run | WorkflowRun, hint: str | None = None, *, as_json: bool, **more: str) -> None:
    """Print a run as JSON, or its id and status.

    Args:
        run: The run.
        hint: What to do next, as `Follow it: stepward runs tail ID`.
        as_json: Print the whole run as JSON.
        more: Further fields.
    """
    if as_json:
        output.write_json(run)
        return
    output.fields({"run": run["id"], "status": output.status_text(run["status"]), **more})
    if hint:
        output.say(hint, style="dim")


def show_started(run: Run | WorkflowRun, group: str, *, as_json: bool) -> None:
    """Print a run that was started and is not followed; `group` has the command `tail`."""
    show_status(run, f"Follow it: stepward {group} tail {run['id']}", as_json=as_json)


def show_left_running(run_id: str, group: str) -> None:
    """Print after Ctrl-C that the run goes on; `group` has the commands `tail` and `cancel`."""
    output.err().print(
        f"\nThe run goes on. Follow it: stepward {group} tail {run_id} · "
        f"stop it: stepward {group} cancel {run_id}",
        soft_wrap=True,
    )


def _note(run: Run | WorkflowRun) -> Text:
    by = answered_by(run)
    return output.joined("  ", _whose(run), Text(f" · {output.plain(by)}" if by else "", style="dim"))


def _figures(run: Run | WorkflowRun) -> tuple[str, str]:
    return output.usd(run["totals"]["cost_usd_micros"]), output.age(run["created_at"])


def shared_fields(
    run: Run | WorkflowRun, own: Mapping[str, object], charge: Mapping[str, object]
) -> dict[str, object]:
    """Return the fields that runs of both kinds show, for `output.fields`.

    Args:
        run: As the API shows it.
        own: The fields of its kind, after the run's times.
        charge: The fields about charging, after who answers.
    """
    kind = "workflow" if is_of_workflow(run) else "agent"
    return {
        "run": run["id"],
        kind: f"{cast('Mapping[str, str]', run)[kind]} {run['version']}",
        "created": run["created_at"],
        "ended": run["ended_at"],
        **own,
        "answered by": answered_by(run) or None,
        **charge,
        "principal": run["principal"],
    }


def is_of_workflow(run: Run | WorkflowRun) -> TypeGuard[WorkflowRun]:
    """Return True for a workflow's run; an older stage does not send `kind`."""
    return "workflow" in run


def answered_by(run: Run | WorkflowRun) -> str:
    """Return who answers a run; empty where that is not known yet, or the stage is older."""
    if not is_of_workflow(run):
        return cast("Run", run).get("answered_by") or ""
    if run.get("rehearsed"):
        return "rehearsal"
    return "models" if run["cost"]["runs_usd_micros"] else ""


def _whose(run: Run | WorkflowRun) -> Text:
    if is_of_workflow(run):
        return output.joined(Text("workflow ", style="dim"), f"{run['workflow']} {run['version']}")
    agent = cast("Run", run)
    return Text(output.plain(f"{agent['agent']} {agent['version']}"))


_PROVIDER: Final = {
    "ProviderThrottled": "the provider wants fewer calls",
    "ProviderUnavailable": "the provider does not answer",
    "StreamCut": "a reply broke off, and is asked for again",
}


def wait_fields(run: Run) -> dict[str, str | None]:
    """Return what a run waits for, for `output.fields`.

    Args:
        run: As the API shows it; an older stage sends neither the reason nor the time.

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


_CONDENSED: Final = "agent.context.condensed"
_MOST_PAGES: Final = 50


def decisions(stepward: Stepward, run: Run) -> list[Event]:
    """Read a run's events about a shortened conversation.

    A rehearsal sees everything, and a run of one turn has nothing to leave out.

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
    """Print one row per shortening of the conversation."""
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
    by = str(data.get("model") or (f"none: {error['code']}" if error else "none"))
    through = int(data.get("left_out_through") or 0)
    left_out = through - sum(turn <= through for turn in data.get("kept") or ())
    return at, str(data["turn"]), str(left_out), by, output.usd(int(data.get("cost_usd_micros") or 0))
