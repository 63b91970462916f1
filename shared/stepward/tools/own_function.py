"""A function of your own folder of tools, called as it was when the agent was registered."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ConfigDict

from stepward.domain.errors import ModelFault, ToolArgumentInvalid, ToolFailed, ToolUnavailable
from stepward.domain.tools import Effect, FunctionCall, Placement, PublishedTool
from stepward.tools.base import Arguments, Settings, Tool, ToolContext


class Snapshot(PublishedTool, Settings):
    """A function as an agent's version keeps it, unchanged by later deployments."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    room: str


class OwnFunction(Tool[Snapshot, Arguments]):
    """Calls a function of your own."""

    name = "own_function"
    description = "Calls a function of your own."
    effect = Effect.ONCE
    placement = Placement.REMOTE
    settings = Snapshot
    arguments = Arguments

    def effect_with(self, settings: Snapshot) -> Effect:
        """Return the effect that the function declared."""
        return settings.effect

    def timeout_with(self, settings: Snapshot) -> float:
        """Return the time that the function declared."""
        return settings.timeout_s

    def described_with(self, settings: Snapshot) -> str:
        """Return the function's docstring."""
        return settings.description

    def schema_with(self, settings: Snapshot) -> dict[str, Any]:
        """Return the schema of the function's signature."""
        return settings.parameters

    def read_arguments(self, given: dict[str, Any], settings: Snapshot) -> Any:
        """Return the arguments as they are: the function's own types check more than their schema."""
        del settings
        return given

    def run(self, arguments: Any, settings: Snapshot, context: ToolContext) -> Any:
        """Call the function and return its answer; its own faults keep their texts."""
        if context.functions is None:
            raise ToolFailed("functions cannot be called from here.")
        call = FunctionCall(
            function=settings.function,
            arguments=arguments,
            tenant=context.tenant,
            run=context.run,
            call_id=context.call_id,
        )
        answer = context.functions.own(settings.room, call.model_dump())
        if not isinstance(answer, dict) or not answer.keys() & {"value", "error"}:
            raise ToolFailed(
                f"the folder {settings.room} does not serve tools; its handler uses `serve_tools`."
            )
        if "error" in answer:
            raise _fault(answer, settings)
        return answer["value"]


def _fault(answer: dict[str, Any], settings: Snapshot) -> ModelFault:
    detail = str(answer.get("detail", ""))
    if answer["error"] == ToolUnavailable.__name__:
        return ToolUnavailable(detail, has_begun=bool(answer.get("has_begun", True)))
    if answer["error"] == ToolArgumentInvalid.__name__:
        return ToolArgumentInvalid(f"{detail}. The schema is {json.dumps(settings.parameters)}")
    return ToolFailed(detail)
