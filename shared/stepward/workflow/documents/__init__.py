"""Reads what people write, YAML, JSON or Python's own values, into the one model of a workflow."""

from __future__ import annotations

from stepward.domain.documents import Kind
from stepward.domain.documents.tree import Document, Path, Position
from stepward.workflow.documents.definition import best_effort, definition_of
from stepward.workflow.documents.read import document_of, read
from stepward.workflow.documents.schema import json_schema

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
