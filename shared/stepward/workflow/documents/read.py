"""The one way in for a workflow's text, whatever it is written in: size first, then syntax, then the names of fields."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

from stepward.workflow.documents.json_text import read_json_text
from stepward.workflow.documents.spelling import spelled
from stepward.workflow.documents.tree import Document
from stepward.workflow.documents.yaml_text import read_yaml
from stepward.workflow.problems import Problem, Refused

MOST_TEXT_BYTES: Final = 1_000_000
"""A definition of a state machine may have no more either."""

_FOUND: Final[dict[type, str]] = {
    type(None): "nothing",
    list: "a list",
    str: "a text",
    bool: "true or false",
}

Kind: TypeAlias = Literal["yaml", "json", "auto"]


def read(text: str | bytes, kind: Kind = "auto") -> Document:
    """Read a document, with the house's names for its fields; raises `Refused` if it cannot be read at all.

    What is wrong beyond that stands in the document's `problems`.
    """
    written = _decoded(text)
    begins = written.lstrip()[:2]
    if kind == "json" or (kind == "auto" and begins[:1] == "{" and written.lstrip("{ \t\r\n")[:1] == '"'):
        return spelled(_not_empty(read_json_text(written)))
    return spelled(_not_empty(read_yaml(written)))


def document_of(tree: Any) -> Document:
    """Take a document that was never a text, as the API and the Python language give it."""
    return spelled(Document(tree))


def _decoded(text: str | bytes) -> str:
    try:
        raw = text.encode() if isinstance(text, str) else text
        _hold_to_size(len(raw))
        return raw.decode("utf-8-sig")
    except UnicodeError as error:
        fix = "save it as UTF-8"
        raise Refused([Problem(code="not-utf-8", detail="the text is not UTF-8", fix=fix)]) from error


def _hold_to_size(size_bytes: int) -> None:
    if size_bytes > MOST_TEXT_BYTES:
        detail = f"the document has {size_bytes:,} bytes; {MOST_TEXT_BYTES:,} are the most"
        fix = "take it apart into subworkflows, and keep data out of it"
        raise Refused([Problem(code="too-large", detail=detail, fix=fix)])


def _not_empty(document: Document) -> Document:
    if isinstance(document.tree, dict):
        return document
    found = _FOUND.get(type(document.tree), "a number")
    problem = Problem(
        code="no-mapping", detail=f"the document holds {found}", fix="begin with id:, name:, version:, tasks:"
    )
    raise Refused([*document.problems, document.problem((), problem)])
