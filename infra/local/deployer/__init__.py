"""Apply a cloud assembly to the laptop's AWS: one handler a resource type, and an error for every type without one."""

from __future__ import annotations

from infra.local.deployer.assembly import Assembly
from infra.local.deployer.deployment import Deployment, deploy
from infra.local.deployer.faults import DeployError, UnknownResourceType

__all__ = ["Assembly", "DeployError", "Deployment", "UnknownResourceType", "deploy"]
