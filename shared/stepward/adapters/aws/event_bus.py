"""Puts events on an EventBridge bus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.domain.errors import DependencyTimeout


@dataclass(frozen=True)
class EventBridgeEvents:
    """One bus; the account's default one if no other is named."""

    bus: str | None = None

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Put one event; a refused entry raises, although the answer as a whole is a success."""
        entry = {"Source": source, "DetailType": type_, "Detail": json.dumps(detail)}
        entry |= {"EventBusName": self.bus} if self.bus else {}
        with translated(f"telling {type_}"):
            said = client("events").put_events(Entries=[entry])
        if said.get("FailedEntryCount"):
            failed = said["Entries"][0]
            raise DependencyTimeout(
                f"the event bus did not take {type_}: {failed.get('ErrorCode')} {failed.get('ErrorMessage')}"
            )
