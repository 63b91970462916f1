"""What a folder of your own tools imports: `tool` makes a function one that agents can call, `serve_tools` serves it.

@tool(effect="none")
def find_order(order_id: Annotated[str, Field(description="As printed on the invoice.")]) -> Order | None:
'''Looks an order up.'''
"""

from stepward.domain.errors import ToolFailed, ToolUnavailable
from stepward.toolkit.call import Call
from stepward.toolkit.function import ToolFunction, tool
from stepward.toolkit.serve import serve_tools

__all__ = ["Call", "ToolFailed", "ToolFunction", "ToolUnavailable", "serve_tools", "tool"]
