"""Everything that starts a function or a machine without a caller who waits, with AWS's semantics."""

from __future__ import annotations

from infra.local.triggers.clock import Clock
from infra.local.triggers.triggers import Triggers

__all__ = ["Clock", "Triggers"]
