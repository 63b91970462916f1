"""How long anything may last at most, which is how long AWS lets an execution of a state machine last."""

from __future__ import annotations

from typing import Final

A_YEAR_S: Final = 31_536_000
