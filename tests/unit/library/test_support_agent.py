"""The support agent's answers follow from the data: every ticket, and what happens when the data changes."""

from __future__ import annotations

import csv
import json
from functools import cache

import pytest

from tests.unit.library.refund_rules import expected_text, rows, topics
from tests.unit.library.rehearsal_driver import DATASETS, LIBRARY, Played, load, play

AGENT = load("support/agent.yaml")
TICKETS = {row["ticket_id"]: row for row in rows("tickets.csv")}
ORDERS = {row["order_id"]: row for row in rows("orders.csv")}
POLICIES = topics()


def demo_rows() -> list[dict[str, str]]:
    with (LIBRARY / "support" / "demo.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def answer(ticket_id: str) -> Played:
    return play(AGENT, json.dumps({"ticket_id": ticket_id}))


@pytest.mark.parametrize("row", demo_rows(), ids=lambda row: row["case"])
def test_each_ticket_of_the_demonstration_is_answered_as_expected(row: dict[str, str]) -> None:
    assert row["expect"] in answer(row["ticket_id"]).output
    assert row["expect"] == expected_text(TICKETS[row["ticket_id"]], ORDERS, POLICIES)


def test_every_ticket_is_answered_as_the_policy_says() -> None:
    wrong = [
        (ticket_id, wanted, answer(ticket_id).output)
        for ticket_id, ticket in TICKETS.items()
        if (wanted := expected_text(ticket, ORDERS, POLICIES)) not in answer(ticket_id).output
    ]
    assert wrong == []


def test_a_decided_case_calls_no_further_tool() -> None:
    assert answer("T-1001").calls == [["find_ticket"], ["find_order"], ["policy_lookup"], ["calculate"]]
    assert answer("T-1006").calls == [["find_ticket"], ["find_order"], ["policy_lookup"]]
    assert answer("T-1008").calls == [["find_ticket"], ["find_order"]]


def test_nothing_of_somebody_elses_order_is_told() -> None:
    order = ORDERS[TICKETS["T-1011"]["order_id"]]
    told = answer("T-1011").output
    assert all(order[name] not in told for name in ("customer", "email", "item", "amount", "delivered_on"))


def test_a_ticket_that_gives_orders_gets_the_policy() -> None:
    assert "5,000" in TICKETS["T-1014"]["body"]
    assert "5,000" not in answer("T-1014").output
    assert "5000" not in answer("T-1014").output


@pytest.mark.parametrize("given", ["T-1001", '{"ticket_id": "T-1001"}'])
def test_the_number_may_come_as_text_or_in_an_object(given: str) -> None:
    assert demo_rows()[0]["expect"] in play(AGENT, given).output


def test_an_unknown_ticket_is_said_to_be_unknown() -> None:
    played = play(AGENT, '{"ticket_id": "T-9999"}')
    assert "cannot find ticket T-9999" in played.output
    assert played.calls == [["find_ticket"]]


def changed_order(ticket_id: str, **changes: str) -> dict[str, bytes]:
    order = TICKETS[ticket_id]["order_id"]
    found = rows("orders.csv")
    lines = [",".join(found[0])]
    for row in found:
        cells = {**row, **changes} if row["order_id"] == order else row
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells.values()))
    return {"datasets/orders.csv": "\n".join(lines).encode()}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": "10.00", "currency": "CHF"}, "refund 10.00 CHF"),
        ({"delivered_on": ""}, "has not been delivered yet"),
        ({"delivered_on": "2025-01-01"}, "days after"),
        ({"status": "refunded"}, "already been refunded"),
        ({"category": "weapons"}, "a colleague will decide"),
        ({"email": "else@example.com"}, "not on your account"),
        ({"order_id": "SO-1"}, "cannot find order"),
    ],
)
def test_a_changed_order_changes_the_answer(changes: dict[str, str], expected: str) -> None:
    assert expected in play(AGENT, "T-1001", changed_order("T-1001", **changes)).output


def test_a_changed_policy_changes_the_answer() -> None:
    document = json.loads((DATASETS / "refund-policy.json").read_text(encoding="utf-8"))
    document["topics"]["electronics"]["refund_percent"]["damaged"] = 50
    half = float(ORDERS[TICKETS["T-1001"]["order_id"]]["amount"]) / 2
    played = play(AGENT, "T-1001", {"datasets/refund-policy.json": json.dumps(document).encode()})
    assert f"50% of {half * 2:.2f}" in played.output
    del document["topics"]["electronics"]["refund_percent"]["damaged"]
    played = play(AGENT, "T-1001", {"datasets/refund-policy.json": json.dumps(document).encode()})
    assert "does not cover" in played.output


@pytest.mark.parametrize(
    ("file", "body"),
    [
        ("datasets/tickets.csv", b"no,such,column\n1,2,3\n"),
        ("datasets/orders.csv", b"\xff\xfe\x00"),
        ("datasets/refund-policy.json", b"{broken"),
    ],
)
def test_a_broken_data_set_is_admitted_not_guessed_around(file: str, body: bytes) -> None:
    assert "colleague will answer" in play(AGENT, "T-1001", {file: body}).output


def test_an_amount_that_is_no_number_is_admitted() -> None:
    played = play(AGENT, "T-1001", changed_order("T-1001", amount="on request"))
    assert "cannot be worked out" in played.output
