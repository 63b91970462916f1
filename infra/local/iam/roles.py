"""The roles of the template with their policies as IAM holds them at the moment, compiled once and again after a change."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import unquote

from moto.iam.models import iam_backends

from infra.local import account
from infra.local.iam.policies import Policies


class Roles:
    """What each role may do.

    Only roles that were deployed are held to their policies: a machine that somebody made by hand with an invented
    role runs as the operator.
    """

    def __init__(self, deployed: Callable[[], Collection[str]]) -> None:
        """Take the question for the names of the deployed roles."""
        self._deployed = deployed
        self._compiled: dict[str, Policies] = {}

    def policies(self, name: str) -> Policies | None:
        """Give what holds for a role, or None if nothing does."""
        compiled = self._compiled
        if name not in compiled and name in self._deployed():
            compiled[name] = Policies(_documents(name))
        return compiled.get(name)

    def forget(self) -> None:
        """Read anew from now on: something in IAM has changed."""
        # A new one, so that what is being compiled from the old state is kept in the old one.
        self._compiled = {}


def _documents(name: str) -> list[dict[str, Any]]:
    backend = iam_backends[account.ACCOUNT_ID][account.PARTITION]
    role = backend.get_role(name)
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    texts = [*role.policies.values(), *(version.document for version in versions if version.is_default)]
    return [json.loads(unquote(text) if text.startswith("%") else text) for text in texts]
