"""The principals of calls, known by their access keys, and the policies of their roles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infra.local import account
from infra.local.engine import clients
from infra.local.executor import Executor

MACHINE_SESSION = "execution"
"""Step Functions has a session name for each execution; the laptop has one for all."""


@dataclass(frozen=True)
class Principal:
    """A session of a role."""

    role: str
    """The role's name."""

    session: str
    """The session's name: a function's name, or `execution`."""

    @property
    def arn(self) -> str:
        """The ARN of the session, as errors have it."""
        return f"arn:{account.PARTITION}:sts::{account.ACCOUNT_ID}:assumed-role/{self.role}/{self.session}"


PrincipalOf = Callable[[str], Principal | None]
"""Access key id → its principal; None is the operator, who may do everything."""


def principals_of(executor: Executor) -> PrincipalOf:
    """Look up principals by the keys of an executor's processes and of the engine's clients."""

    def principal_of(access_key: str) -> Principal | None:
        if spec := executor.function_of(access_key):
            return Principal(_role_name(spec.role_arn), spec.name) if spec.role_arn else None
        role = clients.role_of(access_key)
        return Principal(_role_name(role), MACHINE_SESSION) if role else None

    return principal_of


def _role_name(role_arn: str) -> str:
    return role_arn.rsplit("/", 1)[-1]
