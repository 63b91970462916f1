"""What JSON the platform carries: everything that every reader of the journal can read again."""

from __future__ import annotations

import json
from typing import Any, Final

MAX_DEPTH: Final = 100


def fault_of(value: Any) -> str | None:
    """Say why a value cannot be stored as JSON and read back by every parser; None when it can."""
    if _deeper_than(value, MAX_DEPTH):
        return f"it is nested deeper than {MAX_DEPTH} levels"
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no character"
    except (TypeError, ValueError) as error:
        return f"it is not JSON: {error}"
    return None


def carried_bytes(value: Any) -> int:
    """Tell how many bytes a value takes in a Lambda payload: as JSON, within a JSON text."""
    inner = json.dumps(value, ensure_ascii=False, default=str)
    return len(json.dumps(inner, ensure_ascii=False).encode())


def as_read(value: Any, most_chars: int = 80) -> str:
    """Spell a value for a message as people write it in JSON, so that nothing is `null` and not what Python calls it."""
    return json.dumps(value, ensure_ascii=False, default=str)[:most_chars]


def _deeper_than(value: Any, levels: int) -> bool:
    """Walk level by level, so that the walk itself has no depth."""
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []
