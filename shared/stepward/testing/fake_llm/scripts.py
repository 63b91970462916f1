"""Choose replies: from a script in order, or from an agent's rehearsal."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

import stepward
from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelRequest, ToolCall
from stepward.domain.documents import Refused
from stepward.domain.documents.json_places import read_json_text
from stepward.domain.documents.yaml_text import read_yaml
from stepward.domain.errors import RehearsalFailed
from stepward.domain.json_text import NotText, text_of
from stepward.domain.scripted_model import Rehearsal
from stepward.models.scripted import ScriptedBackend
from stepward.testing.fake_llm.prompts import Prompt
from stepward.testing.fake_llm.replies import Call, Refusal, Reply


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


BUNDLED = Path(stepward.__file__).parent / "library" / "support" / "agent.yaml"


class Source(Protocol):
    """A source of replies."""

    def reply(self, prompt: Prompt) -> Reply:
        """Return the reply to a prompt; raise `Refusal` where there is none."""


class Script:
    """Replies in order; the last one may repeat."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies = tuple(replies)
        self._next = 0
        self._lock = threading.Lock()

    def reply(self, prompt: Prompt) -> Reply:
        """Return the next reply."""
        del prompt
        with self._lock:
            if self._next < len(self._replies):
                self._next += 1
                return self._replies[self._next - 1]
        if self._replies and self._replies[-1].repeat:
            return self._replies[-1]
        raise Refusal(
            f"the script has {len(self._replies)} replies, and this request asks for one more; add one, or let the last `repeat`"
        )


class Rehearsed:
    """An agent's rehearsal, matched against the received conversation."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._backend = ScriptedBackend(rehearsal)

    def reply(self, prompt: Prompt) -> Reply:
        """Return the rehearsal's reply of this turn."""
        try:
            found = self._backend.reply(_request(prompt))
        except RehearsalFailed as error:
            raise Refusal(error.detail) from error
        offered = [tool.name for tool in prompt.tools]
        unasked = [call.tool for call in found.calls if call.tool not in offered]
        if unasked:
            raise Refusal(
                f"the rehearsal calls {unasked[0]!r} now, which this request does not offer; it offers: "
                f"{', '.join(offered) or 'no tools'}. Play the rehearsal of the agent that asks."
            )
        return Reply(text=found.text, calls=[_call(call) for call in found.calls])


def _request(prompt: Prompt) -> ModelRequest:
    return ModelRequest(
        model=prompt.model,
        prompt=prompt.system,
        input=prompt.input,
        history=prompt.exchanges,
        tools=prompt.tools,
        max_output_tokens=max(1, prompt.max_output_tokens),
    )


def _call(call: ToolCall) -> Call:
    if call.arguments is None:
        return Call(tool=call.tool, arguments_text=call.arguments_text)
    return Call(tool=call.tool, arguments=call.arguments)


def rehearsal_of(tree: Any, name: str) -> Rehearsal:
    """Return the rehearsal of an agent's definition.

    Args:
        tree: The fields of its file.
        name: The file's name, for errors.

    Returns:
        The rehearsal.

    Raises:
        Unreadable: It has none.
        ValidationError: It is no definition of an agent.
    """
    found = AgentDefinition.model_validate(tree).rehearsal
    if found is None:
        raise Unreadable(f"{name} has no `rehearsal`; add one, or give a script")
    return found
