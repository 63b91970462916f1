"""Read a document's text: size first, then syntax, then the rules of YAML 1.2."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from stepward.domain.documents.json_places import read_json_text
from stepward.domain.documents.problems import Problem, Refused
from stepward.domain.documents.tree import Document
from stepward.domain.documents.yaml_text import read_yaml
from stepward.domain.json_text import NotText, text_of, without_mark

MOST_TEXT_BYTES: Final = 1_000_000
"""A definition of a state machine may have no more either."""

_FOUND: Final[dict[type, str]] = {
    type(None): "nothing",
    list: "a list",
    str: "a text",
    bool: "true or false",
}

Kind: TypeAlias = Literal["yaml", "json", "auto"]


def read_document(text: str | bytes, kind: Kind = "auto", *, begin_with: str = "id:, name:") -> Document:
    """Read a document that is a mapping.

    Further problems, such as a duplicate name, are in the document's `problems`.

    Args:
        text: The text, with or without a byte-order mark.
        kind: The language; `auto` reads what begins like a JSON object as JSON.
        begin_with: How a document of this kind begins, for the error message.

    Raises:
        Refused: It cannot be read at all, or is no mapping.
    """
    written = _decoded(text)
    begins = written.lstrip()[:2]
    if kind == "json" or (kind == "auto" and begins[:1] == "{" and written.lstrip("{ \t\r\n")[:1] == '"'):
        return _mapping(read_json_text(written), begin_with)
    return _mapping(read_yaml(written), begin_with)


def _decoded(text: str | bytes) -> str:
    try:
        raw = text.encode() if isinstance(text, str) else text
        _hold_to_size(len(raw))
        return without_mark(text) if isinstance(text, str) else text_of(raw)
    except (UnicodeError, NotText) as error:
        detail = f"the text is not UTF-8: {error}" if isinstance(error, NotText) else "the text is not UTF-8"
        raise Refused([Problem(code="not-utf-8", detail=detail, fix="save it as UTF-8")]) from error


def _hold_to_size(size_bytes: int) -> None:
    if size_bytes > MOST_TEXT_BYTES:
        detail = f"the document has {size_bytes:,} bytes; {MOST_TEXT_BYTES:,} are the most"
        fix = "take it apart, and keep data out of it"
        raise Refused([Problem(code="too-large", detail=detail, fix=fix)])


def _mapping(document: Document, begin_with: str) -> Document:
    if isinstance(document.tree, dict):
        return document
    found = _FOUND.get(type(document.tree), "a number")
    problem = Problem(code="no-mapping", detail=f"the document holds {found}", fix=f"begin with {begin_with}")
    raise Refused([*document.problems, document.problem((), problem)])
