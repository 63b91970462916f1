"""Options that several commands share, so that they mean the same and are told in the same words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from stepward.domain.numbers import NotANumber, whole_of


def at_least(least: int) -> Callable[[str], int]:
    """Make the reader of an option that takes a whole number: digits alone, where Python would read `1_000` too."""

    def read(text: str | int) -> int:
        try:
            value = whole_of(str(text))
        except NotANumber as error:
            raise typer.BadParameter(f"{error}.") from error
        if value < least:
            raise typer.BadParameter(f"{value} is less than {least}.")
        return value

    return read


LimitOption = Annotated[int | None, typer.Option(parser=at_least(1), metavar="N", help="How many to list.")]
CursorOption = Annotated[str | None, typer.Option(help="Continue after a page, from its `next_cursor`.")]
IdempotencyKeyOption = Annotated[
    str | None, typer.Option(help="The same key with the same input starts one run only. Default: a new key.")
]
