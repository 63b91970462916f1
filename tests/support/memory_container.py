"""A container with memory behind its ports, in which whole functions answer requests without a socket."""

from __future__ import annotations

import json
from typing import Any

from stepward.adapters.memory.costs import MemoryPrices
from stepward.adapters.memory.small_ports import MemoryEvents
from stepward.runtime.config import Settings
from stepward.runtime.container import Container
from tests.support.driver import World
from tests.support.workflow_world import WorkflowWorld


class LambdaContext:
    """What a handler asks of its invocation."""

    aws_request_id = "invocation-1"
    function_name = "function"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def memory_container(world: World, flows: WorkflowWorld | None = None) -> Container:
    """Put the parts of a world behind the ports; what no test has put there says that it is not configured."""
    made = Container(Settings())
    ports, flows = made.ports, flows or WorkflowWorld()
    ports.clock, ports.ids = world.clock, world.ids
    ports.journal, ports.runtime_state, ports.run_lists = world.journal, world.runtime, world.runtime
    ports.run_queue, ports.wake_ups, ports.tokens = world.run_queue, world.wake_ups, world.tokens
    ports.approvals, ports.run_machine, ports.registry = world.approvals, world.machine, world.registry
    ports.datasets, ports.limits, ports.limits_store = world.datasets, world.limits, world.limits
    ports.account_bus, ports.stage_bus = world.told, MemoryEvents()
    ports.prompt_registry, ports.prompt_counts = world.prompts, world.runtime.prompt_counts
    ports.price_store, ports.budgets = MemoryPrices(), world.runtime.budgets
    ports.workflow_registry, ports.task_store, ports.workflow_runs = flows.registry, flows.store, flows.runs
    ports.workflow_slots, ports.workflow_machines = flows.runs.slots, flows.machines
    return made


def request(method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> dict[str, Any]:
    """An HTTP request of the tenant `acme`, as API Gateway hands it on."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"content-type": "application/json"},
        "queryStringParameters": query or {},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "stage": "$default",
            "http": {"method": method, "path": path},
            "authorizer": {"lambda": {"tenant": "acme", "principal": "tester"}},
        },
    }
