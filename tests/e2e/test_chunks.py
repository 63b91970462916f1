"""A foreach in chunks on the real machine: executions of one machine, stopped and begun anew by the rooms that look after it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from infra.local.histories import count
from infra.local.laptop import Laptop
from tests.e2e.executions import executions_of, machine_arn
from tests.e2e.test_workflows import register, run
from tests.local.patience import wait_for

pytestmark = pytest.mark.laptop
CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}


def executions(laptop: Laptop, api: httpx2.Client, workflow: str, run_id: str) -> dict[str, str]:
    """The executions of a run and of its chunks, with how they stand."""
    found = executions_of(laptop, machine_arn(api, workflow), run_id)
    return {each["executionArn"]: each["status"] for each in found}


def test_sixty_items_in_three_chunks(api: httpx2.Client, laptop: Laptop) -> None:
    row = {
        "id": "row",
        "type": "transform",
        "on_error": "continue",
        "output": "{% $item = 13 ? $error('no') : 2 * $item %}",
    }
    each = {
        "id": "each",
        "type": "foreach",
        "items": "{% $input.rows %}",
        "max_items": 1_000,
        "max_parallel": 9,
    }
    register(
        api,
        id="chunked-flow",
        on_error="continue",
        allow_partial=True,
        tasks=[{**each, "chunk_size": 20, "tasks": [row]}],
    )
    found = run(api, "chunked-flow", {"rows": list(range(60))})
    assert found["status"] == "PARTIALLY_COMPLETED", found["error"]
    assert found["output"] == [None if number == 13 else 2 * number for number in range(60)]
    assert found["report"]["counts"] == {"COMPLETED": 60, "FAILED": 1}
    ran = executions(laptop, api, "chunked-flow", found["id"])
    client = laptop.client("stepfunctions")
    histories = [client.get_execution_history(executionArn=arn, maxResults=1_000)["events"] for arn in ran]
    assert sorted(count(events).states_entered for events in histories) == [8, 23, 23, 23]


def test_a_chunk_that_is_stopped_begins_anew_and_a_cancel_ends_all(
    api: httpx2.Client, laptop: Laptop
) -> None:
    each = {
        "id": "each",
        "type": "foreach",
        "items": [1, 2],
        "chunk_size": 1,
        "max_parallel": 2,
        "tasks": [CALL],
    }
    register(api, id="stopped-chunks", tasks=[each])
    run_id = api.post("/workflows/stopped-chunks/runs", json={}).json()["id"]

    def running(at_least: int) -> list[str] | None:
        ran = executions(laptop, api, "stopped-chunks", run_id)
        found = [arn for arn, status in ran.items() if status == "RUNNING" and ".chunk_" in arn]
        waits = [task for task in api.get(f"/runs/{run_id}").json()["tasks"] if "callback" in task]
        return found if len(ran) >= at_least and len(found) == 2 and len(waits) == 2 else None

    first: list[str] = wait_for(lambda: running(3))
    laptop.client("stepfunctions").stop_execution(executionArn=first[0])
    second: list[str] = wait_for(lambda: running(4))
    assert first[0] not in second
    assert api.post(f"/runs/{run_id}/cancel").status_code == 202
    ended: dict[str, Any] = executions(laptop, api, "stopped-chunks", run_id)
    assert set(ended.values()) == {"ABORTED"}
