"""Gives slots back, in the transaction of whatever is written with that, and finds out who waits for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from stepward.adapters.aws import slots
from stepward.adapters.aws.recently import Recently
from stepward.adapters.aws.transactions import Refused, Step, transact
from stepward.domain.line import Slot
from stepward.domain.runs import RunKey
from stepward.ports.runtime_state import Freed

_EVERYBODY: Final = Freed(done=True, tenant_waits=True, account_waits=True)


@dataclass(frozen=True)
class SlotReturns:
    """Writes transactions that give a slot back."""

    table: str
    asked: Recently[Freed] = field(default_factory=Recently)
    """Who has asked lately to be told of free slots: they are told without being asked for first, others are found."""

    def __call__(
        self,
        key: RunKey,
        kept: list[Step],
        slot: Slot | None,
        doing: str,
        *,
        parked: bool = False,
        expires_at: int | None = None,
    ) -> tuple[Refused | None, Freed]:
        """Do the rest and give the slot back; if somebody has asked to be told, do it again and say so.

        time →   newcomer: no slot free → flags the counter → joins the line → nudge
                 we:       counter is flagged ✗ → once more without the condition ✓ → nudge
        """
        known = (self.asked.of(key.tenant) if slot else None) or Freed(done=True)
        give_back = partial(slots.give_back, self.table, key, parked=parked, expires_at=expires_at)
        back = give_back(slot, known) if slot else []
        refused = transact([*kept, *back], doing)
        if slot and refused is not None and set(refused.by) <= {slots.TENANT, slots.ACCOUNT}:
            known = slots.freed(refused, known)
            self.asked.keep(key.tenant, known)
            again = give_back(slot, _EVERYBODY)
            refused = transact([*kept, *again], doing)
        return refused, known
