"""Plant faults on purpose, each against one promise.

A test that does not notice one proves nothing. A fault names what it replaces, and raises `LookupError` once that name is
gone, so that it is rewritten together with the code that it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from stepward.domain.journal import Ended, Sequenced
from stepward.domain.run_state import fold
from stepward.domain.tools import OUTCOME_UNKNOWN
from stepward.ports.run_queue import Freed
from stepward.testing.schedules.scenario import Outcome, Scenario

Break = Callable[[Any], Any]
"""Makes a broken function, or property, of the one that is there."""


@dataclass(frozen=True)
class PlantedFault:
    """One broken promise.

    `where` are the parts that are broken, each as `module:attribute` or `module:Class.attribute`: more than one where a
    promise is kept in several places, of which each would do. `shown_by` are words of the violation that is to show it,
    where others would follow from the fault that say nothing of the promise.
    """

    name: str
    promise: str
    where: str | tuple[str, ...]
    broken: Break
    shown_by: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Break the promise within the block.

        Raises:
            LookupError: The part that it replaces does not exist any more.
        """
        places = [
            self.place(where) for where in ([self.where] if isinstance(self.where, str) else self.where)
        ]
        before = [vars(owner)[attribute] for owner, attribute in places]
        for (owner, attribute), sound in zip(places, before, strict=True):
            setattr(owner, attribute, self.broken(sound))
        try:
            yield
        finally:
            for (owner, attribute), sound in zip(places, before, strict=True):
                setattr(owner, attribute, sound)

    def first_noticed(self, schedules: int, first: int = 1) -> Outcome | None:
        """Play schedules with the fault until one shows it; None if none does."""
        with self.planted():
            outcomes = (Scenario(seed).play() for seed in range(first, first + schedules))
            return next((outcome for outcome in outcomes if self._shows(outcome)), None)

    def _shows(self, outcome: Outcome) -> bool:
        return any(self.shown_by in violation for violation in outcome.violations)

    def place(self, where: str) -> tuple[Any, str]:
        """Return the owner of a part that is broken, and the part's name.

        The owner may be a base of the class that is named.
        """
        module, _, path = where.partition(":")
        *owners, attribute = path.split(".")
        owner: Any = import_module(module)
        for name in owners:
            owner = getattr(owner, name, None)
        homes = [
            home for home in getattr(owner, "__mro__", (owner,)) if attribute in getattr(home, "__dict__", ())
        ]
        if not homes:
            raise LookupError(f"the planted fault {self.name!r} replaces {where}, which is not there")
        return homes[0], attribute


Method = Callable[..., Any]


def always(answer: Any) -> Callable[[Any], Method]:
    """Return the same answer to every call, and do nothing."""
    return lambda _: lambda *_, **__: answer


def done_twice(sound: Method) -> Method:
    """Do it once more than it is called."""

    def twice(*given: Any, **named: Any) -> Any:
        sound(*given, **named)
        return sound(*given, **named)

    return twice


def never(_: Any) -> property:
    """Return a property that is False."""
    return property(lambda _: False)


def without_claim(_: Method) -> Method:
    """Advance without a claim in the journal; the reservation is in memory only."""

    def claim(advancing: Any) -> None:
        permit = advancing._permit(advancing.state) if advancing.state.pending is None else None
        advancing.state.ledger.intent = permit

    return claim


def ignoring_newer_records(_: Method) -> Method:
    """Go on in spite of a newer claim, a cancel or an end."""

    def only_out_of_band(writer: Any) -> bool:
        writer.state = fold(writer.ports.journal.load(writer.key))
        return True

    return only_out_of_band


def at_any_number(_: Method) -> Method:
    """Append to a journal whether or not the sequence number is free."""

    def append(journal: Any, key: Any, seq: int, record: Any) -> None:
        del seq
        records = journal._records.setdefault(key, [])
        records.append(Sequenced(seq=len(records) + 1, record=record))

    return append


def overwriting_the_first(sound: Method) -> Method:
    """Write a call's result over the one that is there."""

    def put_result(journal: Any, key: Any, result: Any) -> bool:
        item = journal.call(key, result.call)
        if item and item.result:
            journal._calls[key][result.call] = item.model_copy(update={"result": None})
        return bool(sound(journal, key, result))

    return put_result


def unknown_as_failed(sound: Method) -> Method:
    """Report a call whose outcome is unknown as failed."""

    def held_back(*given: Any) -> Any:
        result = sound(*given)
        is_unknown = result is not None and result.error == OUTCOME_UNKNOWN
        return result.model_copy(update={"error": "ToolFailed"}) if is_unknown else result

    return held_back


def returned_twice(sound: Method) -> Method:
    """Give money back to budgets twice."""
    return lambda runtime, tenant, returns: sound(runtime, tenant, (*returns, *returns))


def keeping_the_slot(_: Method) -> Method:
    """Park a run and keep its slot counted."""

    def park_now(writer: Any, record: Any) -> Any:
        returns = writer.state.ledger.returns()
        return writer.ports.runtime.park(writer.key, writer.state.seq + 1, record, None, returns)

    return park_now


def without_wake_up(_: Method) -> Method:
    """Keep the answer that a run waits for, and leave its machine asleep."""
    return lambda ports, waiting, result: ports.journal.put_result(waiting, result)


def keeping_the_oldest_token(_: Method) -> Method:
    """Keep the oldest token, which the machine has replaced by a newer one."""

    def keep(tokens: Any, key: Any, call: str, token: str, made: str = "") -> bool:
        tokens._tokens.setdefault((key, call), (made, token))
        return True

    return keep


def last_first(sound: Method) -> Method:
    """Serve the run that came last."""
    return lambda line, tenant, limit: list(reversed(sound(line, tenant, 1_000)))[:limit]


def ending_again(_: Method) -> Method:
    """Write an end whether or not there is one."""

    def end(writer: Any, end: Any) -> None:
        writer.append(writer.make(Ended, end=end))
        writer.finalize()

    return end


def without_end_record(_: Method) -> Method:
    """Finalize a run whose journal has no end."""
    return lambda writer, end: writer.finalize()


def without_release(_: Method) -> Method:
    """Report a slot as released, and keep it."""
    return lambda line, key, slot: Freed(done=True)


def unconditionally(_: Method) -> Method:
    """Change an approval that was changed meanwhile."""

    def change(approvals: Any, before: Any, after: Any) -> bool:
        approvals._kept[before.tenant, before.id] = after
        return True

    return change


def without_the_last_reply(sound: Method) -> Method:
    """Read a journal without the reply at its end, whose calls have no results yet."""

    def read(journal: Any) -> Any:
        state = sound(journal)
        if state.pending is not None and state.seq == state.pending_seq:
            totals = state.ledger.totals
            state.ledger.totals = totals.model_copy(update={"turns": totals.turns - 1})
            state.pending = None
        return state

    return read


def at_the_first_models_price(_: Method) -> Method:
    """Price a reply by the model that the agent names, whichever model gave it."""
    return lambda call_limits, reply: call_limits.price.cost_usd_micros(reply.usage)


def without_its_cost(_: Method) -> Method:
    """Book a summary as if it had cost nothing."""

    def book_summary(ledger: Any, record: Any) -> None:
        del record
        ledger.intent = None

    return book_summary
