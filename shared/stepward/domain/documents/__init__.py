"""Read documents that people write, YAML or JSON, with the position of everything in them."""

from __future__ import annotations

from stepward.domain.documents.problems import Problem, Refused
from stepward.domain.documents.read import Kind, read_document
from stepward.domain.documents.tree import Document, Path, Position

__all__ = ["Document", "Kind", "Path", "Position", "Problem", "Refused", "read_document"]
