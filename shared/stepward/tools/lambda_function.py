"""Calls a Lambda function of the account that is on the stage's allow-list and tagged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

from pydantic import Field, model_validator

from stepward.domain.errors import InvalidRequest, ToolFailed
from stepward.domain.json_schemas import fault_of_schema
from stepward.domain.numbers import Fraction
from stepward.domain.tools import Effect, Placement
from stepward.tools.arguments import read_described
from stepward.tools.base import Arguments, Settings, Tool, ToolContext

OWN_NAMES: Final = "stepward-"
"""How the names of the platform's own functions begin, which are no tools."""


class LambdaSettings(Settings):
    """Which function, what for, and the JSON Schema of its event."""

    function: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str = Field(min_length=1, max_length=2_000)
    effect: Effect = Effect.ONCE
    timeout_s: Fraction = Field(default=30, gt=0, le=240)
    arguments: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})

    @model_validator(mode="after")
    def _arguments_can_be_held(self) -> Self:
        if fault := fault_of_schema(self.arguments):
            raise ValueError(f"arguments: {fault}")
        return self


class LambdaFunction(Tool[LambdaSettings, Arguments]):
    """Calls a function of the account."""

    name = "lambda_function"
    description = "Calls a function of the account."
    effect = Effect.ONCE
    placement = Placement.REMOTE
    timeout_s = 30
    settings = LambdaSettings
    arguments = Arguments

    def effect_with(self, settings: LambdaSettings) -> Effect:
        """Return the effect that the agent declares."""
        return settings.effect

    def timeout_with(self, settings: LambdaSettings) -> float:
        """Return the time that the agent declares."""
        return settings.timeout_s

    def described_with(self, settings: LambdaSettings) -> str:
        """Return the agent's own description."""
        return settings.description

    def schema_with(self, settings: LambdaSettings) -> dict[str, Any]:
        """Return the schema of the function's event."""
        return settings.arguments

    def read_arguments(self, given: dict[str, Any], settings: LambdaSettings) -> Any:
        """Validate the event against its schema."""
        return read_described(given, settings.arguments)

    def check_settings(self, settings: LambdaSettings, http_allow: Sequence[str]) -> None:
        """Refuse functions that the stage does not allow, and the platform's own."""
        if settings.function.startswith(OWN_NAMES):
            raise InvalidRequest(
                f"{settings.function!r} is one of the platform's own functions, which are no tools.",
                field="config.function",
                fix="use `tool: <folder>.<function>` for tools of your own, or another function's name",
            )
        if f"lambda:{settings.function}" not in http_allow:
            raise InvalidRequest(
                f"{settings.function!r} is not on this stage's allow-list of functions.",
                field="config.function",
                fix="the platform team adds it as `lambda_tools` in the stage's settings and tags it `stepward:tool`",
            )

    def run(self, arguments: Any, settings: LambdaSettings, context: ToolContext) -> Any:
        """Call the function and return its answer.

        Its client context has the call's id, by which it can tell a repeat.
        """
        name = settings.function
        if (
            name.startswith(OWN_NAMES)
            or f"lambda:{name}" not in context.http_allow
            or context.functions is None
        ):
            raise ToolFailed(f"the function {name} is not on this stage's allow-list.")
        custom = {"call_id": context.call_id, "run": context.run, "tenant": context.tenant}
        return context.functions.foreign(name, arguments, custom)
