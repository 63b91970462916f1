"""Reads a workflow, whatever it is written in or came from, and gives its fields the names of the house."""

from __future__ import annotations

from typing import Any, Final

from stepward.domain.documents import Document, Kind, read_document
from stepward.workflow.documents.spelling import spelled

_BEGINNING: Final = "id:, name:, version:, tasks:"


def read(text: str | bytes, kind: Kind = "auto") -> Document:
    """Read a document, with the house's names for its fields; raises `Refused` if it cannot be read at all.

    What is wrong beyond that stands in the document's `problems`.
    """
    return spelled(read_document(text, kind, begin_with=_BEGINNING))


def document_of(tree: Any) -> Document:
    """Take a document that was never a text, as the API and the Python language give it."""
    return spelled(Document(tree))
