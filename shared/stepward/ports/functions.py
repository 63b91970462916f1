"""Lambda functions that carry out tools: folders of your own, and others of the account that the stage allows."""

from __future__ import annotations

from typing import Any, Protocol


class Functions(Protocol):
    """Calls functions and waits for the answer; a call is never sent twice.

    Raises `ToolUnavailable` when no answer came, `ToolFailed` when the function raised or may not be called.
    """

    def own(self, room: str, payload: dict[str, Any]) -> Any:
        """Call a folder of the stage's own tools."""

    def foreign(self, name: str, payload: dict[str, Any], custom: dict[str, str]) -> Any:
        """Call another function of the account, if it carries the tag `stepward:tool`; `custom` is its client context."""
