"""The principals of calls, known by their access keys, and the policies of their roles."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from moto.iam.models import iam_backends

from infra.local import account
from infra.local.engine import clients
from infra.local.executor import Executor
from infra.local.iam.policies import Policies

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


class Roles:
    """The current policies of each deployed role, compiled when they are first needed.

    Only deployed roles are held to their policies: a machine that was created by hand with an invented role runs as the
    operator.
    """

    def __init__(self, deployed: Callable[[], Collection[str]]) -> None:
        """Keep the function that returns the names of the deployed roles."""
        self._deployed = deployed
        self._compiled: dict[str, Policies] = {}

    def policies(self, name: str) -> Policies | None:
        """Return the policies of a role, or None if the role was not deployed."""
        compiled = self._compiled
        if name not in compiled and name in self._deployed():
            compiled[name] = Policies(_documents(name))
        return compiled.get(name)

    def forget(self) -> None:
        """Compile the policies again when they are next needed, after a change in IAM."""
        # A new dictionary: a thread that still compiles the old state must not put it into this one.
        self._compiled = {}


def _documents(name: str) -> list[dict[str, Any]]:
    backend = iam_backends[account.ACCOUNT_ID][account.PARTITION]
    role = backend.get_role(name)
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    texts = [*role.policies.values(), *(version.document for version in versions if version.is_default)]
    return [json.loads(unquote(text) if text.startswith("%") else text) for text in texts]
