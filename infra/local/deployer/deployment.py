"""Deploy the stacks of an assembly one after the other: the first time all of it, later only what has changed."""

from __future__ import annotations

from infra.local.deployer.assembly import Assembly
from infra.local.deployer.changes import Changes
from infra.local.deployer.faults import DeployError, RolledBack
from infra.local.deployer.records import Deployment
from infra.local.deployer.resource import Target
from infra.local.deployer.stack import Stack


def deploy(assembly: Assembly, target: Target, before: Deployment | None = None) -> Deployment:
    """Make what is there equal to what the assembly describes.

    Fails at the first thing that the laptop does not know or AWS refuses; an update is then taken back as a whole, as
    CloudFormation does. What is no longer wanted is deleted last, when nothing can fail any more.
    """
    after = Deployment()
    changes = Changes(target, before or Deployment())
    try:
        for stack in assembly.stacks():
            Stack(stack, changes, after).apply()
        changes.refuse_what_cannot_go(after)
    except DeployError as error:
        if before is None:
            raise
        raise RolledBack(error, changes.roll_back()) from error
    changes.delete_gone(after)
    after.changes = changes.lines
    return after
