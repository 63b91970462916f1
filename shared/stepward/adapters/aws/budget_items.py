"""How runs draw from budgets and give back: items of their transactions, so that parallel runs never overspend."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from stepward.adapters.aws.items import to_item
from stepward.domain.budgets import BudgetRef

TransactItem = dict[str, Any]
TOUCHED: Final = "BUDGETS"
_KEPT: Final = timedelta(days=400)


def draw_item(table: str, tenant: str, item_key: str, limit_usd_micros: int, usd_micros: int) -> TransactItem:
    """Take money from a budget if enough remains; the first draw makes the item, full.

    time →   limit 10:   A draws 6 ✓ (4 remain)
                                      B draws 6 ✗ (4 < 6): B's whole transaction fails, nothing of it happens
    The sparse index then names the budget, so that whoever gives alerts looks at it and at no other.
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


def full_update(table: str, tenant: str, item_key: str, limit_usd_micros: int) -> dict[str, Any]:
    """Begin to count a budget before anybody draws from it, so that no draw can begin it with an older limit.

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


def return_item(table: str, tenant: str, item_key: str, usd_micros: int) -> TransactItem:
    """Give money back; a negative amount books what a call cost beyond its reservation.

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


def budget_key(tenant: str, item_key: str) -> dict[str, Any]:
    """The key of a counted budget."""
    return to_item({"pk": f"T#{tenant}#BUDGET", "sk": item_key})


def _expiry(item_key: str) -> str:
    return ", expires_at = :expires" if _expires_at(item_key) else ""


def _expires_at(item_key: str) -> int | None:
    """Let the table forget a day's or month's budget when nobody asks for it any more."""
    period = BudgetRef.of(item_key).period
    if not period:
        return None
    first = date.fromisoformat(period if len(period) == 10 else f"{period}-01")
    return int((datetime(first.year, first.month, first.day, tzinfo=UTC) + _KEPT).timestamp())
