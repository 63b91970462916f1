"""Sign thinking as a vendor does, and check it when it comes back.

It is accepted only whole, unchanged and in order.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stepward.testing.fake_llm.prompts import canonical

_SEAL: Final = b"the fake provider's seal: it proves that a text is unchanged, and is no secret"
_MOST_REMEMBERED: Final = 20_000


@dataclass(frozen=True)
class BlockPosition:
    """The position of a block among those of its reply."""

    reply: str
    index: int
    count: int


class BadSignature(ValueError):
    """The thinking is not as it was issued."""


def signed_thinking(mark: BlockPosition, text: str) -> str:
    """Sign a block of thinking."""
    said = json.dumps([mark.reply, mark.index, mark.count])
    return base64.b64encode(f"{_mac(said, text)}{said}".encode()).decode()


def verified_position(seal: str, text: str) -> BlockPosition:
    """Verify a signature.

    Raises:
        BadSeal: It is none of ours, or not of this text.
    """
    try:
        raw = base64.b64decode(seal, validate=True).decode()
        reply, index, count = json.loads(raw[64:])
    except ValueError as error:
        raise BadSignature from error
    if not hmac.compare_digest(raw[:64], _mac(raw[64:], text)):
        raise BadSignature
    return BlockPosition(reply, index, count)


def in_order(marks: Sequence[BlockPosition]) -> bool:
    """Return True if blocks are all those of one reply, in their order."""
    return bool(marks) and list(marks) == [
        BlockPosition(marks[0].reply, at, marks[0].count) for at in range(marks[0].count)
    ]


class IssuedThinking:
    """The calls that came with thinking, to refuse them when they come back without."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, scope: str, calls: Sequence[tuple[str, str]], reply: str) -> None:
        """Remember calls, by tool and arguments, that came with a reply's thinking."""
        with self._lock:
            self._known[_name(scope, calls)] = reply
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)

    def has(self, scope: str, calls: Sequence[tuple[str, str]]) -> bool:
        """Return True if calls came with thinking."""
        return _name(scope, calls) in self._known


def _name(scope: str, calls: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(canonical([scope, *map(list, calls)]).encode()).hexdigest()


def _mac(said: str, text: str) -> str:
    return hmac.new(_SEAL, f"{said}\n{text}".encode(), hashlib.sha256).hexdigest()
