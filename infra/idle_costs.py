"""Nothing may cost while nothing happens, unless the stage's configuration says by name that it may: judged here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.config import StageConfig
from infra.config_errors import DefinitionError
from infra.idle_prices import COSTLY, FREE, QUOTAS, Condition, Properties, Quota

_ABSENT = object()
_UNKNOWN = (
    "nothing is known about this type; if it is free at rest, `infra/idle_prices.py` takes it with the reason"
)


class IdleCostJudge:
    """Judges the resources of one app in order, since some kinds are free up to a number."""

    def __init__(self, config: StageConfig) -> None:
        self._config = config
        self._allowed = frozenset(config.idle_cost_allowed)
        self._counted: Counter[str] = Counter()
        self._used: set[str] = set()

    def objection(self, where: str, kind: str, logical_id: str, properties: Properties) -> str | None:
        """Return what a resource costs at rest and how to allow it, or None."""
        named = {kind, logical_id} & self._allowed
        cost = self._cost(kind, properties, is_named=bool(named))
        if cost is None:
            return None
        if named:
            self._used |= named
            return None
        return (
            f"{where} ({kind}) would cost money while idle: {cost}. "
            f"To allow it, write into infra/config/{self._config.stage}.toml: "
            f'idle_cost_allowed = ["{kind}"], or ["{logical_id}"] for this one only.'
        )

    def unused(self) -> list[str]:
        """Return what is allowed without need.

        Such a word would let the next costly resource pass.
        """
        return sorted(self._allowed - self._used)

    def _cost(self, kind: str, properties: Properties, *, is_named: bool) -> str | None:
        if kind in QUOTAS:
            return self._cost_beyond(QUOTAS[kind], kind, properties, is_named=is_named)
        if kind in FREE:
            return _broken(FREE[kind].conditions, properties)
        if kind.startswith("Custom::"):
            return None
        return COSTLY.get(kind, _UNKNOWN)

    def _cost_beyond(self, quota: Quota, kind: str, properties: Properties, *, is_named: bool) -> str | None:
        """Count what is not allowed by name; what is would only use up the free ones."""
        broken = _broken(quota.conditions, properties)
        count = quota.counts(properties)
        if broken or (is_named and count):
            return broken or quota.price
        self._counted[kind] += count
        return quota.price if count and self._counted[kind] > quota.free else None


def depends_on_properties(kind: str) -> bool:
    """Return whether a kind's properties must be read, which is slow in the CDK."""
    return kind in QUOTAS or (kind in FREE and bool(FREE[kind].conditions))


def refuse_idle_costs(assembly: Path, config: StageConfig) -> None:
    """Judge the written templates too, since the CDK hides overrides of properties."""
    judge = IdleCostJudge(config)
    objections = [
        judge.objection(f"{stack}/{logical_id}", body["Type"], logical_id, body.get("Properties", {}))
        for stack, file in templates_of(assembly)
        for logical_id, body in json.loads(file.read_text(encoding="utf-8")).get("Resources", {}).items()
    ]
    found = [objection for objection in objections if objection]
    found += [
        f"infra/config/{config.stage}.toml: idle_cost_allowed names {name!r}, which nothing needs; take it out"
        for name in judge.unused()
    ]
    if found:
        raise DefinitionError("\n".join(found))


def templates_of(assembly: Path) -> list[tuple[str, Path]]:
    """List an assembly's stacks with their templates; other files there are older."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    return [
        (name, assembly / artifact["properties"]["templateFile"])
        for name, artifact in sorted(manifest["artifacts"].items())
        if artifact["type"] == "aws:cloudformation:stack"
    ]


def _broken(conditions: Iterable[Condition], properties: Properties) -> str | None:
    """Return the first property that makes a resource cost; an unknown value counts as one."""
    for condition in conditions:
        value = _at(properties, condition.path.split("."))
        is_free = condition.is_free_when_absent if value is _ABSENT else value in condition.free
        if not is_free:
            return f"{condition.price} ({condition.path})"
    return None


def _at(value: Any, path: list[str]) -> object:
    """Follow a path of names; stop at an expression, which only CloudFormation can resolve."""
    for name in path:
        if not isinstance(value, Mapping) or _is_expression(value):
            return value
        value = value.get(name, _ABSENT)
    return value


def _is_expression(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref"))
