"""Translate requests in the API's texts into commands.

A user of the command line is not advised to send a PUT.
"""

from __future__ import annotations

import re
from typing import Final

_ID: Final = r"/([^\s/`,;:()]+)"
_LONG_ID: Final = r"/([^\s`,;:()]+)"
_ROUTES: Final[tuple[tuple[str, str], ...]] = (
    (f"GET /agents{_ID}/labels", "agents labels {}"),
    (f"POST /agents{_ID}/runs", "run {}"),
    (f"POST /agents{_ID}/estimate", "agents estimate {}"),
    (f"DELETE /agents{_ID}", "agents end {}"),
    (f"GET /agents{_ID}", "agents show {}"),
    ("GET /agents", "agents ls"),
    ("POST /agents", "agents register FILE"),
    (f"GET /approvals{_ID}", "approvals show {}"),
    ("GET /approvals", "approvals ls"),
    ("GET /budgets", "budgets ls"),
    ("GET /costs", "costs"),
    ("GET /data", "data ls"),
    ("GET /limits", "status"),
    ("GET /system/status", "status"),
    (f"GET /models{_LONG_ID}", "models {}"),
    ("GET /models", "models"),
    (f"PUT /prices{_LONG_ID}", "prices set {}"),
    (f"DELETE /prices{_LONG_ID}", "prices rm {}"),
    ("GET /prices", "prices ls"),
    (f"GET /prompts{_ID}/arms", "prompts arms {}"),
    (f"GET /prompts{_ID}/diff", "prompts diff {}"),
    (f"GET /prompts{_ID}/labels", "prompts labels {}"),
    (f"PUT /prompts{_ID}/labels{_ID}", "prompts label {} {}"),
    (f"GET /prompts{_ID}/versions", "prompts versions {}"),
    (f"GET /prompts{_ID}", "prompts show {}"),
    ("GET /prompts", "prompts ls"),
    ("POST /prompts", "prompts register FILE"),
    (f"GET /runs{_ID}/events", "runs tail {}"),
    (f"POST /runs{_ID}/(cancel|fork|pause|resume)", "runs {1} {0}"),
    (f"GET /runs{_ID}", "runs show {}"),
    ("GET /runs", "runs ls"),
    (f"GET /tools{_ID}", "tools show {}"),
    ("GET /tools", "tools ls"),
    (f"PUT /triggers{_ID}", "triggers add FILE --replace"),
    (f"GET /triggers{_ID}", "triggers show {}"),
    ("GET /triggers", "triggers ls"),
    (f"POST /workflows{_ID}/runs", "workflows run {}"),
    ("POST /workflows", "workflows register FILE"),
    (f"GET /workflows{_ID}", "workflows show {}"),
    ("GET /workflows", "workflows ls"),
)
"""Each request that an error may name, the longest path first, and the command that does the same."""
_REQUESTS: Final = re.compile(
    "|".join(f"`?(?P<r{n}>{route})(?![\\w/])`?" for n, (route, _) in enumerate(_ROUTES))
)
_FIELDS: Final = {
    '`"rehearse": false`': "`--no-rehearse`",
    '`"rehearse": true`': "`--rehearse`",
}


def in_commands(text: str) -> str:
    """Replace requests and body fields in a text by the commands that do the same.

    Args:
        text: An error's detail or fix; one that names no request stays as it is.

    >>> in_commands("GET /agents lists those that exist")
    '`stepward agents ls` lists those that exist'
    >>> in_commands("PUT /prices/{model} gives a model its price")
    '`stepward prices set MODEL` gives a model its price'
    """
    for field, option in _FIELDS.items():
        text = text.replace(field, option)
    return _REQUESTS.sub(_command, text)


def _command(found: re.Match[str]) -> str:
    number = int(str(found.lastgroup).removeprefix("r"))
    named = re.match(_ROUTES[number][0], found[f"r{number}"])
    values = [_argument(value) for value in (named.groups() if named else ())]
    # A full stop after a path belongs to the sentence.
    end = "." if found[0].endswith(".") else ""
    return f"`stepward {_ROUTES[number][1].format(*values)}`{end}"


def _argument(value: str) -> str:
    """Write a path's variable as commands do, and a value as it is."""
    value = value.rstrip(".")
    return re.sub(r"\{(\w+)\}", lambda name: name[1].removesuffix("_id").upper(), value)
