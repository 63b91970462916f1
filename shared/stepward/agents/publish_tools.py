"""Publishes the tools of folders: after a deployment the shelf says what is deployed, and nothing that is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stepward.domain.errors import ModelFault, ToolFailed
from stepward.domain.published_tools import DESCRIBE, PublishedTool, ToolRoom
from stepward.ports.clock import Clock, iso
from stepward.ports.functions import Functions
from stepward.ports.tool_shelf import ToolShelf

_SHOWN_CHARS: Final = 500


class _Description(BaseModel):
    """What a folder answers when it is asked to describe itself."""

    model_config = ConfigDict(extra="ignore")

    tools: tuple[PublishedTool, ...] = Field(max_length=64)


@dataclass(frozen=True)
class PublishTools:
    """The use case behind `tool_publisher`; `rooms` are the folders that are deployed now."""

    functions: Functions
    shelf: ToolShelf
    clock: Clock
    rooms: Sequence[str]

    def __call__(self) -> dict[str, int]:
        """Publish every folder; one that cannot be asked fails the whole at the end, so that it is tried again."""
        now, offered, faults = iso(self.clock.now()), dict[str, int](), list[str]()
        for room in self.rooms:
            try:
                tools = self._asked(room)
            except ModelFault as fault:
                faults.append(f"{room}: {fault.detail}")
                continue
            self.shelf.put(ToolRoom(room=room, published_at=now, tools=tools))
            offered[room] = len(tools)
        for gone in self.shelf.rooms():
            if gone.tools and gone.room not in self.rooms:
                self.shelf.put(ToolRoom(room=gone.room, published_at=now))
                offered[gone.room] = 0
        if faults:
            raise ToolFailed("; ".join(faults)[:_SHOWN_CHARS])
        return offered

    def _asked(self, room: str) -> tuple[PublishedTool, ...]:
        answer: Any = self.functions.own(room, DESCRIBE)
        try:
            return _Description.model_validate(answer).tools
        except ValidationError as error:
            raise ToolFailed(f"it does not describe its tools: {error.errors()[0]['msg']}") from error
