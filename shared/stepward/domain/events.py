"""What the outside sees of a run: each journal record becomes events, the same ones each time it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepward.domain.journal import (
    AnyRecord,
    CallItem,
    Cancel,
    Claimed,
    Created,
    End,
    Ended,
    Results,
    Sequenced,
    Turn,
    Waiting,
)

Named = tuple[str, dict[str, Any]]


def events_of(run: str, item: Sequenced, calls: dict[str, CallItem]) -> list[dict[str, Any]]:
    """Turn one record into its events; ids are `run:seq:index`, so a reader can drop what it has seen."""
    return [
        {
            "id": f"{run}:{item.seq}:{index}",
            "seq": item.seq,
            "type": f"agent.{name}",
            "time": item.record.at,
            "run": run,
            "data": data,
        }
        for index, (name, data) in enumerate(_named(item.record, calls))
    ]


def _named(record: AnyRecord, calls: dict[str, CallItem]) -> Iterator[Named]:
    match record:
        case Created():
            yield "run.created", record.model_dump(include={"agent", "version", "principal", "input"})
        case Claimed():
            yield "run.claimed", {"writer": record.writer}
        case Turn():
            yield from _turn(record)
        case Results():
            yield from _results(record, calls)
        case Waiting():
            yield "run.waiting", {"until": record.until, "reason": record.reason}
        case Cancel():
            yield "run.cancelling", {"by": record.by}
        case Ended():
            yield "run.ended", _end(record.end, None)


def _turn(record: Turn) -> Iterator[Named]:
    usage = record.reply.usage.model_dump()
    data = {"turn": record.turn, "text": record.reply.text, "stop": record.reply.stop, "late": record.late}
    yield "turn.completed", {**data, "usage": usage, "cost_usd_micros": record.cost_usd_micros}
    for call in record.reply.calls:
        arguments = call.arguments_text if call.arguments is None else call.arguments
        yield "tool.called", {"call": call.id, "tool": call.tool, "arguments": arguments}
    if record.end:
        yield "run.ended", _end(record.end, record.reply.text)


def _results(record: Results, calls: dict[str, CallItem]) -> Iterator[Named]:
    for outcome in record.outcomes:
        stored = calls.get(outcome.call)
        result = outcome.result or (stored.result if stored else None)
        if result:
            yield "tool.completed", {"call": result.call, "tool": result.tool, "content": result.content,
                                     "ok": result.error is None, "error": result.error}  # fmt: skip


def _end(end: End, output: str | None) -> dict[str, Any]:
    error = end.error.model_dump() if end.error else None
    return {"status": end.status.value, "output": output, "error": error}
