"""The errors of a deployment, each with the line to change."""

from __future__ import annotations

from infra.local.deployer.resource import Resource


class DeployError(Exception):
    """The template asks for something that the laptop cannot do."""


class UnknownResourceType(DeployError):
    """A resource type has no handler, and must not be ignored silently."""

    def __init__(self, resource_type: str, logical_id: str, stack: str) -> None:
        """Name the resource and the file where its handler belongs."""
        super().__init__(
            f"{stack}/{logical_id}: the laptop knows no {resource_type}. Write a handler in "
            "infra/local/deployer/resources/ and list it in infra/local/deployer/catalog.py, or, if nothing on the "
            "laptop depends on it, add the type to NO_OPS there."
        )


class UnsupportedFunction(DeployError):
    """A template uses an unknown intrinsic function."""

    def __init__(self, name: str) -> None:
        """Name the function and the file where it belongs."""
        super().__init__(
            f"the intrinsic function {name} is not known; add it in infra/local/deployer/values.py"
        )


class UnknownProperty(DeployError):
    """A resource type has no such property, which CloudFormation refuses, too."""

    def __init__(self, resource: Resource, name: str, near: str | None) -> None:
        """Name the resource, the property and the nearest known one."""
        hint = f"; did you mean {near}?" if near else ""
        super().__init__(
            f"{resource.stack}/{resource.logical_id}: {resource.type} has no property {name}{hint}"
        )


class ResourceRefused(DeployError):
    """AWS refused a resource; its own message says why."""

    def __init__(self, resource: Resource, reason: str) -> None:
        """Name the resource and the reason."""
        super().__init__(f"{resource.stack}/{resource.logical_id} ({resource.type}): {reason}")


class MustBeRenamed(DeployError):
    """A change replaces a resource that has a custom name, so it must be renamed."""

    def __init__(self, resource: Resource, name_property: str) -> None:
        """Name the property to change, as CloudFormation does."""
        super().__init__(
            f"{resource.stack}/{resource.logical_id} ({resource.type}): this change replaces the resource, and "
            f"CloudFormation cannot replace one with a name of its own. Change {name_property} "
            f"({resource.properties[name_property]}) too; the data of the old one is then deleted."
        )


class CannotChange(DeployError):
    """The laptop can create this type, but neither change nor delete it."""

    def __init__(self, resource: Resource) -> None:
        """Name the resource and the file where its update belongs."""
        super().__init__(
            f"{resource.stack}/{resource.logical_id}: a running laptop cannot change or delete a {resource.type}. "
            "Stop the laptop and start it again, or write its upkeep in infra/local/deployer/catalog.py."
        )


class RolledBack(DeployError):
    """An update failed and was rolled back."""

    def __init__(self, reason: DeployError, failed: list[str]) -> None:
        """Name the reason, and what could not be rolled back."""
        what = "and was taken back: everything is as it was before"
        if failed:
            what = f"and could not be taken back whole ({'; '.join(failed)}); start the laptop again"
        super().__init__(f"the update failed {what}. {reason}")
