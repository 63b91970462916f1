"""Journals and histories of every release are loaded, understood and finished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from stepward.adapters.aws.journal import DynamoJournal
from stepward.domain.events import events_of
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey, RunStatus
from tests.support.builders import a_head
from tests.support.driver import World
from tests.support.mocked_aws import mocked_aws

FOLDER = Path(__file__).parent
JOURNALS = sorted(FOLDER.glob("*/journal-*.json"))
BENCH = FOLDER.parents[1] / "shared" / "stepward" / "library" / "bench"


def named(path: Path) -> str:
    return f"{path.parent.name} {path.stem}"


@pytest.fixture(params=JOURNALS, ids=named)
def golden(request: pytest.FixtureRequest) -> Iterator[tuple[Path, DynamoJournal, RunKey]]:
    """A table with one release's items of one run."""
    items: list[dict[str, Any]] = json.loads(request.param.read_text())
    _, tenant, _, run = items[0]["pk"]["S"].split("#")
    with mocked_aws():
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName="journal",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        for item in items:
            dynamodb.put_item(TableName="journal", Item=item)
        yield request.param, DynamoJournal("journal", "data"), RunKey(tenant=tenant, run=run)


def test_there_are_golden_journals() -> None:
    assert len(JOURNALS) >= 4


def test_an_old_journal_tells_its_story(golden: tuple[Path, DynamoJournal, RunKey]) -> None:
    _, journal, key = golden
    loaded = journal.load(key)
    state = fold(loaded)
    assert state.end is not None
    assert state.end.status is RunStatus.COMPLETED
    assert state.ledger.totals.cost_usd_micros > 0
    events = [event for item in loaded.records for event in events_of(key.run, item, loaded.calls)]
    assert events[-1]["type"] == "agent.run.ended"
    assert len([e for e in events if e["type"] == "agent.tool.completed"]) == state.ledger.totals.tool_calls


def test_an_old_journal_is_finished_from_every_record_on(golden: tuple[Path, DynamoJournal, RunKey]) -> None:
    """As if the new release had been deployed in the middle of the old run."""
    path, journal, key = golden
    loaded = journal.load(key)
    body = yaml.safe_load((BENCH / f"{path.stem.removeprefix('journal-')}.yaml").read_text())
    old = fold(loaded)
    for length in range(1, len(loaded.records)):
        world = World()
        policy = BENCH.parent / "support" / "datasets" / "refund-policy.json"
        world.datasets.put(key.tenant, "datasets/refund-policy.json", policy.read_bytes())
        orders = BENCH.parent / "support" / "datasets" / "orders.csv"
        world.datasets.put(key.tenant, "datasets/orders.csv", orders.read_bytes())
        world.register(body)
        first = loaded.records[0].record
        head = a_head(agent=body["id"], version=body["version"], deadline_at="2999-01-01T00:00:00.000Z")
        head = head.model_copy(update={"run": key.run, "tenant": key.tenant})
        world.runtime.heads[key] = head
        world.journal.append(key, 1, first.model_copy(update={"deadline_at": head.deadline_at}))
        for item in loaded.records[1:length]:
            world.journal.append(key, item.seq, item.record)
        for call in loaded.calls.values():
            if call.result:
                world.journal.put_result(key, call.result)
        assert world.finish(key)["status"] == "COMPLETED"
        assert fold(world.journal.load(key)).ledger.totals.turns == old.ledger.totals.turns


def test_the_machine_enters_the_states_that_it_always_did() -> None:
    asl = json.loads((FOLDER.parents[1] / "statemachines" / "agent-run.asl.json").read_text())
    known = set(asl["States"]) | set(asl["States"]["CallTools"]["ItemProcessor"]["States"])
    for path in FOLDER.glob("*/history-*.json"):
        entered = json.loads(path.read_text())
        assert set(entered) <= known, named(path)
        assert entered[0] == "AdvanceRun"
        assert entered[-1] == "RunEnded"
    counts = {p.stem: len(json.loads(p.read_text())) for p in FOLDER.glob("0.1.0/history-*.json")}
    assert counts == {
        "history-one_turn": 3,
        "history-remote_2_2": 13,
        "history-remote_2_2_2": 18,
        "history-inline_2_2_2": 3,
    }
