"""Deploy the stacks of an assembly one after the other and remember what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local.deployer.assembly import Assembly, StackTemplate
from infra.local.deployer.catalog import HANDLERS, NO_OPS
from infra.local.deployer.faults import DeployError, UnknownResourceType
from infra.local.deployer.resource import Created, Resource, Target
from infra.local.deployer.values import Values


@dataclass
class Deployment:
    """What the laptop now has: for the console, the gateway and the tests."""

    resources: list[tuple[str, str, str]] = field(default_factory=list)
    """(stack, type, physical id) in the order of creation."""

    no_ops: list[tuple[str, str]] = field(default_factory=list)
    """(type, stack/logical id) of what the laptop knowingly leaves out."""

    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, Any] = field(default_factory=dict)

    def physical_ids(self, resource_type: str) -> list[str]:
        """Find what was created of one type."""
        return [physical for _, kind, physical in self.resources if kind == resource_type]


def deploy(assembly: Assembly, target: Target) -> Deployment:
    """Create everything that the assembly describes; fail at the first thing that the laptop does not know."""
    deployment = Deployment()
    for stack in assembly.stacks():
        _Stack(stack, target, deployment).create()
    return deployment


class _Stack:
    """One stack on its way: resources are created when something refers to them, each once."""

    def __init__(self, stack: StackTemplate, target: Target, deployment: Deployment) -> None:
        self.stack_name = stack.name
        self._template = stack.template
        self._resources = stack.resources
        self._target = target
        self._deployment = deployment
        self._values = Values(self)
        self._created: dict[str, Created] = {}
        self._under_way: list[str] = []

    def create(self) -> None:
        for logical_id in self._resources:
            if self._wanted(logical_id):
                self._create_one(logical_id)
        outputs = self._deployment.outputs.setdefault(self.stack_name, {})
        for name, output in self._template.get("Outputs", {}).items():
            outputs[name] = self._values.evaluate(output["Value"])
            if "Export" in output:
                self._deployment.exports[self._values.evaluate(output["Export"]["Name"])] = outputs[name]

    def ref(self, name: str) -> Any:
        if name in self._resources:
            return self._create_one(name).ref
        return self._template["Parameters"][name].get("Default")

    def attribute(self, name: str, attribute: str) -> Any:
        created = self._create_one(name)
        try:
            return created.attributes[attribute]
        except KeyError:
            kind = self._resources[name]["Type"]
            raise DeployError(
                f"{self.stack_name}/{name}: {kind} gives no attribute {attribute} on the laptop"
            ) from None

    def imported(self, export: str) -> Any:
        try:
            return self._deployment.exports[export]
        except KeyError:
            raise DeployError(f"{self.stack_name}: no stack before it exports {export!r}") from None

    def stack_output(self, stack: str, output: str) -> Any:
        try:
            return self._deployment.outputs[stack][output]
        except KeyError:
            raise DeployError(
                f"{self.stack_name}: no stack before it has the output {stack}.{output}"
            ) from None

    def condition(self, name: str) -> bool:
        return bool(self._values.evaluate(self._template["Conditions"][name]))

    def _wanted(self, logical_id: str) -> bool:
        condition = self._resources[logical_id].get("Condition")
        return condition is None or self.condition(condition)

    def _create_one(self, logical_id: str) -> Created:
        if logical_id in self._created:
            return self._created[logical_id]
        if logical_id in self._under_way:
            raise DeployError(
                f"{self.stack_name}: circular reference {' -> '.join([*self._under_way, logical_id])}"
            )
        self._under_way.append(logical_id)
        try:
            self._created[logical_id] = self._apply(logical_id)
        finally:
            self._under_way.pop()
        return self._created[logical_id]

    def _apply(self, logical_id: str) -> Created:
        declared = self._resources[logical_id]
        depends_on = declared.get("DependsOn", [])
        for dependency in [depends_on] if isinstance(depends_on, str) else depends_on:
            self._create_one(dependency)
        kind = declared["Type"]
        if kind in NO_OPS:
            self._deployment.no_ops.append((kind, f"{self.stack_name}/{logical_id}"))
            return Created(logical_id)
        handler: Callable[[Resource, Target], Created] | None = HANDLERS.get(kind)
        if handler is None:
            raise UnknownResourceType(kind, logical_id, self.stack_name)
        properties = self._values.evaluate(json.loads(json.dumps(declared.get("Properties", {}))))
        created = handler(Resource(self.stack_name, logical_id, kind, properties), self._target)
        self._deployment.resources.append((self.stack_name, kind, created.ref))
        return created
