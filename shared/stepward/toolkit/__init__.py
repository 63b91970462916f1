"""What a folder of your own tools imports: `tool` declares one, `serve_tools` serves them.

Example:
    >>> @tool(effect="none")
    ... def find_order(order_id: str) -> dict[str, str] | None:
    ...     '''Look an order up.
    ...
    ...     Args:
    ...         order_id: As printed on the invoice.
    ...     '''
    ...     return {"order": order_id}
    >>> handle = serve_tools(find_order)
"""

from stepward.domain.errors import ToolFailed, ToolUnavailable
from stepward.toolkit.call import Call
from stepward.toolkit.function import ToolFunction, tool
from stepward.toolkit.serve import serve_tools

__all__ = ["Call", "ToolFailed", "ToolFunction", "ToolUnavailable", "serve_tools", "tool"]
