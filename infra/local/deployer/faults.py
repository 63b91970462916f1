"""What can be wrong with a template, told so that the reader knows which line to change."""

from __future__ import annotations


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
