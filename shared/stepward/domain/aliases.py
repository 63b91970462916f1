"""Read the alternative names of an agent's fields, so that each is stored under one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stepward.domain.documents import Path
from stepward.domain.errors import InvalidRequest
from stepward.domain.tools import SHORT_FORMS

FIELDS: Final = {
    "system_prompt": "prompt",
    "prompt_template": "prompt",
    "max_iterations": "limits.max_iterations",
    "timeout": "limits.timeout_s",
    "cost_limit": "limits.cost_limit_usd",
}
"""Another name of a field → where it is stored."""

MODEL_SETTINGS: Final = {
    "model": "model",
    "temperature": "temperature",
    "max_tokens": "limits.max_output_tokens",
    "max_output_tokens": "limits.max_output_tokens",
    "backend": "llm_backend",
    "provider": "llm_backend",
}
"""A setting of `llm_config` → where it is stored."""

MEMBERS: Final = {"tool": "agent", "handoff": "handoff"}
"""How a member of a team joins → the short form of a tool that it becomes."""

MOST_MEMBERS: Final = 32


def resolve_aliases(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition under the stored field names.

    Raises:
        InvalidRequest: One field is given under two names.
    """
    said = dict(given)
    for name, place in FIELDS.items():
        if name in said:
            _keep(said, name, place, _whole(said.pop(name)) if name == "timeout" else said.pop(name))
    if "llm_config" in said:
        _resolve_model(said, said.pop("llm_config"))
    if "team" in said:
        _resolve_team(said, said.pop("team"))
    return said


def _whole(seconds: Any) -> Any:
    """Read 30.0 as 30: elsewhere times may be fractions, here they are whole seconds."""
    return int(seconds) if isinstance(seconds, float) and seconds.is_integer() else seconds


def _keep(said: dict[str, Any], name: str, place: str, value: Any) -> None:
    group, _, field = place.rpartition(".")
    target: Any = said
    if group:
        target = said.get(group, {})
        if not isinstance(target, dict):
            return
        target = said[group] = dict(target)
    if field in target:
        raise InvalidRequest(
            f"{name!r} is another name of {place!r}, which is given too.",
            field=name,
            fix=f"keep {place!r} only",
        )
    target[field] = value


def _resolve_model(said: dict[str, Any], config: Any) -> None:
    if not isinstance(config, dict):
        raise InvalidRequest(
            "llm_config is not an object.",
            field="llm_config",
            fix="write it as {model, temperature, max_tokens}",
        )
    for name, value in config.items():
        place = MODEL_SETTINGS.get(name)
        if place is None:
            raise InvalidRequest(
                f"llm_config has no setting {name!r}.",
                field=f"llm_config.{name}",
                fix=f"it may hold {', '.join(MODEL_SETTINGS)}",
            )
        _keep(said, f"llm_config.{name}", place, value)


def _resolve_team(said: dict[str, Any], team: Any) -> None:
    tools = said.get("tools", [])
    if not isinstance(tools, list):
        return
    if not isinstance(team, list) or len(team) > MOST_MEMBERS:
        raise InvalidRequest(
            f"team is not a list of at most {MOST_MEMBERS} members.",
            field="team",
            fix="write each as {agent: researcher, as: tool} or {agent: billing, as: handoff}",
        )
    said["tools"] = [*tools, *(_member(member, f"team.{index}") for index, member in enumerate(team))]


def _member(member: Any, field: str) -> dict[str, Any]:
    """Turn a team's member into its supervisor's tool: a sub-agent or a hand-over."""
    if not isinstance(member, dict) or not isinstance(member.get("agent"), str):
        raise InvalidRequest(
            f"{field} names no agent.",
            field=f"{field}.agent",
            fix="write it as {agent: researcher, as: tool}",
        )
    joins = member.get("as", "tool")
    if joins not in MEMBERS:
        raise InvalidRequest(
            f"a member joins as {joins!r}.",
            field=f"{field}.as",
            fix="use tool (it answers) or handoff (it takes over)",
        )
    unknown = sorted(member.keys() - {"agent", "as", "version", "name", "description"})
    if unknown:
        raise InvalidRequest(
            f"a member has no field {unknown[0]!r}.",
            field=f"{field}.{unknown[0]}",
            fix="a member has agent, as, version, name and description",
        )
    rest = {name: member[name] for name in ("version", "name", "description") if name in member}
    return {MEMBERS[joins]: member["agent"], **rest}


def origins_of(given: Mapping[str, Any]) -> dict[Path, Path]:
    """Map where a definition's values are stored to where its file has them.

    Args:
        given: The definition as it was written, right or wrong.

    Returns:
        Of each value under another name: the path where it is stored → the path where it is written.
    """
    config, team = given.get("llm_config"), given.get("team")
    names = {
        name: place for name, place in MODEL_SETTINGS.items() if isinstance(config, dict) and name in config
    }
    found: dict[Path, Path] = {
        **{tuple(place.split(".")): (name,) for name, place in FIELDS.items() if name in given},
        **{tuple(place.split(".")): ("llm_config", name) for name, place in names.items()},
    }
    tools = given.get("tools")
    own = tools if isinstance(tools, list) else []
    members = team if isinstance(team, list) else []
    for index, use in enumerate([*own, *members]):
        written: Path = ("tools", index) if index < len(own) else ("team", index - len(own))
        found |= _origins_of_use(use, ("tools", index), written)
    return found


def _origins_of_use(use: Any, kept: Path, written: Path) -> dict[Path, Path]:
    """Map the settings of a short form, which are written beside the tool."""
    found = {kept: written} if kept != written else {}
    for word, (_, setting, _) in SHORT_FORMS.items():
        if isinstance(use, dict) and word in use and "tool" not in use:
            found |= {(*kept, "config", setting): (*written, word), (*kept, "tool"): (*written, word)}
            found |= {(*kept, "config", "version"): (*written, "version")} if "version" in use else {}
    return found
