"""What is wrong with a workflow's document; the words are those of every document."""

from __future__ import annotations

from stepward.domain.documents.problems import (
    MOST_PROBLEMS,
    Problem,
    Refused,
    in_order,
    meant,
    nearest,
)

__all__ = ["MOST_PROBLEMS", "Problem", "Refused", "in_order", "meant", "nearest"]
