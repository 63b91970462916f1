"""What starts functions and state machines without a waiting caller, as on AWS."""

from __future__ import annotations

from infra.local.triggers.clock import Clock
from infra.local.triggers.triggers import Triggers

__all__ = ["Clock", "Triggers"]
