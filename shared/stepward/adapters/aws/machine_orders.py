"""Orders for the one room that may make state machines."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated


@dataclass(frozen=True)
class LambdaOrders:
    """Invokes the room without waiting: Lambda tries an order that fails twice more, minutes apart."""

    function: str

    def publish(self, tenant: str, workflow: str, version: str) -> None:
        """Have a version's machine made."""
        self._send({"tenant": tenant, "workflow": workflow, "version": version}, f"{workflow} {version}")

    def discard(self, machine: str) -> None:
        """Have a machine taken away."""
        self._send({"discard": machine}, machine)

    def _send(self, order: dict[str, str], what: str) -> None:
        with translated(f"ordering {what}"):
            client("lambda").invoke(
                FunctionName=self.function, InvocationType="Event", Payload=json.dumps(order)
            )
