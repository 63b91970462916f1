"""Facts on the account's default event bus."""

from __future__ import annotations

import json
from typing import Any

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.domain.errors import DependencyTimeout


class EventBridgeEvents:
    """The default bus."""

    def put(self, source: str, type_: str, detail: dict[str, Any]) -> None:
        """Put one event; the service may refuse an entry in an answer that is otherwise well."""
        entry = {"Source": source, "DetailType": type_, "Detail": json.dumps(detail)}
        with translated(f"telling {type_}"):
            said = client("events").put_events(Entries=[entry])
        if said.get("FailedEntryCount"):
            failed = said["Entries"][0]
            raise DependencyTimeout(
                f"the event bus did not take {type_}: {failed.get('ErrorCode')} {failed.get('ErrorMessage')}"
            )
