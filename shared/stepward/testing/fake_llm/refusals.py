"""A refusal: what is wrong with a request, before a vendor's protocol gives it its own words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal[
    "invalid", "unauthorized", "forbidden", "missing", "conflict", "large", "throttled", "quota",
    "failed", "unavailable", "overloaded", "late",
]  # fmt: skip
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Refusal(Exception):
    """One error that the provider answers with.

    Args:
        message: What is wrong, in the vendor's words.
        kind: Which of the vendors' kinds of errors it is.
        param: The field that is wrong, where the vendor names it apart.
        code: The vendor's code for it.
        headers: Headers that come with it, such as `retry-after`.
    """

    def __init__(
        self,
        message: str,
        kind: Kind = "invalid",
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: Kind = kind
        self.param = param
        self.code = code
        self.headers = headers
