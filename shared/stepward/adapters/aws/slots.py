"""Slots, queue places and budgets, as steps of the transactions that take and return them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from stepward.adapters.aws.budgets import draw_item, return_item
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item, to_item
from stepward.adapters.aws.transactions import Refused, Step, delete, put_new, transact, update
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot, shard_limit, used_shards
from stepward.domain.runs import RunKey
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.run_queue import Freed, SlotLimits

TENANT: Final = "tenant's slots"
ACCOUNT: Final = "account's slots"
SHARDS_TRIED: Final = 3
BUDGET_PREFIX: Final = "budget "
HINT_TTL_S: Final = 2.0
"""How long a process trusts what it has read of counters and queues.

It saves a call; correctness never depends on it.
"""
_ALL: Final = "GLOBAL"


def counter_key(tenant: str | None, shard: int) -> dict[str, str]:
    """Return the key of one counter of slots: of a tenant, or of all."""
    return {"pk": f"T#{tenant}#SLOTS" if tenant else f"{_ALL}#SLOTS", "sk": f"SHARD#{shard}"}


def slots_to_try(run: str, limits: SlotLimits) -> Iterator[Slot]:
    """Yield the counters to try: the run's own first, then the next ones.

    A full counter does not hold a run up while others are free.
    """
    first = zlib.crc32(run.encode())
    mine = used_shards(limits.tenant.active, limits.tenant.shards)
    everybodys = used_shards(limits.account.active, limits.account.shards)
    for shift in range(min(SHARDS_TRIED, max(mine, everybodys))):
        yield Slot(tenant_shard=(first + shift) % mine, account_shard=(first + shift) % everybodys)


def take_past_limit(table: str, key: RunKey, limits: SlotLimits) -> tuple[Slot, list[Step]]:
    """Lay out a slot over the limit, for a parked run whose machine cannot wait.

    The account's counter leaves it out: no tenant may fill that by having many runs go on at once.
    """
    slot = next(slots_to_try(key.run, limits)).model_copy(update={"account_shard": None})
    counter = counter_key(key.tenant, slot.tenant_shard)
    values = {":one": 1, **_parked(-1)}
    return slot, [_put_slot(table, key, slot), update(TENANT, table, counter, _counting(-1), values)]


def take(
    table: str, key: RunKey, slot: Slot, limits: SlotLimits, *, past_others: bool, parked: bool = False
) -> list[Step]:
    """Lay out the taking of a slot.

    With `past_others` False, it fails while others are queued, for those are served by `dispatch` alone. `parked` says that
    the run was counted as waiting until now.
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
    # A counter that was never used has all its slots free, unless its limit is 0.
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
    """Lay out the return of a slot, on condition that no unknown wake-up was requested.

    `known` are the requests that the caller has seen. `parked` counts the run as waiting. With `expires_at` its item is left
    to the table to remove, for callers that may not delete; a run that takes no slot again has no use for it.
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
    """Lay out that an ended run no longer counts as waiting.

    Only the sum over the shards has a meaning.
    """
    return update("parked", table, counter_key(tenant, 0), "ADD parked :parked", _parked(-1))


def _counting(parked: int) -> str:
    return "ADD active :one, parked :parked" if parked else "ADD active :one"


def _parked(change: int) -> dict[str, int]:
    return {":parked": change} if change else {}


def freed(refused: Refused, known: Freed) -> Freed:
    """Return whose wake-ups were requested: the known ones, and those whose conditions failed."""
    return Freed(
        done=True,
        tenant_waits=known.tenant_waits or TENANT in refused,
        account_waits=known.account_waits or ACCOUNT in refused,
    )


def join(table: str, waiting: QueuedRun) -> Step:
    """Lay out a run's place in the queue."""
    item = {**position_key(waiting), **waiting.model_dump(exclude_none=True)}
    return put_new("place", table, to_item(item))


def is_flagged(table: str, tenant: str) -> bool:
    """Return whether freeing a slot of the tenant will have its queue looked at.

    time →   we:       join ✓ ─ flag? ─ yes: no wake-up is needed
             dispatch: queue empty ─ clear ─ queue empty?      joined before: it sees us; later: we see no flag
    """
    with translated(f"looking whether slots of {tenant} are asked for"):
        found = client("dynamodb").get_item(
            TableName=table, Key=to_item(counter_key(tenant, 0)), ConsistentRead=True
        )
    return bool(from_item(found.get("Item", {})).get("waits"))


def is_asked(refused: Refused) -> bool:
    """Return whether only the tenant's counter was full, and a wake-up was requested of it."""
    return ACCOUNT not in refused and bool(refused.by.get(TENANT, {}).get("waits"))


def ask_for_wake_up(table: str, key: RunKey, slot: Slot, refused: Refused) -> list[Step]:
    """Lay out the flags of full counters, so that no newcomer goes past this run.

    Mostly they are set already.
    """
    counters = ((TENANT, key.tenant, slot.tenant_shard), (ACCOUNT, None, slot.account_shard or 0))
    return [
        update(f"flag of {name}", table, counter_key(tenant, shard), "SET waits = :yes", {":yes": True})
        for name, tenant, shard in counters
        if name in refused and not refused.by[name].get("waits")
    ]


def leave(table: str, tenant: str, position: str, condition: str | None = None) -> Step:
    """Lay out the removal of a run's place from the queue."""
    return delete("place", table, {"pk": f"T#{tenant}#WAIT", "sk": position}, condition)


def position_key(waiting: QueuedRun) -> dict[str, str]:
    """Return the key of a place in the queue."""
    return {"pk": f"T#{waiting.tenant}#WAIT", "sk": waiting.position}


def draw_steps(table: str, tenant: str, draw: Draw | None) -> list[Step]:
    """Lay out draws from every budget that counts the run."""
    if draw is None:
        return []
    both = zip(draw.budgets, draw.limits_usd_micros, strict=True)
    return [
        Step(f"{BUDGET_PREFIX}{budget}", draw_item(table, tenant, budget, limit, draw.usd_micros))
        for budget, limit in both
    ]


def return_steps(table: str, tenant: str, returns: Sequence[Allowance]) -> list[Step]:
    """Lay out returns to the budgets that were drawn from; draws of one budget are added up."""
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
    """Return the budgets that held too little."""
    return [name.removeprefix(BUDGET_PREFIX) for name in refused.by if name.startswith(BUDGET_PREFIX)]


def _put_slot(table: str, key: RunKey, slot: Slot) -> Step:
    return put_new("slot", table, to_item({**_slot_key(key), **slot.model_dump(exclude_none=True)}))


def _slot_key(key: RunKey) -> dict[str, str]:
    return {"pk": f"T#{key.tenant}#SLOT", "sk": f"R#{key.run}"}


_EVERYBODY: Final = Freed(done=True, tenant_waits=True, account_waits=True)


@dataclass(frozen=True)
class SlotReturns:
    """Writes transactions that return a slot."""

    table: str
    asked: TtlCache[Freed] = field(default_factory=lambda: TtlCache(HINT_TTL_S))
    """Which counters had a wake-up requested lately: it is sent without reading them again."""

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
        """Write the steps and return the slot, once more without conditions if wake-ups are due.

        time →   newcomer: no slot free → flags the counter → joins the queue → wake-up
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
