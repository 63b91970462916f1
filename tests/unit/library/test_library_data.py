"""What ships fits together: definitions are valid, data sets are consistent, their traps are the intended ones."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from stepward.agents.definition_checks import check_agent
from tests.unit.library.refund_rules import expected_text, rows, topics
from tests.unit.library.rehearsal_driver import LIBRARY, load, play

TICKETS = rows("tickets.csv")
ORDERS = {row["order_id"]: row for row in rows("orders.csv")}
POLICIES = topics()
AGENTS = sorted(str(path.relative_to(LIBRARY)) for path in LIBRARY.rglob("*.yaml"))


@pytest.mark.parametrize("path", AGENTS)
def test_the_registry_takes_every_shipped_agent_and_its_data_ships_too(path: str) -> None:
    agent = load(path)
    check_agent(agent, http_allow=())
    sources = [use.config["source"] for use in agent.tools if "source" in use.config]
    assert all((LIBRARY / "support" / source).is_file() for source in sources)


def test_ids_are_unique_and_there_are_about_two_hundred() -> None:
    assert len({t["ticket_id"] for t in TICKETS}) == len(TICKETS) == 200
    assert len(rows("orders.csv")) == len(ORDERS) == 205


def test_every_order_exists_but_for_the_traps() -> None:
    missing = [t["ticket_id"] for t in TICKETS if t["order_id"] and t["order_id"] not in ORDERS]
    unnamed = [t["ticket_id"] for t in TICKETS if not t["order_id"]]
    foreign = [
        t["ticket_id"] for t in TICKETS if (o := ORDERS.get(t["order_id"])) and o["email"] != t["email"]
    ]
    assert (len(missing), len(unnamed), len(foreign)) == (4, 3, 3)


def test_dates_amounts_and_statuses_are_in_order() -> None:
    for order in ORDERS.values():
        assert Decimal(order["amount"]) > 0
        assert order["currency"] in {"EUR", "USD", "GBP"}
        assert order["ordered_on"] < order["promised_on"]
        assert not order["delivered_on"] or order["ordered_on"] < order["delivered_on"]
        assert bool(order["delivered_on"]) == (order["status"] in {"delivered", "refunded"})
        assert order["category"] in POLICIES or order["category"] == "custom_print"


def test_a_ticket_is_written_after_its_order() -> None:
    for ticket in TICKETS:
        written = date.fromisoformat(ticket["created_on"])
        order = ORDERS.get(ticket["order_id"])
        assert order is None or date.fromisoformat(order["ordered_on"]) < written
        assert len(ticket["subject"]) > 5
        assert len(ticket["body"]) > 30


def test_texts_differ_and_hold_what_breaks_careless_readers() -> None:
    bodies = [t["body"] for t in TICKETS]
    assert len(set(bodies)) == len(bodies)
    assert any("\n" in body for body in bodies)
    assert any('"' in t["subject"] or "," in t["subject"] for t in TICKETS)
    assert any(not t["customer"].isascii() for t in TICKETS)


def test_every_kind_of_outcome_occurs() -> None:
    kinds = Counter(
        " ".join(w for w in expected_text(t, ORDERS, POLICIES).split() if w.isalpha()) for t in TICKETS
    )
    assert set(kinds) == {
        *("refund EUR", "refund USD", "refund GBP", "days after", "does not cover", "on time"),
        *("names no order", "cannot find order", "not on your account", "already been refunded"),
        *("was cancelled", "has not been delivered yet", "a colleague will decide"),
    }


@pytest.mark.parametrize(
    ("path", "calls", "says"),
    [
        ("bench/one_turn.yaml", [], "Done in turn 1."),
        ("bench/remote_2_2.yaml", [["policy_lookup"] * 2] * 2, "Read 4 policies"),
        ("bench/remote_2_2_2.yaml", [["policy_lookup"] * 2] * 3, "Read 6 policies"),
        (
            "bench/inline_2_2_2.yaml",
            [["record_lookup", "calculate"]] * 3,
            "Found 3 orders; the last sum is 89.50.",
        ),
    ],
)
def test_bench_agents_make_exactly_the_calls_they_are_named_for(
    path: str, calls: list[list[str]], says: str
) -> None:
    played = play(load(path), "go")
    assert played.calls == calls
    assert says in played.output
    assert load(path).id == "bench-" + path.removeprefix("bench/").removesuffix(".yaml").replace("_", "-")
