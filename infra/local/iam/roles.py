"""The roles of the template with their compiled policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import unquote

from moto.iam.models import iam_backends

from infra.local import account
from infra.local.iam.policies import Policies


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
