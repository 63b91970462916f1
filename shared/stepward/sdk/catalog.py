"""Read the catalogs of tools and models."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, cast

from stepward.sdk.transport import Transport, path_to


class Tool(TypedDict):
    """A tool; `show` adds its schemas: `parameters` of calls, and `config`."""

    name: str
    description: str
    effect: str
    timeout_s: float
    source: str
    published_at: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    config: NotRequired[dict[str, Any]]


class ToolClient:
    """Read which tools there are: `stepward.tools`.

    Example:
        >>> "calculate" in [tool["name"] for tool in stepward.tools.list()]
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[Tool]:
        """List the catalog's tools, then those of your own folders.

        Returns:
            The tools, without their schemas.
        """
        return cast("list[Tool]", self._wire.get("/tools")["tools"])

    def show(self, name: str) -> Tool:
        """Return one tool with its schemas.

        Args:
            name: Its name, such as `calculate` or `order_tools.refund`.

        Returns:
            The tool.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Tool", self._wire.get(path_to("tools", name)))


class Model(TypedDict):
    """One model; `price` is in dollars per million tokens, `ends_on` the first day without it.

    Of one that has ended without a price only the end is known.
    """

    id: str
    provider: str
    vendor_id: str
    capabilities: NotRequired[dict[str, Any]]
    context_tokens: NotRequired[int]
    max_input_tokens: NotRequired[int]
    max_output_tokens: NotRequired[int]
    max_call_s: NotRequired[int]
    price: NotRequired[dict[str, Any]]
    price_agreed: bool
    ends_on: NotRequired[str]
    successor: NotRequired[str]
    status: Literal["active", "ends_soon", "ended"]
    aliases: list[str]
    source: str
    as_of: str
    note: NotRequired[str]


class ModelClient:
    """Read the models that agents can name: `stepward.models`.

    Example:
        >>> stepward.models.show("balanced")["context_tokens"] > 0
        True
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def list(self) -> list[Model]:
        """List all known models, and those of your own providers that have a price.

        Returns:
            Every model, by provider.
        """
        return cast("list[Model]", self._wire.get("/models")["models"])

    def show(self, model: str) -> Model:
        """Return one model.

        Args:
            model: Its id, which may contain slashes, or an alias such as `balanced`.

        Returns:
            All that is known of it.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("Model", self._wire.get(path_to("models", model)))
