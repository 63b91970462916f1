"""Encode a workflow's document, whatever form a program has it in, for a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from stepward.sdk.errors import BadCall
from stepward.sdk.transport import encode

YAML: Final = "application/yaml"
JSON: Final = "application/json"
ANY_TEXT: Final = "text/plain"
"""Says nothing of the language, so that the API looks for itself."""
_TYPES: Final = {".yaml": YAML, ".yml": YAML, ".json": JSON}


class MakesDocument(Protocol):
    """A builder of documents, such as `stepward.sdk.Flow`."""

    def document(self) -> dict[str, Any]:
        """Return the document."""


Document: TypeAlias = str | Path | Mapping[str, Any] | MakesDocument
"""A text (YAML or JSON), a file, values, or a `Flow`."""


@dataclass(frozen=True)
class EncodedDocument:
    """A document as it is sent; `has_positions` is False if it was never a text."""

    content: bytes
    content_type: str
    has_positions: bool = True


def encode_document(document: Document) -> EncodedDocument:
    """Read a document; raises `BadCall` for what cannot be one."""
    match document:
        case str():
            return EncodedDocument(document.encode("utf-8", "surrogatepass"), ANY_TEXT)
        case Path():
            return EncodedDocument(_bytes_of(document), _TYPES.get(document.suffix.lower(), ANY_TEXT))
        case Mapping():
            return EncodedDocument(encode(dict(document)) or b"", JSON, has_positions=False)
        case _:
            return EncodedDocument(encode(document.document()) or b"", JSON, has_positions=False)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCall(f"{path} cannot be read: {error.strerror or error}.", "Check the path.") from error
