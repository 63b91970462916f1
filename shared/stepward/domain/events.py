"""Map each journal record to the events that clients see, the same ones at each read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    CallItem,
    Cancel,
    Claimed,
    Condensed,
    Continued,
    Created,
    End,
    Ended,
    Inherited,
    Parked,
    Pause,
    Queued,
    Results,
    Resume,
    Sequenced,
    ToppedUp,
    Turn,
    Waiting,
)
from stepward.domain.run_queue import rank_of

Named = tuple[str, dict[str, Any]]


def events_of(run: str, item: Sequenced, calls: dict[str, CallItem]) -> list[dict[str, Any]]:
    """Turn one record into its events; ids are `run:seq:index`, so readers can deduplicate."""
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
            yield "run.created", _created(record)
        case Claimed():
            yield "run.claimed", {"writer": record.writer}
        case Turn():
            yield from _turn(record)
        case Results():
            yield from _results(record, calls)
        case Condensed():
            yield "context.condensed", _condensed(record)
        case Waiting():
            detail = {"detail": record.detail} if record.detail else {}
            yield "run.waiting", {"until": record.until, "reason": record.reason, **detail}
        case Cancel():
            yield "run.cancelling", {"by": record.by}
        case Ended():
            yield "run.ended", _end(record.end, None)
        case _:
            yield from _slot_events(record)


def _slot_events(record: AnyRecord) -> Iterator[Named]:
    """Return the events of records about a run's slot or money."""
    match record:
        case Inherited():
            yield "run.inherited", {"turns": len(record.history)}
        case Admitted():
            yield "run.admitted", {}
        case Queued():
            yield "run.queued", {"place": rank_of(record.position)}
        case Continued():
            yield "run.continued", {"epoch": record.epoch}
        case Parked():
            yield "run.parked", {"reason": record.reason, "calls": list(record.calls)}
        case ToppedUp():
            yield "run.topped_up", {"drawn_usd_micros": record.allowance.usd_micros}
        case Pause():
            yield "run.pausing", {"by": record.by}
        case Resume():
            yield "run.resuming", {"by": record.by}


def _created(record: Created) -> dict[str, Any]:
    data = record.model_dump(include={"agent", "version", "principal", "input", "priority", "rehearsed"})
    parent = {"parent": record.parent.run} if record.parent else {}
    fork = (
        {"fork_of": record.fork.model_dump(exclude_defaults=True, exclude={"family"})} if record.fork else {}
    )
    prompt = {"prompt": record.prompt.named} if record.prompt else {}
    return {**data, "in_line": record.position is not None, **parent, **fork, **prompt}


def _turn(record: Turn) -> Iterator[Named]:
    usage = record.reply.usage.model_dump()
    data: dict[str, Any] = {
        "turn": record.turn,
        "agent": record.agent,
        "model": record.model,
        "text": record.reply.text,
        "stop": record.reply.stop,
        "late": record.late,
    }
    spent = {"usage": usage, "cost_usd_micros": record.cost_usd_micros}
    tried = [one.model_dump() for one in record.reply.tried]
    yield (
        "turn.completed",
        {**data, **spent, **({"tried": tried} if tried else {}), **_response_cache(record)},
    )
    for call in record.reply.calls:
        arguments = call.arguments_text if call.arguments is None else call.arguments
        yield "tool.called", {"call": call.id, "tool": call.tool, "arguments": arguments}
    if record.end:
        yield "run.ended", _end(record.end, record.reply.text)


def _response_cache(record: Turn) -> dict[str, Any]:
    """Return whether the cache gave the reply, and what that saved; empty if it was not asked."""
    hit = record.reply.cache_hit
    if hit is None:
        return {"response_cache": {"hit": False}} if record.cache_missed else {}
    said = {"kept_at": hit.kept_at, "saved_usage": hit.usage.model_dump()}
    return {"response_cache": {"hit": True, **said, "saved_usd_micros": hit.saved_usd_micros}}


def _condensed(record: Condensed) -> dict[str, Any]:
    said = record.condensation
    return {
        "turn": record.turn,
        "agent": record.agent,
        "left_out_through": said.through,
        "kept": list(said.kept),
        "shortened_through": said.shortened_through,
        "text": said.text,
        "model": record.model,
        "usage": record.usage.model_dump(),
        "cost_usd_micros": record.cost_usd_micros,
        "error": record.error.model_dump() if record.error else None,
    }


def _results(record: Results, calls: dict[str, CallItem]) -> Iterator[Named]:
    for outcome in record.outcomes:
        stored = calls.get(outcome.call)
        result = outcome.result or (stored.result if stored else None)
        if result:
            yield "tool.completed", {"call": result.call, "tool": result.tool, "content": result.content,
                                     "ok": result.error is None, "error": result.error}  # fmt: skip
    if record.handed_over:
        told = record.handed_over.prompt
        named = {"prompt": told.named} if told else {}
        yield "run.handed_over", record.handed_over.model_dump(exclude={"prompt"}) | named


def _end(end: End, output: str | None) -> dict[str, Any]:
    error = end.error.model_dump() if end.error else None
    return {"status": end.status.value, "output": output, "error": error}
