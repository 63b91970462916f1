"""AWS's prices in micro-dollars each, as data with source and date.

List prices of us-east-1 for arm64, read in November 2026 at aws.amazon.com/{step-functions,lambda,dynamodb,s3,api-gateway,
eventbridge,sqs}/pricing; those of EventBridge and S3 are remembered and were not looked up again. Free tiers, savings
plans, storage, transfer, logs and the start of a cold function are not in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pydantic import BaseModel, ConfigDict

AS_OF: Final = "2026-11-21"
USD_MICROS_EACH: Final[dict[str, Decimal]] = {
    "transitions": Decimal(25),
    "lambda_requests": Decimal("0.2"),
    "lambda_mb_ms": Decimal("13.3334") / 1024 / 1000,
    "write_units": Decimal("0.625"),
    "read_units": Decimal("0.125"),
    "s3_puts": Decimal(5),
    "s3_gets": Decimal("0.4"),
    "http_requests": Decimal(1),
    "events": Decimal(1),
    "queue_messages": Decimal("0.5"),
}


class AwsCost(BaseModel):
    """What AWS charges for a run: counts under AWS's names, and their list price rounded up."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    counts: dict[str, int]
    usd_micros: int


ROOM_MEMORY_MB: Final[dict[str, int]] = {
    "agent_advance": 768,
    "approvals_api": 512,
    "authorizer": 256,
    "callbacks": 512,
    "dispatch": 512,
    "runs_api": 512,
    "task_run": 1024,
    "tool_invoke": 512,
    "workflows_api": 1024,
}
"""The functions that a run uses, with the memory of their `function.toml`; a test compares the two."""
