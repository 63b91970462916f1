"""What models cost by list, as data with source and date: read once a process, from the file beside this one."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from stepward.domain.money import Price

ALIASES: Final[dict[str, str]] = {
    "fast": "claude-haiku-4-5",
    "balanced": "claude-sonnet-5-5",
    "deep": "claude-opus-5-5",
}


@cache
def list_prices() -> dict[str, Price]:
    """Read the table; a model's own source stands before the table's."""
    table = json.loads(Path(__file__).with_name("prices.json").read_text())
    shared: dict[str, Any] = {"source": table["source"], "as_of": table["as_of"]}
    return {name: Price.model_validate(shared | price) for name, price in table["models"].items()}
