"""Options that several commands share, so that they mean the same and are told in the same words."""

from __future__ import annotations

from typing import Annotated

import typer

LimitOption = Annotated[int | None, typer.Option(min=1, help="How many to list.")]
CursorOption = Annotated[str | None, typer.Option(help="Continue after a page, from its `next_cursor`.")]
IdempotencyKeyOption = Annotated[
    str | None, typer.Option(help="The same key with the same input starts one run only. Default: a new key.")
]
