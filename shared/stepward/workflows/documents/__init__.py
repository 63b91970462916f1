"""Read a document in YAML, JSON or Python values into a workflow definition."""

from __future__ import annotations

from stepward.domain.documents import Kind
from stepward.domain.documents.tree import Document, Path, Position
from stepward.workflows.documents.definition import best_effort, definition_of
from stepward.workflows.documents.document_schema import json_schema
from stepward.workflows.documents.normalize import document_of, read

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
