"""Simulate the vendors' prompt caches, which know a prompt by its prefix."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from stepward.testing.fake_llm.prompts import BYTES_PER_TOKEN, Piece, Prompt, tokens_of_bytes

SECONDS: Final = {"5m": 300, "30m": 1_800, "1h": 3_600, "12h": 43_200}
BLOCK_TOKENS: Final = 128
"""An automatic cache knows prefixes of so many tokens each."""
LOOK_BACK: Final = 20
"""How many blocks before a breakpoint are looked for in the cache."""
_AUTOMATIC_S: Final = 1_800
_MOST_ENTRIES: Final = 200_000


@dataclass(frozen=True)
class CacheUse:
    """A prompt's tokens by use; `fresh` are neither read nor written."""

    fresh: int
    read: int = 0
    write: int = 0
    write_1h: int = 0


class PromptCache:
    """The prompts seen so far, by key and model.

    Args:
        clock: Returns seconds.
        minimum_tokens: A shorter prefix is not stored.
    """

    def __init__(self, clock: Callable[[], float], minimum_tokens: int) -> None:
        self._clock = clock
        self._minimum = minimum_tokens
        self._entries: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def by_breakpoints(self, scope: str, prompt: Prompt) -> CacheUse:
        """Read the longest stored prefix, and store all up to the last breakpoint."""
        with self._lock:
            return self._at_breakpoints(scope, prompt)

    def _at_breakpoints(self, scope: str, prompt: Prompt) -> CacheUse:
        pieces = prompt.pieces
        names, ends = _digests(scope, pieces), _ends(pieces)
        marks = [at for at, piece in enumerate(pieces) if piece.ttl and ends[at] >= self._minimum]
        hit = self._longest(names, marks)
        read = ends[hit] if hit >= 0 else 0
        long = [at for at in marks if pieces[at].ttl == "1h"]
        write_1h = max(0, (ends[long[-1]] if long else 0) - read)
        write = max(0, (ends[marks[-1]] if marks else 0) - read - write_1h)
        for at in marks:
            self._keep(names[at], SECONDS[pieces[at].ttl or "5m"])
        return CacheUse(prompt.tokens - read - write - write_1h, read, write, write_1h)

    def by_prefix(self, scope: str, prompt: Prompt, *, counts_writes: bool) -> CacheUse:
        """Read as many whole blocks of tokens as are stored, and store them all."""
        raw = "\n".join(piece.text for piece in prompt.pieces).encode()
        size = int(BLOCK_TOKENS * BYTES_PER_TOKEN)
        blocks = [raw[at : at + size] for at in range(0, len(raw) - size + 1, size)]
        whole = min(len(blocks), prompt.tokens // BLOCK_TOKENS)
        if whole * BLOCK_TOKENS < self._minimum:
            return CacheUse(prompt.tokens)
        with self._lock:
            return self._in_blocks(_chain(scope, blocks[:whole]), prompt, counts_writes=counts_writes)

    def _in_blocks(self, names: Sequence[str], prompt: Prompt, *, counts_writes: bool) -> CacheUse:
        whole = len(names)
        known = next((at for at, name in enumerate(names) if not self._has(name)), whole)
        for name in names:
            self._keep(name, _AUTOMATIC_S)
        read = known * BLOCK_TOKENS if known * BLOCK_TOKENS >= self._minimum else 0
        write = whole * BLOCK_TOKENS - read if counts_writes else 0
        return CacheUse(prompt.tokens - read - write, read, write)

    def _longest(self, names: Sequence[str], marks: Sequence[int]) -> int:
        near = {at for mark in marks for at in range(max(0, mark - LOOK_BACK), mark + 1)}
        return max((at for at in near if self._has(names[at])), default=-1)

    def _has(self, name: str) -> bool:
        ends_s, ttl_s = self._entries.get(name, (0.0, 0))
        if ends_s <= self._clock():
            return False
        self._entries[name] = (self._clock() + ttl_s, ttl_s)
        return True

    def _keep(self, name: str, ttl_s: int) -> None:
        _, before_s = self._entries.get(name, (0.0, 0))
        kept_s = max(ttl_s, before_s if self._has(name) else 0)
        self._entries[name] = (self._clock() + kept_s, kept_s)
        self._entries.move_to_end(name)
        if len(self._entries) > _MOST_ENTRIES:
            self._entries.popitem(last=False)


def _ends(pieces: Sequence[Piece]) -> list[int]:
    """Count the tokens up to the end of each piece."""
    return [tokens_of_bytes(size) for size in accumulate(piece.counted_bytes for piece in pieces)]


def _digests(scope: str, pieces: Sequence[Piece]) -> list[str]:
    return _chain(scope, [piece.text.encode() for piece in pieces])


def _chain(scope: str, parts: Sequence[bytes]) -> list[str]:
    """Hash each prefix by all that it holds."""
    digest, names = hashlib.sha256(scope.encode()), []
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
        names.append(digest.hexdigest())
    return names
