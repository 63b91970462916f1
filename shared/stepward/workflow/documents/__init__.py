"""Reads what people write, YAML, JSON or Python's own values, into the one model of a workflow."""

from __future__ import annotations

from stepward.workflow.documents.definition import best_effort, definition_of
from stepward.workflow.documents.read import Kind, document_of, read
from stepward.workflow.documents.schema import json_schema
from stepward.workflow.documents.tree import Document, Path, Position

__all__ = [
    "Document",
    "Kind",
    "Path",
    "Position",
    "best_effort",
    "definition_of",
    "document_of",
    "json_schema",
    "read",
]
