"""Applies a cloud assembly to the laptop's AWS, with one handler for each resource type."""

from __future__ import annotations

from infra.local.deployer.assembly import Assembly
from infra.local.deployer.faults import DeployError, UnknownResourceType
from infra.local.deployer.resource import Deployment
from infra.local.deployer.stack import deploy

__all__ = ["Assembly", "DeployError", "Deployment", "UnknownResourceType", "deploy"]
