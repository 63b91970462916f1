"""Finalize a run that has ended: return what it holds, book its cost, answer its parent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from stepward.agents.approvals import close_those_of, has_asked
from stepward.agents.run_ports import RunPorts
from stepward.domain.conversation import ToolResult
from stepward.domain.costs import CostLine, added_up
from stepward.domain.errors import ToolFailed
from stepward.domain.journal import Turn
from stepward.domain.json_text import NotJson, read_json, without_mark
from stepward.domain.prompt_records import ArmCount
from stepward.domain.retries import is_transient
from stepward.domain.run_origins import Parent
from stepward.domain.run_state import RunState
from stepward.domain.runs import Closing, RunError, RunKey, RunStatus
from stepward.ports.clock import from_iso, iso
from stepward.ports.runs import Settlement
from stepward.ports.tasks import TaskOutcome

MOST_LINES: Final = 60
"""A transaction has room for a hundred items; the others are the head's, the slot's and the budgets'."""
REHEARSAL: Final = "rehearsal"
"""The model's name in cost lines of runs that paid for no model."""


@dataclass(frozen=True)
class Finalize:
    """Ends a run by what its journal says; safe to repeat, by any function."""

    ports: RunPorts

    def __call__(self, key: RunKey, state: RunState) -> None:
        """Close the head, return slot and money, book the cost, and notify."""
        end, parent = state.end, state.start.parent
        if end is None:
            return
        closing = Closing(
            status=end.status,
            ended_at=iso(self.ports.clock.now()),
            ended_seq=state.end_seq,
            error=end.error,
            totals=state.ledger.billed_totals(),
            aws=state.aws.cost(),
            models=models_of(state),
        )
        settlement = Settlement(
            closing=closing,
            slot=state.slot,
            position=state.position,
            parked=state.needs_slot and state.slot is None and state.parked is not None,
            returns=state.ledger.returns(),
            costs=tuple(cost_lines(state, closing.ended_at[:10])),
            arm=arm_count(state, closing),
            tells_others=parent is not None or has_asked(state),
        )
        freed = self.ports.runtime.close(key, settlement)
        if settlement.tells_others:
            self._tell_others(key, state, closing.ended_at)
        # Queued runs come after the parent that waits for this run: it may need the slot to continue.
        self.ports.wake_waiting(freed, key.tenant)

    def _tell_others(self, key: RunKey, state: RunState, at: str) -> None:
        """Answer the parent run, and close open approvals; safe to repeat."""
        if has_asked(state):
            close_those_of(self.ports.approvals, key, state, at)
        parent = state.start.parent
        if parent and parent.task:
            self.ports.tasks.answer(key.tenant, parent.run, parent.task, task_outcome(parent, key.run, state))
        elif parent:
            waiting = RunKey(tenant=key.tenant, run=parent.run)
            answer_call(self.ports, waiting, child_result(parent, key.run, state))
        self.ports.runtime.mark_notified(key)


def answer_call(ports: RunPorts, waiting: RunKey, result: ToolResult) -> bool:
    """Store the answer that a run waits for and wake its machine; False if another was first.

    time →   answer: result ✓ ─ token? ─ wake        dispatch: token ✓ ─ result? ─ wake
             the second of the two sees what the other has written, so the machine is always woken
    """
    kept = ports.journal.put_result(waiting, result)
    token = ports.tokens.of(waiting, result.call)
    if token:
        ports.machine.answer(token)
    return kept


def child_result(parent: Parent, run: str, state: RunState) -> ToolResult:
    """Show a run's end to the agent that asked for it."""
    end = state.end
    assert end is not None
    is_well = end.status is RunStatus.COMPLETED
    content: dict[str, Any] = {"run": run, "status": end.status.value}
    if is_well:
        content["output"] = state.history[-1].reply.text
    elif end.error:
        content |= {"error": end.error.code, "detail": end.error.detail}
    return ToolResult(
        call=parent.call,
        tool=parent.tool,
        content=content,
        error=None if is_well else (end.error.code if end.error else ToolFailed.__name__),
        child_usd_micros=max(
            0, state.ledger.spent_usd_micros + state.ledger.children_usd_micros + _unread(state)
        ),
        child_aws_usd_micros=state.aws.cost().usd_micros
        + state.ledger.children_aws_usd_micros
        + sum(result.child_aws_usd_micros for result in _unread_results(state)),
    )


def task_outcome(parent: Parent, run: str, state: RunState) -> TaskOutcome:
    """Show a run's end to the task of a workflow that it was."""
    result, end = child_result(parent, run, state), state.end
    assert end is not None
    error = end.error or RunError(code=ToolFailed.__name__, detail=f"the run ended as {end.status}.")
    is_well = result.error is None
    return TaskOutcome(
        output=output_of_text(result.content["output"]) if is_well else None,
        error=None if is_well else error,
        is_passing=end.status is RunStatus.RATE_LIMITED
        or (end.status is RunStatus.FAILED and is_transient(error.code)),
        cost_usd_micros=result.child_usd_micros,
        aws_usd_micros=result.child_aws_usd_micros,
        child=run,
    )


def output_of_text(text: str) -> Any:
    """Parse an answer that is a JSON object or list, so that later tasks can use its parts."""
    if not without_mark(text).lstrip().startswith(("{", "[")):
        return text
    try:
        return read_json(text)
    except NotJson:
        return text


def _unread(state: RunState) -> int:
    """Sum the cost of child runs whose answers came after the run had ended."""
    return sum(result.child_usd_micros for result in _unread_results(state))


def _unread_results(state: RunState) -> list[ToolResult]:
    calls = state.pending.reply.calls if state.pending else ()
    items = (state.calls.get(call.id) for call in calls)
    return [item.result for item in items if item and item.result]


def models_of(state: RunState) -> tuple[str, ...] | None:
    """List the models that have answered a run, by first turn; none for a rehearsed run."""
    if state.start.rehearsed:
        return None
    return tuple(dict.fromkeys(model for _, model in state.ledger.by_payee if model))


def cost_lines(state: RunState, day: str) -> list[CostLine]:
    """Write a run into the book of costs: a line for each agent and model that it called.

    Of a run that is not charged only what is paid though it is rehearsed: its tools and AWS.
    """
    if not state.start.charged:
        return [_uncharged_line(state, day)]
    ledger, main = state.ledger, _main_payee(state)
    beyond = ledger.spent_usd_micros - ledger.totals.cost_usd_micros
    lines = []
    for payee in {main: None, **dict.fromkeys(ledger.by_payee)}:
        totals = ledger.by_payee.get(payee)
        sums = totals.model_dump(exclude={"cost_usd_micros"}) if totals else {}
        model = totals.cost_usd_micros - totals.tool_usd_micros if totals else 0
        lines.append(
            CostLine(
                day=day,
                agent=payee[0] or state.start.agent,
                model=payee[1],
                runs=1 if payee == main else 0,
                model_usd_micros=model + (beyond if payee == main else 0),
                aws_usd_micros=state.aws.cost().usd_micros if payee == main else 0,
                **sums,
            )
        )
    return _few_enough(lines)


def arm_count(state: RunState, closing: Closing) -> ArmCount | None:
    """Count a run for the prompt that it began with; None if its agent has a text of its own."""
    prompt, start = state.start.prompt, state.start
    if prompt is None:
        return None
    ended = from_iso(closing.ended_at)
    waits = state.idle + (ended - from_iso(state.idle_since) if state.idle_since else timedelta())
    active = ended - from_iso(start.at) - waits
    return ArmCount(
        prompt=prompt.id,
        label=prompt.label or "",
        version=prompt.version,
        runs=1,
        completed=int(closing.status is RunStatus.COMPLETED),
        rehearsed=int(start.rehearsed),
        cost_usd_micros=max(0, closing.totals.cost_usd_micros) if start.charged else 0,
        active_ms=max(0, round(active.total_seconds() * 1_000)),
    )


def _uncharged_line(state: RunState, day: str) -> CostLine:
    totals = state.ledger.totals
    return CostLine(
        day=day,
        agent=state.start.agent,
        model=REHEARSAL,
        runs=1,
        tool_calls=totals.tool_calls,
        tool_usd_micros=totals.tool_usd_micros,
        aws_usd_micros=state.aws.cost().usd_micros,
    )


def _few_enough(lines: list[CostLine]) -> list[CostLine]:
    """Merge the lines beyond a transaction's limit into the first.

    So every run can be closed, however many models it has used.
    """
    first = {"agent": lines[0].agent, "model": lines[0].model}
    beyond = (line.model_copy(update=first) for line in lines[MOST_LINES:])
    return added_up([*lines[:MOST_LINES], *beyond])


def late_line(state: RunState, turn: Turn, day: str, more_usd_micros: int) -> CostLine | None:
    """Write a late reply into the book; what its call had reserved is in it already."""
    if not state.start.charged:
        return None
    usage = turn.reply.usage
    return CostLine(
        day=day,
        agent=turn.agent or state.start.agent,
        model=turn.model or "",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        model_usd_micros=more_usd_micros,
    )


def _main_payee(state: RunState) -> tuple[str, str]:
    first = next(iter(state.ledger.by_payee), None)
    return first or (state.start.agent, "")
