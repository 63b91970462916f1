"""A run's end adds to the counts of its prompt once, in the transaction that ends it."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.aws.prompt_counts import DynamoPromptCounts
from stepward.domain.prompt_records import ArmCount
from stepward.domain.runs import Closing, RunStatus, Totals
from stepward.ports.prompts import PromptCounts
from stepward.ports.run_queue import Freed
from stepward.ports.runs import Settlement
from tests.support.builders import LATER, a_key, a_new_run

CLOSING = Closing(status=RunStatus.COMPLETED, ended_at=LATER, ended_seq=3, error=None, totals=Totals())
ONE = ArmCount(
    prompt="support", label="prod", version="1.9.0", runs=1, completed=1, cost_usd_micros=30, active_ms=900
)


def counts_of(ports: Any) -> PromptCounts:
    in_memory = getattr(ports.runtime, "prompt_counts", None)
    return in_memory if in_memory is not None else DynamoPromptCounts("runtime")


def end(ports: Any, run: int, arm: ArmCount | None, tenant: str = "acme") -> Freed:
    key = a_key(run, tenant)
    ports.runtime.start(a_new_run(run, tenant=tenant))
    freed: Freed = ports.runtime.close(key, Settlement(CLOSING, arm=arm))
    return freed


def test_ends_add_up_whichever_shard_they_fall_on(ports: Any) -> None:
    for run in range(1, 10):
        end(ports, run, ONE)
    (found,) = counts_of(ports).arms("acme", "support")
    assert found == ONE.model_copy(
        update={"runs": 9, "completed": 9, "cost_usd_micros": 270, "active_ms": 8_100}
    )


def test_a_run_counts_once(ports: Any) -> None:
    end(ports, 1, ONE)
    assert ports.runtime.close(a_key(1), Settlement(CLOSING, arm=ONE)) == Freed(done=False)
    assert counts_of(ports).arms("acme", "support") == [ONE]


def test_labels_and_versions_count_apart_sorted_by_both(ports: Any) -> None:
    arms = [
        ONE.model_copy(update={"version": "1.10.0"}),
        ONE,
        ONE.model_copy(update={"label": ""}),
        ArmCount(prompt="support", label="beta", version="2.0.0", runs=1),
    ]
    for run, arm in enumerate(arms, start=1):
        end(ports, run, arm)
    found = counts_of(ports).arms("acme", "support")
    assert [(one.label, one.version) for one in found] == [
        ("", "1.9.0"), ("beta", "2.0.0"), ("prod", "1.9.0"), ("prod", "1.10.0"),
    ]  # fmt: skip
    assert [one.completed for one in found] == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("tenant", "prompt"), [("other", "support"), ("acme", "suppor"), ("acme", "support-2")]
)
def test_counts_are_of_one_tenant_and_one_prompt(ports: Any, tenant: str, prompt: str) -> None:
    end(ports, 1, ONE)
    assert counts_of(ports).arms(tenant, prompt) == []


def test_a_run_without_a_prompt_counts_nowhere(ports: Any) -> None:
    end(ports, 1, None)
    assert counts_of(ports).arms("acme", "support") == []
