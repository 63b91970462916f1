"""Find every problem of a workflow before it is kept, with its position and fix."""

from __future__ import annotations

from stepward.workflows.checks.catalog import check
from stepward.workflows.checks.validate import examine

__all__ = ["check", "examine"]
