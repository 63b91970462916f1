"""Says what is wrong with a workflow before anything of it is kept or run: every problem, with its place and remedy."""

from __future__ import annotations

from stepward.workflow.checks.catalog import check
from stepward.workflow.checks.examine import examine

__all__ = ["check", "examine"]
