"""IAM on the laptop: every call is checked against its caller's role."""

from __future__ import annotations

from infra.local.iam.guard import Guard
from infra.local.iam.principals import Principal, Roles, principals_of

__all__ = ["Guard", "Principal", "Roles", "principals_of"]
