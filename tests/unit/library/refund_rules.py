"""The refund rules once more, in plain Python from the policy's words: what the rehearsal is held against."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.unit.library.rehearsal_driver import DATASETS

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (DATASETS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def topics() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATASETS / "refund-policy.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["topics"]
    return found


def expected_text(ticket: Row, orders: dict[str, Row], policies: dict[str, Any]) -> str:  # noqa: PLR0911  one return a rule
    """The words that an answer to this ticket must hold."""
    if not ticket["order_id"]:
        return "names no order"
    order = orders.get(ticket["order_id"])
    if order is None:
        return "cannot find order"
    if order["email"] != ticket["email"]:
        return "not on your account"
    standing = {"refunded": "already been refunded", "cancelled": "was cancelled"}.get(order["status"])
    if standing:
        return standing
    if not order["delivered_on"]:
        return "has not been delivered yet"
    if order["category"] not in policies:
        return "a colleague will decide"
    return _by_policy(ticket, order, policies[order["category"]])


def _by_policy(ticket: Row, order: Row, policy: dict[str, Any]) -> str:
    days = (date.fromisoformat(ticket["created_on"]) - date.fromisoformat(order["delivered_on"])).days
    percent = policy["refund_percent"].get(ticket["reason"], 0)
    if days > policy["window_days"]:
        return f"{days} days after"
    if ticket["reason"] == "late_delivery" and order["delivered_on"] <= order["promised_on"]:
        return "on time"
    if percent == 0:
        return "does not cover"
    pays_fee = ticket["reason"] in policy["restocking_fee_reasons"] and days > policy["fee_free_days"]
    percent -= policy["restocking_fee_percent"] if pays_fee else 0
    amount = (Decimal(order["amount"]) * percent / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"refund {amount} {order['currency']}"
