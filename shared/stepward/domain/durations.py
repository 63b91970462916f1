"""The longest duration of anything: AWS's limit for an execution of a state machine."""

from __future__ import annotations

from typing import Final

A_YEAR_S: Final = 31_536_000
