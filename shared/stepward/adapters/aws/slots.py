"""Slots, places in line and budgets, as steps of the transactions that take them and give them back."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from stepward.adapters.aws.budgets import draw_item, return_item
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.adapters.aws.transactions import Refused, Step, delete, put_new, transact, update
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot, shard_limit, used_shards
from stepward.domain.runs import RunKey
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.runs import Freed, SlotLimits

TENANT: Final = "tenant's slots"


ACCOUNT: Final = "account's slots"


SHARDS_TRIED: Final = 3


BUDGET_PREFIX: Final = "budget "


HINT_TTL_S: Final = 2.0
"""How long a process goes by what it has seen of counters and queues; it saves a call and is never relied upon."""


_ALL: Final = "GLOBAL"


def counter_key(tenant: str | None, shard: int) -> dict[str, str]:
    """The key of one counter of slots: of a tenant, or of all."""
    return {"pk": f"T#{tenant}#SLOTS" if tenant else f"{_ALL}#SLOTS", "sk": f"SHARD#{shard}"}


def slots_to_try(run: str, limits: SlotLimits) -> Iterator[Slot]:
    """Name the counters to try: the run's own first, then its neighbours, so that a full one does not hold it up."""
    first = zlib.crc32(run.encode())
    mine = used_shards(limits.tenant.active, limits.tenant.shards)
    everybodys = used_shards(limits.account.active, limits.account.shards)
    for shift in range(min(SHARDS_TRIED, max(mine, everybodys))):
        yield Slot(tenant_shard=(first + shift) % mine, account_shard=(first + shift) % everybodys)


def take_past_limit(table: str, key: RunKey, limits: SlotLimits) -> tuple[Slot, list[Step]]:
    """Take a slot for a parked run whose machine goes on and cannot wait: of the tenant's counter, full or not.

    The account's counter leaves it out: no tenant may fill that by having many runs go on at once.
    """
    slot = next(slots_to_try(key.run, limits)).model_copy(update={"account_shard": None})
    counter = counter_key(key.tenant, slot.tenant_shard)
    values = {":one": 1, **_parked(-1)}
    return slot, [_put_slot(table, key, slot), update(TENANT, table, counter, _counting(-1), values)]


def take(
    table: str, key: RunKey, slot: Slot, limits: SlotLimits, *, past_others: bool, parked: bool = False
) -> list[Step]:
    """Take a slot; a newcomer must not go past those in line, who are served by `dispatch` alone.

    `parked` says that the run was counted as waiting until now.
    """
    return [
        _put_slot(table, key, slot),
        _count_up(
            table,
            TENANT,
            key.tenant,
            slot.tenant_shard,
            (limits.tenant.active, limits.tenant.shards),
            past_others,
            -1 if parked else 0,
        ),
        _count_up(
            table,
            ACCOUNT,
            None,
            slot.account_shard or 0,
            (limits.account.active, limits.account.shards),
            past_others,
        ),
    ]


def _count_up(
    table: str,
    name: str,
    tenant: str | None,
    shard: int,
    limit: tuple[int, int],
    past_others: bool,
    parked: int = 0,
) -> Step:
    most = shard_limit(*limit, shard)
    # A counter that nobody has used yet has all its slots free, unless it has none to give.
    free = "(attribute_not_exists(active) OR active < :limit)" if most else "active < :limit"
    return update(
        name,
        table,
        counter_key(tenant, shard),
        _counting(parked),
        {":one": 1, ":limit": most, **_parked(parked)},
        free if past_others else f"{free} AND attribute_not_exists(waits)",
    )


def give_back(
    table: str, key: RunKey, slot: Slot, known: Freed, *, parked: bool = False, expires_at: int | None = None
) -> list[Step]:
    """Give a slot back, insisting that nobody but those who are known has asked to be told of it.

    `parked` counts the run as waiting. With `expires_at` its item is left to the table to remove, by those who may not
    delete; a run that takes no slot again has no use for it.
    """
    mine = counter_key(key.tenant, slot.tenant_shard)
    minus, more = {":one": -1}, 1 if parked else 0
    unasked = "attribute_not_exists(waits)"
    of_tenant, of_account = (
        None if waits else unasked for waits in (known.tenant_waits, known.account_waits)
    )
    gone = (
        delete("slot", table, _slot_key(key), "attribute_exists(pk)")
        if expires_at is None
        else update(
            "slot",
            table,
            _slot_key(key),
            "SET expires_at = :then",
            {":then": expires_at},
            "attribute_exists(pk) AND attribute_not_exists(expires_at)",
        )
    )
    back = [
        gone,
        update(TENANT, table, mine, _counting(more), {**minus, **_parked(more)}, of_tenant),
    ]
    if slot.account_shard is None:
        return back
    others = counter_key(None, slot.account_shard)
    return [*back, update(ACCOUNT, table, others, "ADD active :one", minus, of_account)]


def forget_parked(table: str, tenant: str) -> Step:
    """Count a run as waiting no more that has ended without a slot; only the sum over the shards has a meaning."""
    return update("parked", table, counter_key(tenant, 0), "ADD parked :parked", _parked(-1))


def _counting(parked: int) -> str:
    return "ADD active :one, parked :parked" if parked else "ADD active :one"


def _parked(change: int) -> dict[str, int]:
    return {":parked": change} if change else {}


def freed(refused: Refused, known: Freed) -> Freed:
    """Say who asked to be told of a free slot: those who are known, and those for whom conditions failed."""
    return Freed(
        done=True,
        tenant_waits=known.tenant_waits or TENANT in refused,
        account_waits=known.account_waits or ACCOUNT in refused,
    )


def join(table: str, waiting: QueuedRun) -> Step:
    """Stand in line."""
    item = {**place_key(waiting), **waiting.model_dump(exclude_none=True)}
    return put_new("place", table, to_item(item))


def is_flagged(table: str, tenant: str) -> bool:
    """Tell whether whoever frees a slot of the tenant will have its queue looked at.

    time →   we:       join ✓ ─ flag? ─ yes: no wake-up is needed
             dispatch: line empty ─ clear ─ line empty?      joined before: it sees us; later: we see no flag
    """
    with translated(f"looking whether slots of {tenant} are asked for"):
        found = client("dynamodb").get_item(
            TableName=table, Key=to_item(counter_key(tenant, 0)), ConsistentRead=True
        )
    return bool(from_item(found.get("Item", {})).get("waits"))


def is_asked(refused: Refused) -> bool:
    """Tell whether only the tenant's counter was full and somebody has asked to be told of its free slots."""
    return ACCOUNT not in refused and bool(refused.by.get(TENANT, {}).get("waits"))


def ask_for_wake_up(table: str, key: RunKey, slot: Slot, refused: Refused) -> list[Step]:
    """Flag the counters that were full, so that no newcomer goes past this one; mostly somebody has done it before."""
    counters = ((TENANT, key.tenant, slot.tenant_shard), (ACCOUNT, None, slot.account_shard or 0))
    return [
        update(f"flag of {name}", table, counter_key(tenant, shard), "SET waits = :yes", {":yes": True})
        for name, tenant, shard in counters
        if name in refused and not refused.by[name].get("waits")
    ]


def leave(table: str, tenant: str, place: str, condition: str | None = None) -> Step:
    """Leave the line."""
    return delete("place", table, {"pk": f"T#{tenant}#WAIT", "sk": place}, condition)


def place_key(waiting: QueuedRun) -> dict[str, str]:
    """The key of a place in line."""
    return {"pk": f"T#{waiting.tenant}#WAIT", "sk": waiting.place}


def draw_steps(table: str, tenant: str, draw: Draw | None) -> list[Step]:
    """Take money from every budget that counts the run, or nothing at all."""
    if draw is None:
        return []
    both = zip(draw.budgets, draw.limits_usd_micros, strict=True)
    return [
        Step(f"{BUDGET_PREFIX}{budget}", draw_item(table, tenant, budget, limit, draw.usd_micros))
        for budget, limit in both
    ]


def return_steps(table: str, tenant: str, returns: Sequence[Allowance]) -> list[Step]:
    """Give money back to the budgets that it came from; several draws of one budget are one step."""
    sums: dict[str, int] = {}
    for allowance in returns:
        for budget in allowance.budgets:
            sums[budget] = sums.get(budget, 0) + allowance.usd_micros
    return [
        Step(f"{BUDGET_PREFIX}{budget}", return_item(table, tenant, budget, amount))
        for budget, amount in sums.items()
        if amount
    ]


def empty_budgets(refused: Refused) -> list[str]:
    """Name the budgets that had too little."""
    return [name.removeprefix(BUDGET_PREFIX) for name in refused.by if name.startswith(BUDGET_PREFIX)]


def _put_slot(table: str, key: RunKey, slot: Slot) -> Step:
    return put_new("slot", table, to_item({**_slot_key(key), **slot.model_dump(exclude_none=True)}))


def _slot_key(key: RunKey) -> dict[str, Any]:
    return {"pk": f"T#{key.tenant}#SLOT", "sk": f"R#{key.run}"}


_EVERYBODY: Final = Freed(done=True, tenant_waits=True, account_waits=True)


@dataclass(frozen=True)
class SlotReturns:
    """Writes transactions that give a slot back."""

    table: str
    asked: TtlCache[Freed] = field(default_factory=lambda: TtlCache(HINT_TTL_S))
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

        time →   newcomer: no slot free → flags the counter → joins the line → wake-up
                 we:       counter is flagged ✗ → once more without the condition ✓ → wake-up
        """
        known = (self.asked.get(key.tenant) if slot else None) or Freed(done=True)
        returning = partial(give_back, self.table, key, parked=parked, expires_at=expires_at)
        back = returning(slot, known) if slot else []
        refused = transact([*kept, *back], doing)
        if slot and refused is not None and set(refused.by) <= {TENANT, ACCOUNT}:
            known = freed(refused, known)
            self.asked.put(key.tenant, known)
            again = returning(slot, _EVERYBODY)
            refused = transact([*kept, *again], doing)
        return refused, known
