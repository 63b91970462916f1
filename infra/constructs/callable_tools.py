"""Which functions the platform may call as tools: the stage's own folders of tools, and what the stage allows besides."""

from __future__ import annotations

from collections.abc import Sequence

from infra.constructs.grants import Allow, Granted, Rule
from infra.function_configs import FunctionConfig
from infra.names import Arns


def tool_words(rooms: Sequence[FunctionConfig] = (), lambda_tools: Sequence[str] = ()) -> dict[str, Rule]:
    """Make the two words whose meaning depends on the rooms and on the stage; without either they allow nothing."""
    return {
        "tools:invoke": _own_rule([room.name for room in rooms if room.tools]),
        "lambda-tools:invoke": _foreign_rule(lambda_tools),
    }


def _own_rule(rooms: Sequence[str]) -> Rule:
    def rule(arns: Arns) -> Granted:
        functions = ",".join(f"{room}={arns.names.function(room)}" for room in rooms)
        allow = Allow(("lambda:InvokeFunction",), tuple(arns.function(room) for room in rooms))
        return Granted((allow,) if rooms else (), {"TOOL_FUNCTIONS": functions})

    return rule


def _foreign_rule(names: Sequence[str]) -> Rule:
    def rule(arns: Arns) -> Granted:
        allow = Allow(
            ("lambda:InvokeFunction", "lambda:GetFunction"),
            tuple(arns.foreign_function(name) for name in names),
        )
        return Granted((allow,) if names else (), {"LAMBDA_TOOLS": ",".join(names)})

    return rule
