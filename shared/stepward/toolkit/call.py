"""The call that a function serves, as the platform passes it to a parameter of this type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """One call; the platform fills in a parameter of this type, and models do not see it.

    Attributes:
        tenant: Whose agent calls.
        run: The run's id.
        id: The same for every attempt at one call: the key by which an idempotent function recognises a repeat.

    Example:
        >>> @tool(effect="idempotent")
        ... def book(order: str, call: Call) -> str:
        ...     '''Book an order.'''
        ...     return f"{order} under {call.id}"
        >>> list(book.published.parameters["properties"])
        ['order']
        >>> book("A-1", Call(tenant="acme", run="run_1", id="run_1:call_1_1"))
        'A-1 under run_1:call_1_1'
    """

    tenant: str
    run: str
    id: str
