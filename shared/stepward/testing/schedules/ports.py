"""Stop every call of a port for the scheduler, and log what the invariants need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from stepward.adapters.memory.journal import MemoryJournal
from stepward.agents.call_limits import CallLimits
from stepward.domain.conversation import ModelReply, ModelRequest, ToolResult
from stepward.domain.errors import (
    DependencyTimeout,
    ProviderThrottled,
    StoreConflict,
    StoreThrottled,
    StreamCut,
)
from stepward.domain.journal import AnyRecord, CallItem, Condensed, JournalSlice, Turn
from stepward.domain.runs import RunKey
from stepward.ports.models import CallContext
from stepward.testing.schedules.actors import PortCall, acting
from stepward.testing.schedules.faults import Died, InjectedFault

P = TypeVar("P")
WRITES: Final = frozenset(
    {"append", "mark_started", "put_result", "start", "close", "book_late", "stop"}
    | {"admit", "queue", "park", "begin_epoch", "top_up", "hold", "release", "mark_notified", "leave", "keep"}
    | {"request_wake_up", "clear_wake_up", "clear_account_wake_up", "answer", "send"}
    | {"open", "change", "decide", "mark_woken", "put"}
    | {"take", "begin", "count", "probe", "set_aside"}
)


@dataclass
class CallLog:
    """A log of a schedule: calls of ports in order, and payments of models.

    `reserved_usd_micros` returns what a run's journal reserves for an invocation. `ends` are the positions of the records
    that end runs; `paid_calls` has who paid for which named call. `uncovered` are calls of models that cost more than their
    invocation had reserved for them, or that were made although the journal had their reply.
    """

    reserved_usd_micros: Callable[[RunKey, str], int]
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    paid_usd_micros: dict[str, list[int]] = field(default_factory=dict)
    paid_replies: Counter[str] = field(default_factory=Counter)
    paid_calls: list[tuple[str, str]] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)

    def pay(self, key: RunKey, who: str, usd_micros: int, call: str | None = None) -> None:
        """Record a payment of a model."""
        self.paid_usd_micros.setdefault(key.run, []).append(usd_micros)
        self.paid_replies[who] += 1
        self.paid_calls += [(who, call)] if call else []
        reserved = self.reserved_usd_micros(key, who)
        if usd_micros > reserved:
            self.uncovered.append(f"{key.run}: {who} made a call for {usd_micros} with {reserved} reserved")

    def place_of(self, method: str, about: str) -> int | None:
        """Return the position of the first call of a kind."""
        return next(
            (i for i, (_, name, what) in enumerate(self.lines) if (name, what) == (method, about)), None
        )

    def write(self, actor: str, method: str, about: str) -> None:
        """Record a call."""
        self.lines.append((actor, method, about))


class FollowedJournal(MemoryJournal):
    """A journal that remembers which runs were written to."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[RunKey, None] = {}

    def written_since(self) -> list[RunKey]:
        """Return the runs that were written to since the last call."""
        written, self._written = list(self._written), {}
        return written

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Append, and remember the run."""
        super().append(key, seq, record)
        self._written[key] = None

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark, and remember the run."""
        self._written[key] = None
        return super().mark_started(key, call, writer)

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Keep a result, and remember the run."""
        self._written[key] = None
        return super().put_result(key, result)


class Watched:
    """A port whose calls wait for the scheduler; calls outside of an actor pass."""

    def __init__(self, name: str, port: Any, call_log: CallLog) -> None:
        self._name = name
        self._port = port
        self._call_log = call_log

    def __getattr__(self, method: str) -> Any:
        """Wrap a method of the port."""
        found = getattr(self._port, method)
        return self._stopping(method, found) if callable(found) else found

    def _stopping(self, method: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*args: Any, **kwargs: Any) -> Any:
            actor = acting()
            if actor is None:
                return call(*args, **kwargs)
            fault = actor.stop_before(PortCall(self._name, method, method in WRITES, _run_of(args)))
            _before(fault)
            answer = call(*args, **kwargs)
            self._call_log.write(actor.name, method, _about(method, args))
            if method == "append" and getattr(args[-1], "end", None):
                self._call_log.ends.setdefault(args[0].run, len(self._call_log.lines))
            return _after(fault, answer)

        return stopped


def watched(name: str, port: P, call_log: CallLog) -> P:
    """Return a port of the same type whose calls wait for the scheduler."""
    return cast("P", Watched(name, port, call_log))


class WatchedBackend:
    """A rehearsal whose calls wait for the scheduler; each reply is paid like a model's."""

    def __init__(self, key: RunKey, plain: CallLimits, call_log: CallLog) -> None:
        self._key = key
        self._backend = plain.backend
        self.longest_call_s = plain.backend.longest_call_s
        self._price = plain.price
        self._call_log = call_log

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        """Reply, or meet a fault.

        A fault before the call costs nothing; a cut stream costs what came of it.
        """
        actor = acting()
        fault = actor.stop_before(PortCall("model", "reply", is_write=False)) if actor else InjectedFault.NONE
        if fault in (InjectedFault.THROTTLED, InjectedFault.BROWN_OUT):
            raise ProviderThrottled("the provider wants fewer requests", retry_after_s=3)
        _before(fault)
        reply: ModelReply = self._backend.reply(request, call)
        cost = self._price.cost_usd_micros(reply.usage)
        self._call_log.pay(self._key, actor.name if actor else "", cost)
        if fault is InjectedFault.ANSWER_LOST:
            came = reply.model_copy(update={"text": reply.text[:3], "calls": (), "stop": "cut"})
            raise StreamCut("the stream was cut", partial=came)
        answer: ModelReply = _after(fault, reply)
        return answer

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        """Estimate without a call."""
        found: int = self._backend.estimate_input_tokens(request)
        return found


def replies_in(run: str, journal: JournalSlice) -> list[str]:
    """Return the names of the model calls whose replies a run's journal uses."""
    records = [item.record for item in journal.records]
    turns = [f"{run}:{one.turn}" for one in records if isinstance(one, Turn) and not one.late]
    return turns + [
        f"{run}:{one.turn}:summary" for one in records if isinstance(one, Condensed) and one.model
    ]


def _before(fault: InjectedFault) -> None:
    match fault:
        case InjectedFault.DIES_BEFORE:
            raise Died
        case InjectedFault.THROTTLED:
            raise StoreThrottled("slower, please")
        case InjectedFault.CONFLICT:
            raise StoreConflict("somebody else is writing")
        case InjectedFault.BROWN_OUT:
            raise DependencyTimeout("no answer")


def _after(fault: InjectedFault, answer: Any) -> Any:
    match fault:
        case InjectedFault.DIES_AFTER:
            raise Died
        case InjectedFault.ANSWER_LOST:
            raise DependencyTimeout("the answer was lost")
    return answer


def _run_of(args: tuple[Any, ...]) -> RunKey | None:
    return args[0] if args and isinstance(args[0], RunKey) else None


def _about(method: str, args: tuple[Any, ...]) -> str:
    """Name what a call was about, for the call log: the run, and the call where there is one."""
    key = args[0] if args else None
    run = str(getattr(key, "run", key))
    return f"{run}:{args[1]}" if method == "mark_started" else run
