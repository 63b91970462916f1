"""Who makes a call: a function or an execution in its role, known by the key that the laptop gave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.local import account
from infra.local.engine import clients
from infra.local.executor import Executor

MACHINE_SESSION = "execution"
"""Step Functions makes a session's name up for every execution; the laptop has one for all."""


@dataclass(frozen=True)
class Principal:
    """A role that somebody has assumed."""

    role: str
    """The role's name."""

    session: str
    """Who assumed it: a function's name, or `execution`."""

    @property
    def arn(self) -> str:
        """Spell it as refusals do."""
        return f"arn:{account.PARTITION}:sts::{account.ACCOUNT_ID}:assumed-role/{self.role}/{self.session}"


PrincipalOf = Callable[[str], Principal | None]
"""Access key id → who that is; None is the operator, who may do everything."""


def principals_of(executor: Executor) -> PrincipalOf:
    """Know the keys of an executor's processes and of the engine's clients."""

    def principal_of(access_key: str) -> Principal | None:
        if spec := executor.function_of(access_key):
            return Principal(_name(spec.role_arn), spec.name) if spec.role_arn else None
        role = clients.role_of(access_key)
        return Principal(_name(role), MACHINE_SESSION) if role else None

    return principal_of


def _name(role_arn: str) -> str:
    return role_arn.rsplit("/", 1)[-1]
