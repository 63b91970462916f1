"""Counted budgets in the runtime table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import Action, Item, Request, from_item, to_item
from stepward.domain.budgets import ALERT_PERCENTS, BudgetRef, BudgetScope, BudgetState
from stepward.domain.errors import StoreConflict

TOUCHED: Final = "BUDGETS"
_KEPT: Final = timedelta(days=400)


def draw_item(table: str, tenant: str, item_key: str, limit_usd_micros: int, usd_micros: int) -> Action:
    """Lay out a draw from a budget that holds enough; the first draw creates the item, full.

    time →   limit 10:   A draws 6 ✓ (4 remain)
                                      B draws 6 ✗ (4 < 6): B's whole transaction fails, nothing of it happens
    The sparse index then names the budget, so that only budgets in it are looked at for alerts.
    """
    enough = "remaining >= :drawn"
    values = {":limit": limit_usd_micros, ":drawn": usd_micros, ":tenant": tenant, ":touched": TOUCHED}
    return {
        "Update": {
            "TableName": table,
            "Key": budget_key(tenant, item_key),
            "UpdateExpression": (
                "SET remaining = if_not_exists(remaining, :limit) - :drawn, #limit = if_not_exists(#limit, :limit), "
                "tenant = :tenant, gsi3pk = :touched, gsi3sk = :place" + _expiry(item_key)
            ),
            "ConditionExpression": (
                enough if usd_micros > limit_usd_micros else f"attribute_not_exists(remaining) OR {enough}"
            ),
            "ExpressionAttributeNames": {"#limit": "limit"},
            "ExpressionAttributeValues": to_item(
                {**values, ":place": f"{tenant}#{item_key}", ":expires": _expires_at(item_key)}
            ),
        }
    }


def full_update(table: str, tenant: str, item_key: str, limit_usd_micros: int) -> Request:
    """Lay out the creation of a full budget before its first draw.

    No draw can then create it with an older limit.

    time →   operator: limit 5 ✓ item 5 ✓        a start that remembers 100: draws 9 ✗ (5 < 9)
             a start that remembers 100: item 100 ✓        operator: item ✗ (it is there) → moves its limit
    """
    values = {":limit": limit_usd_micros, ":tenant": tenant, ":expires": _expires_at(item_key)}
    return {
        "TableName": table,
        "Key": budget_key(tenant, item_key),
        "UpdateExpression": "SET remaining = :limit, #limit = :limit, tenant = :tenant" + _expiry(item_key),
        "ConditionExpression": "attribute_not_exists(remaining)",
        "ExpressionAttributeNames": {"#limit": "limit"},
        "ExpressionAttributeValues": to_item(values),
    }


def return_item(table: str, tenant: str, item_key: str, usd_micros: int) -> Action:
    """Lay out a return to a budget; a negative amount books a cost beyond the reservation.

    time →   the run's end: head ✓ money ✓ together, once        the same end again: head ✗ money ✗
    """
    return {
        "Update": {
            "TableName": table,
            "Key": budget_key(tenant, item_key),
            "UpdateExpression": "SET remaining = remaining + :returned",
            "ConditionExpression": "attribute_exists(remaining)",
            "ExpressionAttributeValues": to_item({":returned": usd_micros}),
        }
    }


def budget_key(tenant: str, item_key: str) -> Item:
    """Return the key of a counted budget."""
    return to_item({"pk": f"T#{tenant}#BUDGET", "sk": item_key})


def _expiry(item_key: str) -> str:
    return ", expires_at = :expires" if _expires_at(item_key) else ""


def _expires_at(item_key: str) -> int | None:
    """Return when the table removes a day's or a month's budget, in seconds since 1970."""
    period = BudgetRef.of(item_key).period
    if not period:
        return None
    first = date.fromisoformat(period if len(period) == 10 else f"{period}-01")
    return int((datetime(first.year, first.month, first.day, tzinfo=UTC) + _KEPT).timestamp())


_ATTEMPTS: Final = 5
_ONE_BY_ONE: Final = 2
"""How many budgets of agents are read without a query, which not every function may make: a start asks for one."""


@dataclass(frozen=True)
class DynamoBudgets:
    """Keeps counted budgets in the runtime table."""

    table: str

    def states(self, tenant: str, refs: Iterable[BudgetRef]) -> dict[BudgetRef, BudgetState]:
        """Read budgets: one read each, and one query for those of many agents."""
        wanted = list(refs)
        of_agents = sum(ref.scope is BudgetScope.AGENT for ref in wanted)
        alone = [ref for ref in wanted if ref.scope is not BudgetScope.AGENT or of_agents <= _ONE_BY_ONE]
        found = [self._read(tenant, ref) for ref in alone]
        if len(alone) < len(wanted):
            found += self._of_agents(tenant)
        return {state.ref: state for state in found if state and state.ref in wanted}

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(_ATTEMPTS), reraise=True)
    def move_limit(self, tenant: str, ref: BudgetRef, limit_usd_micros: int) -> None:
        """Move limit and remainder by the same difference; a budget without draws is created full.

        time →   read limit 10        runs draw: remaining moves, the limit does not        limit 10 → 15, remaining + 5 ✓
                 read limit 10        another operator sets 12                              limit 10 ✗ → read again
        """
        before = self._read(tenant, ref)
        if before is None:
            self._write(full_update(self.table, tenant, ref.item_key, limit_usd_micros), ref, tenant)
            return
        if before.limit_usd_micros == limit_usd_micros:
            return
        after = before.with_limit(limit_usd_micros)
        self._update(
            before,
            "SET #limit = :limit, remaining = remaining + :more, alerted_pct = :alerted, gsi3pk = :touched, "
            "gsi3sk = :place REMOVE refused_at",
            "#limit = :before",
            {
                ":limit": limit_usd_micros,
                ":before": before.limit_usd_micros,
                ":more": limit_usd_micros - before.limit_usd_micros,
                ":alerted": after.alerted_pct,
                ":touched": TOUCHED,
                ":place": _place(before),
            },
        )

    def refused(self, tenant: str, item_key: str, at: str) -> None:
        """Mark a refused draw once.

        time →   run A is refused: noted ✓        run B is refused: it is noted already ✗, which is as well
        """
        state = BudgetState(
            tenant=tenant, ref=BudgetRef.of(item_key), limit_usd_micros=0, remaining_usd_micros=0
        )
        self._unless_done(
            state,
            "SET refused_at = :at, gsi3pk = :touched, gsi3sk = :place",
            "attribute_exists(remaining) AND attribute_not_exists(refused_at)",
            {":at": at, ":touched": TOUCHED, ":place": _place(state)},
        )

    def touched(self, limit: int) -> list[BudgetState]:
        """List the budgets in the sparse index, and read each of them."""
        with translated("listing budgets that were drawn from"):
            found = client("dynamodb").query(
                TableName=self.table,
                IndexName="GSI3",
                KeyConditionExpression="gsi3pk = :pk",
                ExpressionAttributeValues=to_item({":pk": TOUCHED}),
                Limit=limit,
            )
        places = [from_item(item)["gsi3sk"].partition("#") for item in found["Items"]]
        states = [self._read(tenant, BudgetRef.of(item_key)) for tenant, _, item_key in places]
        return [state for state in states if state]

    def alerted(self, state: BudgetState, percent: int, at: str) -> bool:
        """Mark an alert once.

        time →   janitor A: 80 ✓ tells it        janitor B, the same minute: 80 ✗ → says nothing
        """
        return self._unless_done(
            state,
            f"SET alerted_pct = :percent, alerted_{percent}_at = :at",
            "attribute_not_exists(alerted_pct) OR alerted_pct < :percent",
            {":percent": percent, ":at": at},
        )

    def clear_touched(self, state: BudgetState) -> None:
        """Take a budget out of the sparse index.

        time →   janitor reads 4        a run draws 1 (3 remain, touched)        janitor: remaining is not 4 ✗ → next minute
        """
        self._unless_done(
            state,
            "REMOVE gsi3pk, gsi3sk",
            "remaining = :seen",
            {":seen": state.remaining_usd_micros},
        )

    def _unless_done(
        self, state: BudgetState, update: str, condition: str, values: Mapping[str, object]
    ) -> bool:
        try:
            self._update(state, update, condition, values)
        except _Refused:
            return False
        return True

    def _update(self, state: BudgetState, update: str, condition: str, values: Mapping[str, object]) -> None:
        names = {"ExpressionAttributeNames": {"#limit": "limit"}} if "#limit" in update else {}
        request: Request = {
            "TableName": self.table,
            "Key": budget_key(state.tenant, state.ref.item_key),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            **names,
        }
        self._write(request, state.ref, state.tenant)

    def _write(self, request: Request, ref: BudgetRef, tenant: str) -> None:
        with translated(f"changing budget {ref.item_key} of {tenant}"):
            try:
                client("dynamodb").update_item(**request)
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                raise _Refused(f"budget {ref.item_key} was changed meanwhile.") from error

    def _read(self, tenant: str, ref: BudgetRef) -> BudgetState | None:
        with translated(f"reading budget {ref.item_key} of {tenant}"):
            item = client("dynamodb").get_item(
                TableName=self.table, Key=budget_key(tenant, ref.item_key), ConsistentRead=True
            )
        return _state(tenant, item["Item"]) if "Item" in item else None

    def _of_agents(self, tenant: str) -> list[BudgetState | None]:
        request = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :agents)",
            "ExpressionAttributeValues": to_item({":pk": f"T#{tenant}#BUDGET", ":agents": "agent#"}),
            "ConsistentRead": True,
        }
        with translated("reading budgets of agents"):
            pages = client("dynamodb").get_paginator("query").paginate(**request)
            return [_state(tenant, item) for page in pages for item in page["Items"]]


class _Refused(StoreConflict):
    """The condition failed: another writer was first."""


def _place(state: BudgetState) -> str:
    return f"{state.tenant}#{state.ref.item_key}"


def _state(tenant: str, item: Item) -> BudgetState | None:
    plain = from_item(item)
    return BudgetState(
        tenant=tenant,
        ref=BudgetRef.of(plain["sk"]),
        limit_usd_micros=plain["limit"],
        remaining_usd_micros=plain["remaining"],
        alerted_pct=plain.get("alerted_pct", 0),
        alerts={str(p): plain[f"alerted_{p}_at"] for p in ALERT_PERCENTS if f"alerted_{p}_at" in plain},
        refused_at=plain.get("refused_at"),
    )
