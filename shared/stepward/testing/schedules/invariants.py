"""Check what must hold after every schedule, whatever faults it met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from stepward.domain.approvals import Approval, ApprovalStatus
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import Claimed, Condensed, Continued, JournalSlice, Turn
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import RunHead, RunKey, RunStatus
from stepward.domain.tools import OUTCOME_UNKNOWN
from stepward.testing.schedules.payment import CHECKED_PAYMENT, Payment
from stepward.testing.schedules.platform import EXECUTION_STOPPED, Platform
from stepward.testing.schedules.ports import replies_in
from stepward.testing.schedules.shapes import EXPECTED_ANSWER


@dataclass
class CallerAnswers:
    """Answers to callers.

    `cancel_acks` has the position in the call log at which a run's cancel was answered, `starts` the runs that each
    idempotency key has started.
    """

    cancel_acks: dict[str, int] = field(default_factory=dict)
    starts: dict[str, set[str]] = field(default_factory=dict)


def violations(platform: Platform, answers: CallerAnswers) -> Iterator[str]:
    """Yield everything that does not hold at the end."""
    for key, head in platform.runtime.heads.items():
        state = fold(platform.journal.load(key))
        yield from _ends_once(platform, head, state)
        yield from _ledger(platform, key, head, state)
        yield from _results_are_true(key, state)
        yield from _epochs(platform, head, state)
    yield from _paid_is_booked(platform)
    yield from _effects(platform, answers.cancel_acks)
    yield from _started_once(platform, answers.starts)
    yield from _cancelled_with_it(platform, answers.cancel_acks)
    yield from _stays_with_its_tenant(platform)
    yield from _slots(platform)
    yield from _money(platform)
    yield from _nothing_is_open(platform)


def _ends_once(platform: Platform, head: RunHead, state: RunState) -> Iterator[str]:
    if state.end is None:
        yield f"{head.run}: the journal has no end"
        return
    if head.status is not state.end.status or head.ended_seq != state.end_seq:
        yield f"{head.run}: the head says {head.status} at {head.ended_seq}, the journal {state.end}"
    ends = [
        item.seq
        for item in platform.journal.load(head.key).records
        if getattr(item.record, "end", None) is not None
    ]
    if len(ends) != 1:
        yield f"{head.run}: the journal ends {len(ends)} times, at {ends}"
    if head.status is RunStatus.COMPLETED:
        yield from _right_answer(platform, head)


def _right_answer(platform: Platform, head: RunHead) -> Iterator[str]:
    last = platform.journal.read(head.key, head.ended_seq or 0, 1).records[0].record
    if not isinstance(last, Turn) or last.reply.text != EXPECTED_ANSWER:
        yield f"{head.run}: the answer is {last!r:.200}"


def _ledger(platform: Platform, key: RunKey, head: RunHead, state: RunState) -> Iterator[str]:
    paid = platform.call_log.paid_usd_micros.get(key.run, [])
    journal = platform.journal.load(key)
    booked = [bill.cost_usd_micros for bill in _bills(journal)]
    if head.totals != state.ledger.billed_totals():
        yield f"{key.run}: the head's totals {head.totals} are not the journal's {state.ledger.billed_totals()}"
    if head.totals.cost_usd_micros != sum(booked) + sum(state.ledger.lost.values()):
        yield f"{key.run}: the cost is not the sum of what is booked and lost"
    if head.totals.cost_usd_micros < sum(paid):
        yield f"{key.run}: {sum(paid)} were paid, {head.totals.cost_usd_micros} are booked"
    if Counter(booked) - Counter(paid):
        yield f"{key.run}: booked {booked}, but only {paid} were paid"
    for call, times in Counter(replies_in(key.run, journal)).items():
        if times > 1:
            yield f"{call}: the journal has {times} replies"


def _bills(journal: JournalSlice) -> list[Turn | Condensed]:
    """Return the records with a reply's cost: of a turn, an abandoned reply or a summary."""
    records = [item.record for item in journal.records]
    return [one for one in records if isinstance(one, Turn) or (isinstance(one, Condensed) and one.model)]


def _results_are_true(key: RunKey, state: RunState) -> Iterator[str]:
    """A model hears that a payment was made exactly if it was."""
    for result in (result for exchange in state.history for result in exchange.results):
        is_made = f"{key.run}:{result.call}" in Payment.made
        if result.tool not in (Payment.name, CHECKED_PAYMENT) or result.error == OUTCOME_UNKNOWN:
            continue
        if is_made != (result.error is None):
            yield f"{key.run}:{result.call}: made is {is_made}, but the model heard {result.error or 'it was paid'}"


def _epochs(platform: Platform, head: RunHead, state: RunState) -> Iterator[str]:
    """The newest execution carries a run.

    No older one goes on with it, and none of their ends is the run's own.
    """
    if head.epoch != state.epoch:
        yield f"{head.run}: the head is in epoch {head.epoch}, the journal in {state.epoch}"
    epoch = 1
    for record in (item.record for item in platform.journal.load(head.key).records):
        epoch = record.epoch if isinstance(record, Continued) else epoch
        if isinstance(record, Claimed) and platform.epochs[record.writer] < epoch:
            yield f"{head.run}: {record.writer} goes on with it in an old epoch"
    newest = platform.executions.get(head.execution_name)
    stopped = state.end is not None and state.end.error and state.end.error.code == EXECUTION_STOPPED
    if stopped and newest and newest.status not in ("FAILED", "ABORTED"):
        yield f"{head.run}: ended by an execution that did not carry it any more"


def _paid_is_booked(platform: Platform) -> Iterator[str]:
    """An invocation books every reply that it paid for.

    Only one that died of it may not have.
    """
    bills = [bill for key in platform.runtime.heads for bill in _bills(platform.journal.load(key))]
    booked = Counter(bill.writer for bill in bills)
    for actor in platform.actors:
        paid = platform.call_log.paid_replies[actor.name]
        is_alive = actor.error is None or isinstance(actor.error, StoreConflict)
        if is_alive and booked[actor.name] < paid:
            yield f"{actor.name}: paid {paid} replies, booked {booked[actor.name]}"
    for (actor_name, call), times in Counter(platform.call_log.paid_calls).items():
        if times > 1:
            yield f"{actor_name}: paid {times} times for {call}"


def _effects(platform: Platform, cancel_acks: dict[str, int]) -> Iterator[str]:
    for call_id, times in Counter(Payment.made).items():
        if times > 1:
            yield f"{call_id}: paid {times} times"
        run = call_id.partition(":")[0]
        marked = platform.call_log.place_of("mark_started", call_id)
        acked = cancel_acks.get(run)
        if acked is not None and marked is not None and marked > acked:
            yield f"{call_id}: began after the cancel was answered"


def _started_once(platform: Platform, starts: dict[str, set[str]]) -> Iterator[str]:
    """A key starts one run, and no run starts without a key."""
    for key, runs in starts.items():
        if len(runs) > 1:
            yield f"{key}: has started {', '.join(sorted(runs))}"
    asked_for = [head.run for head in platform.runtime.heads.values() if head.parent is None]
    if len(asked_for) > len(starts):
        yield f"{len(starts)} keys have started {len(asked_for)} runs"


def _cancelled_with_it(platform: Platform, cancel_acks: dict[str, int]) -> Iterator[str]:
    """A child of a cancelled run is cancelled too.

    It does not complete by itself once the cancel was answered.
    """
    of_its_own = {RunStatus.COMPLETED, RunStatus.BUDGET_EXCEEDED, RunStatus.RATE_LIMITED}
    for head in platform.runtime.heads.values():
        acked = cancel_acks.get(head.parent or "")
        ended = platform.call_log.ends.get(head.run)
        if acked is not None and ended is not None and ended > acked and head.status in of_its_own:
            yield f"{head.run}: ended as {head.status} after the cancel of {head.parent} was answered"


def _stays_with_its_tenant(platform: Platform) -> Iterator[str]:
    for execution in platform.executions.values():
        if execution.key not in platform.runtime.heads:
            yield f"{execution.key.run}: an execution without a head"
    for head in platform.runtime.heads.values():
        if head.agent.partition("-of-")[2] != head.tenant:
            yield f"{head.run}: a run of {head.tenant} uses {head.agent}"


def _slots(platform: Platform) -> Iterator[str]:
    """No more runs are active than allowed, and every slot is released.

    The counters and the journals agree on it.
    """
    line = platform.runtime.line
    for tenant in {head.tenant for head in platform.runtime.heads.values()}:
        allowed = platform.limits.tenant(tenant).active
        if line.most_active[tenant] > allowed:
            yield f"{tenant}: {line.most_active[tenant]} runs were active, {allowed} are allowed"
    if line.most_active[""] > platform.limits.account().active:
        yield f"the account: {line.most_active['']} runs were active"
    for key in line.slots:
        yield f"{key.run}: holds a slot for ever"
    for waiting in line.positions.values():
        yield f"{waiting.run}: is in the run queue for ever"
    for key in platform.runtime.untold:
        yield f"{key.run}: its parent never received its end"


def _money(platform: Platform) -> Iterator[str]:
    """Budgets and the cost book agree with the runs, to the micro-dollar."""
    for tenant in {head.tenant for head in platform.runtime.heads.values()}:
        heads = [head for head in platform.runtime.heads.values() if head.tenant == tenant]
        spent = sum(head.totals.cost_usd_micros for head in heads)
        book = platform.runtime.cost_book.lines(tenant, "0000", "9999")
        if sum(line.model_usd_micros + line.tool_usd_micros for line in book) != spent:
            yield f"{tenant}: the book of costs says otherwise than the runs, which cost {spent}"
        for state in platform.runtime.budgets.touched(100):
            if state.tenant == tenant and state.limit_usd_micros - state.remaining_usd_micros != spent:
                taken = state.limit_usd_micros - state.remaining_usd_micros
                yield f"{tenant}: {taken} were taken from {state.ref.item_key}, {spent} were spent"


def _nothing_is_open(platform: Platform) -> Iterator[str]:
    for head in platform.runtime.open_runs("9999", 1_000):
        yield f"{head.run}: stays {head.status}, and nothing will continue it"
    for name, execution in platform.executions.items():
        if execution.status == "RUNNING":
            yield f"{name}: the execution runs on with nothing to do"


def approval_violations(platform: Platform, decided: list[tuple[str, str]]) -> Iterator[str]:
    """Yield every violation of an invariant of approvals.

    `decided` are approvals, each with a person who was answered that the decision is theirs.
    """
    kept = {one.id: one for key in platform.runtime.heads for one in platform.approvals.of_run(key)}
    for approval in kept.values():
        yield from _is_settled(platform, approval)
    for name, person in decided:
        first = kept[name].decision
        if first is None or first.by != person:
            yield f"{name}: {person} was answered to have decided, kept is {first!r:.200}"
    for key in platform.runtime.heads:
        yield from _asked_first(fold(platform.journal.load(key)), key.run, kept)
    for left in platform.approvals.due("9999", 100):
        yield f"{left.id}: stays due for a reminder for ever"


def _is_settled(platform: Platform, approval: Approval) -> Iterator[str]:
    if approval.is_open:
        yield f"{approval.id}: stays open, though its run has ended"
    item = platform.journal.call(approval.key, approval.wait)
    heard = item.result.content.get("by") if item and item.result else None
    said = approval.decision.by if approval.decision else None
    if heard != said:
        yield f"{approval.id}: {said} decided, the run received the decision of {heard}"


def _asked_first(state: RunState, run: str, kept: dict[str, Approval]) -> Iterator[str]:
    """A guarded payment is made after a yes and never otherwise."""
    replies = [exchange.reply for exchange in state.history] + (
        [state.pending.reply] if state.pending else []
    )
    for call in (call for reply in replies for call in reply.calls if call.tool == CHECKED_PAYMENT):
        approval = kept.get(f"{run}.{call.id}")
        said_yes = approval is not None and approval.status is ApprovalStatus.APPROVED
        if f"{run}:{call.id}" in Payment.made and not said_yes:
            yield f"{run}:{call.id}: paid without a yes"
