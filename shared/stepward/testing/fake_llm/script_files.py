"""Read scripts of replies, and agents with a rehearsal, from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stepward.domain.documents import Refused
from stepward.domain.documents.json_places import read_json_text
from stepward.domain.documents.yaml_text import read_yaml
from stepward.domain.json_text import NotText, text_of
from stepward.testing.fake_llm.replies import Reply


class Unreadable(ValueError):
    """A file that cannot be used; the message says what is wrong and how to fix it."""


def read_definition(path: Path) -> Any:
    """Read a file of YAML or JSON.

    Raises:
        Unreadable: It is not there, or neither of them.
    """
    try:
        text = text_of(path.read_bytes())
        document = read_json_text(text) if path.suffix == ".json" else read_yaml(text)
    except (OSError, NotText) as error:
        raise Unreadable(f"{path}: it cannot be read: {error}") from error
    except Refused as error:
        raise Unreadable(f"{path}: {error.detail}") from error
    if document.problems:
        raise Unreadable(f"{path}: {Refused(document.problems).detail}")
    return document.tree


def read_script(path: Path) -> list[Reply]:
    """Read a script: a list of replies, or an object with them as `replies`.

    Raises:
        Unreadable: It is none; the message names the reply and the field.
    """
    tree = read_definition(path)
    listed = tree.get("replies") if isinstance(tree, dict) else tree
    if not isinstance(listed, list) or not listed:
        raise Unreadable(f"{path}: a script is a list of replies, such as `- text: Hello.`")
    replies = [_reply(entry, at, path) for at, entry in enumerate(listed)]
    if any(reply.repeat for reply in replies[:-1]):
        raise Unreadable(f"{path}: only the last reply may `repeat`")
    return replies


def _reply(entry: Any, at: int, path: Path) -> Reply:
    try:
        return Reply.model_validate({"text": entry} if isinstance(entry, str) else entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (at, *first["loc"]))
        raise Unreadable(f"{path}: {place}: {first['msg']}") from error
