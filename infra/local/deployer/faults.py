"""What can be wrong with a template, told so that the reader knows which line to change."""

from __future__ import annotations

from infra.local.deployer.resource import Resource


class DeployError(Exception):
    """The template asks for something that the laptop cannot do."""


class UnknownResourceType(DeployError):
    """A resource type without a handler; ignoring it would make the laptop lie about the template."""

    def __init__(self, resource_type: str, logical_id: str, stack: str) -> None:
        """Name the resource and the place where its handler belongs."""
        super().__init__(
            f"{stack}/{logical_id}: the laptop knows no {resource_type}. Write a handler in "
            "infra/local/deployer/resources/ and list it in infra/local/deployer/catalog.py, or, if nothing on the "
            "laptop depends on it, add the type to NO_OPS there."
        )


class UnsupportedFunction(DeployError):
    """An intrinsic function that no stack has needed so far."""

    def __init__(self, name: str) -> None:
        """Name the function and its home."""
        super().__init__(
            f"the intrinsic function {name} is not known; add it in infra/local/deployer/values.py"
        )


class UnknownProperty(DeployError):
    """A property that the resource type does not have; CloudFormation refuses it, so the laptop does."""

    def __init__(self, resource: Resource, name: str, near: str | None) -> None:
        """Name the resource, the property, and what may have been meant."""
        hint = f"; did you mean {near}?" if near else ""
        super().__init__(
            f"{resource.stack}/{resource.logical_id}: {resource.type} has no property {name}{hint}"
        )


class ResourceRefused(DeployError):
    """AWS did not accept a resource; its own message says why."""

    def __init__(self, resource: Resource, reason: str) -> None:
        """Name the resource before the reason."""
        super().__init__(f"{resource.stack}/{resource.logical_id} ({resource.type}): {reason}")


class MustBeRenamed(DeployError):
    """A change needs a new resource, and two resources cannot have one name."""

    def __init__(self, resource: Resource, name_property: str) -> None:
        """Say what CloudFormation says, and which line to change."""
        super().__init__(
            f"{resource.stack}/{resource.logical_id} ({resource.type}): this change replaces the resource, and "
            f"CloudFormation cannot replace one with a name of its own. Change {name_property} "
            f"({resource.properties[name_property]}) too; the data of the old one is then deleted."
        )


class CannotChange(DeployError):
    """A type that the laptop can create but not change; starting anew applies it."""

    def __init__(self, resource: Resource) -> None:
        """Name the resource and the place where its upkeep belongs."""
        super().__init__(
            f"{resource.stack}/{resource.logical_id}: a running laptop cannot change or delete a {resource.type}. "
            "Stop the laptop and start it again, or write its upkeep in infra/local/deployer/upkeep.py."
        )


class RolledBack(DeployError):
    """An update that failed; everything is again as it was before it."""

    def __init__(self, reason: DeployError, failed: list[str]) -> None:
        """Keep the reason, and what could not be taken back."""
        what = "and was taken back: everything is as it was before"
        if failed:
            what = f"and could not be taken back whole ({'; '.join(failed)}); start the laptop anew"
        super().__init__(f"the update failed {what}. {reason}")
