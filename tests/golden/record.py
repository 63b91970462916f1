"""Writes the golden files of a release: `python -m tests.golden.record VERSION`, once a release."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from infra.local.bench.counts import RUNS
from infra.local.histories import wait_for_end
from infra.local.laptop import Laptop
from infra.local.library import BENCH, SUPPORT, http_client, register, upload_datasets

FOLDER = Path(__file__).parent


def record(folder: Path) -> None:
    """Run each reference agent once and keep its journal and the states of its execution."""
    with Laptop() as laptop, http_client(laptop) as client:
        upload_datasets(laptop, SUPPORT / "datasets")
        for name in RUNS:
            agent = register(client, BENCH / f"{name}.yaml")["id"]
            run = client.post(f"/agents/{agent}/runs", json={"input": "a golden run"}).json()["id"]
            execution = wait_for_end(laptop, run, 60)
            _write(folder / f"journal-{name}.json", _items(laptop, run))
            entered = [e for e in laptop.history(execution) if e["type"].endswith("StateEntered")]
            states = [event["stateEnteredEventDetails"]["name"] for event in entered]
            _write(folder / f"history-{name}.json", states)


def _items(laptop: Laptop, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = laptop.client("dynamodb").query(
        TableName=laptop.physical_id("AWS::DynamoDB::Table", "-journal"),
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"T#acme#R#{run}"}},
    )["Items"]
    return found


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record(FOLDER / sys.argv[1])
