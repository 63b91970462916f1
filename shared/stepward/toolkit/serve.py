"""Serves a folder's tools to the platform, which retries, limits and records their calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepward.domain.errors import ModelFault, ToolFailed, ToolUnavailable
from stepward.domain.tools import FunctionCall
from stepward.toolkit.call import Call
from stepward.toolkit.function import ToolFunction

Served = Callable[[dict[str, Any]], dict[str, Any]]


def serve_tools(*functions: ToolFunction[..., Any]) -> Served:
    """Make the handler of a folder's tools.

    `ToolFailed` and `ToolUnavailable` reach the model in the function's own words; any other exception fails
    the Lambda function under its own name, and the model sees a failure of the tool.

    Args:
        functions: The folder's tools, each with a name of its own.

    Returns:
        A function of the event: it describes the tools at a deployment, and serves a call otherwise.

    Raises:
        TypeError: Two tools have one name.

    Example:
        >>> @tool(effect="none")
        ... def add(first: int, second: int) -> int:
        ...     '''Add two numbers.'''
        ...     return first + second
        >>> serve = serve_tools(add)
        >>> serve({"describe": True})["tools"][0]["function"]
        'add'
    """
    named = {function.published.function: function for function in functions}
    if len(named) < len(functions):
        raise TypeError("two tools of this folder have one name")

    def served(event: dict[str, Any]) -> dict[str, Any]:
        if event.get("describe"):
            return {"v": 1, "tools": [one.published.model_dump(mode="json") for one in functions]}
        call = FunctionCall.model_validate(event)
        try:
            return {"v": 1, "value": _value(named, call)}
        except ModelFault as error:
            began = error.has_begun if isinstance(error, ToolUnavailable) else True
            return {"v": 1, "error": error.code, "detail": error.detail, "has_begun": began}

    return served


def _value(named: dict[str, ToolFunction[..., Any]], call: FunctionCall) -> Any:
    function = named.get(call.function)
    if function is None:
        raise ToolFailed(
            f"there is no function {call.function!r} any more; there are {', '.join(sorted(named))}."
        )
    return function.serve(call.arguments, Call(tenant=call.tenant, run=call.run, id=call.call_id))
