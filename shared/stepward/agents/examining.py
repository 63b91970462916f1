"""Read as much of an agent's definition as possible, so that all faults are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from stepward.agents.requests import Entry, entries_of, parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.aliases import resolve_aliases
from stepward.domain.errors import InvalidRequest

_STAND_INS: Final[Mapping[str, Any]] = {
    "id": "unnamed-agent",
    "name": "unnamed",
    "version": "0.0.0",
    "model": "balanced",
    "prompt": "unnamed",
}
"""Placeholders for required fields while the rest is checked; a definition with one is never stored."""
OF_MODEL: Final = ("temperature", "llm_backend", "effort", "thinking", "cache")
"""Fields that can be checked only for a known model."""
_FOLLOWS: Final[Mapping[str, tuple[str, ...]]] = {"model": (*OF_MODEL, "fallbacks")}
"""A field → the fields that are checked against it."""
_STANDS_FOR: Final[Mapping[str, str]] = {"team": "tools", "llm_config": "model"}
"""Another name → the field that may be missing only because that name could not be read."""
_MOST_MENDINGS: Final = 3


@dataclass
class Examined:
    """What could be read: a definition to check, the faults so far, and the fields left out."""

    agent: AgentDefinition | None
    faults: list[Entry] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    places: list[int] = field(default_factory=list)
    """The index of each of its tools in the definition as given."""

    def own(self, entries: list[Entry]) -> list[Entry]:
        """Keep the faults of the definition as given, without those caused by what was left out."""
        hidden = {*self.left_out, *(name for one in self.left_out for name in _FOLLOWS.get(one, ()))} - {
            "tools"
        }
        told = [one for one in entries if one["field"].partition(".")[0] not in hidden]
        if self.faults and (self.left_out & {"tools"} or self._has_unknown):
            told = [one for one in told if not _is_call(one["field"])]
        return [{**one, "field": self._placed(one["field"])} for one in told]

    @property
    def _has_unknown(self) -> bool:
        return any(one["code"] == "unknown-field" and "." not in one["field"] for one in self.faults)

    def _placed(self, name: str) -> str:
        parts = name.split(".")
        if parts[0] == "tools" and len(parts) > 1 and parts[1].isdigit() and self.faults:
            parts[1] = str(self.places[int(parts[1])])
        return ".".join(parts)


def _is_call(name: str) -> bool:
    return name.startswith("rehearsal.") and name.endswith(".tool")


def examine_agent(body: Any) -> Examined:
    """Read a definition, and leave out what does not fit its model.

    Raises:
        InvalidRequest: It is no object.
    """
    try:
        return Examined(parse(AgentDefinition, body))
    except InvalidRequest as error:
        if not error.errors:
            return _without_misspelt(body, error)
        read = Examined(None, [_coded(one) for one in entries_of(error)])
    tree = resolve_aliases(body)
    tools = tree.get("tools")
    read.places = list(range(len(tools) if isinstance(tools, list) else 0))
    for _ in range(_MOST_MENDINGS):
        read.agent, wrong = _validated(tree)
        if read.agent or not _leave_out(tree, read, wrong):
            break
    return read


def _without_misspelt(body: Any, error: InvalidRequest) -> Examined:
    """Leave out a shorthand that cannot be expanded, such as `team`, and read the rest."""
    name = (error.field or "").partition(".")[0]
    if not isinstance(body, dict) or name not in body:
        raise error
    read = examine_agent({key: value for key, value in body.items() if key != name})
    stands_for = _STANDS_FOR.get(name, "")
    read.faults = [*entries_of(error), *(one for one in read.faults if one["field"] != stands_for)]
    read.left_out |= {name, stands_for}
    read.places = read.places or list(range(len(read.agent.tools) if read.agent else 0))
    return read


def _validated(tree: dict[str, Any]) -> tuple[AgentDefinition | None, list[tuple[int | str, ...]]]:
    """Return the definition, or the paths at which the tree is invalid."""
    try:
        return AgentDefinition.model_validate(tree), []
    except ValidationError as error:
        return None, [one["loc"] for one in error.errors(include_url=False)]


def _coded(entry: Entry) -> Entry:
    """Give a fault its code, and replace pydantic's wording by the file's."""
    name = entry["field"].rpartition(".")[2]
    if entry["detail"] == "Extra inputs are not permitted":
        return {**entry, "code": "unknown-field", "detail": f"there is no field {name!r}"}
    if entry["detail"] == "Field required":
        return {**entry, "code": "missing-field", "detail": f"{name!r} is missing"}
    said = entry["detail"]
    return entry if name in said else {**entry, "detail": f"{name}: {said[:1].lower()}{said[1:]}"}


def _leave_out(tree: dict[str, Any], read: Examined, places: list[tuple[int | str, ...]]) -> bool:
    """Remove the wrong fields from a tree; of `tools` only the wrong ones.

    False where no field is to blame.
    """
    wrong = {place[1] for place in places if place[:1] == ("tools",) and len(place) > 1}
    for name in {str(place[0]) for place in places if place}:
        read.left_out.add(name)
        if name == "tools" and wrong:
            tree["tools"] = [one for index, one in enumerate(tree["tools"]) if index not in wrong]
            read.places = [one for index, one in enumerate(read.places) if index not in wrong]
            continue
        tree.pop(name, None)
        if name in _STAND_INS:
            tree[name] = _STAND_INS[name]
    return all(places)
