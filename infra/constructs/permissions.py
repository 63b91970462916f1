"""What a grant is made of: IAM statements, environment variables, and the rule that makes both from the stage's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.names import Arns


@dataclass(frozen=True)
class Allow:
    """One IAM statement: these actions on these resources, never on everything."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str | list[str]]] = field(default_factory=dict)
    """IAM's `Condition` block: operator, then key and value."""


@dataclass(frozen=True)
class Granted:
    """What a grant gives: permissions, and the environment variables that go with them."""

    allows: tuple[Allow, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    """IAM's names of services that a function with the word calls, although this stage may give it nothing there."""


Rule = Callable[[Arns], Granted]


def passes(role: str, service: str) -> Allow:
    """Pass one role to one service: to any other it would lend what the role may do."""
    return Allow(("iam:PassRole",), (role,), {"StringEquals": {"iam:PassedToService": service}})
