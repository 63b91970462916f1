"""IAM on a laptop: what AWS would refuse to a process is refused here too, so that a missing grant shows at once."""

from __future__ import annotations

from infra.local.iam.guard import Guard
from infra.local.iam.principals import Principal, principals_of
from infra.local.iam.roles import Roles

__all__ = ["Guard", "Principal", "Roles", "principals_of"]
