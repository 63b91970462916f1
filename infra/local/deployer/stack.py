"""Applies stacks: each resource once, before what refers to it, by its condition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from infra.local.deployer.assembly import Assembly, StackTemplate
from infra.local.deployer.catalog import HANDLERS, NO_OPS
from infra.local.deployer.changes import Changes
from infra.local.deployer.faults import DeployError, RolledBack, UnknownResourceType
from infra.local.deployer.resource import Deployment, Record, Resource, Target
from infra.local.deployer.values import Values

_KEPT = ("Retain", "RetainExceptOnCreate", "Snapshot")


class Stack:
    """One stack that is being applied, and what its values refer to."""

    def __init__(self, stack: StackTemplate, changes: Changes, after: Deployment) -> None:
        """Keep the template, the steps of the deployment and its result."""
        self.stack_name = stack.name
        self._template = stack.template
        self._resources = stack.resources
        self._changes = changes
        self._after = after
        self._values = Values(self)
        self._in_progress: list[str] = []

    def apply(self) -> None:
        """Apply all resources, then evaluate the outputs."""
        for logical_id in self._resources:
            if self._is_wanted(self._resources[logical_id]):
                self._record(logical_id)
        outputs = self._after.outputs.setdefault(self.stack_name, {})
        for name, output in self._template.get("Outputs", {}).items():
            if not self._is_wanted(output):
                continue
            outputs[name] = self._values.evaluate(output["Value"])
            if "Export" in output:
                self._export(self._values.evaluate(output["Export"]["Name"]), outputs[name])

    def ref(self, name: str) -> Any:
        """Return the physical id of a resource, or the default of a parameter."""
        if name in self._resources:
            return self._record(name).created.ref
        try:
            return self._template["Parameters"][name].get("Default")
        except KeyError:
            raise DeployError(f"{self.stack_name}: nothing is called {name!r}") from None

    def attribute(self, name: str, attribute: str) -> Any:
        """Return an attribute of a resource."""
        if name not in self._resources:
            raise DeployError(f"{self.stack_name}: nothing is called {name!r}")
        try:
            return self._record(name).created.attributes[attribute]
        except KeyError:
            kind = self._resources[name]["Type"]
            raise DeployError(
                f"{self.stack_name}/{name}: {kind} gives no attribute {attribute} on the laptop"
            ) from None

    def imported(self, export: str) -> Any:
        """Return an export of an earlier stack."""
        try:
            return self._after.exports[export]
        except KeyError:
            raise DeployError(f"{self.stack_name}: no stack before it exports {export!r}") from None

    def stack_output(self, stack: str, output: str) -> Any:
        """Return an output of an earlier stack."""
        try:
            return self._after.outputs[stack][output]
        except KeyError:
            raise DeployError(
                f"{self.stack_name}: no stack before it has the output {stack}.{output}"
            ) from None

    def condition(self, name: str) -> bool:
        """Evaluate a condition of the template."""
        try:
            return bool(self._values.evaluate(self._template["Conditions"][name]))
        except KeyError:
            raise DeployError(f"{self.stack_name}: no condition is called {name!r}") from None

    def _is_wanted(self, declared: dict[str, Any]) -> bool:
        condition = declared.get("Condition")
        return condition is None or self.condition(condition)

    def _export(self, name: str, value: Any) -> None:
        if name in self._after.exports:
            raise DeployError(f"{self.stack_name}: another stack already exports {name!r}")
        self._after.exports[name] = value

    def _record(self, logical_id: str) -> Record:
        place = (self.stack_name, logical_id)
        if place in self._after.records:
            return self._after.records[place]
        if logical_id in self._in_progress:
            path = " -> ".join([*self._in_progress, logical_id])
            raise DeployError(f"{self.stack_name}: circular reference {path}")
        if not self._is_wanted(self._resources[logical_id]):
            raise DeployError(
                f"{self.stack_name}: {logical_id} is referred to, but its condition "
                f"{self._resources[logical_id]['Condition']} is false"
            )
        self._in_progress.append(logical_id)
        try:
            record = self._applied(logical_id)
        finally:
            self._in_progress.pop()
        self._after.records[place] = record
        return record

    def _applied(self, logical_id: str) -> Record:
        declared = self._resources[logical_id]
        for dependency in self._dependencies(declared):
            self._record(dependency)
        kind = declared["Type"]
        if kind in NO_OPS:
            properties = {}
        elif kind in HANDLERS:
            properties = self._values.evaluate(json.loads(json.dumps(declared.get("Properties", {}))))
        else:
            raise UnknownResourceType(kind, logical_id, self.stack_name)
        resource = Resource(self.stack_name, logical_id, kind, properties)
        return self._changes.apply(resource, is_kept=declared.get("DeletionPolicy") in _KEPT)

    def _dependencies(self, declared: dict[str, Any]) -> Iterator[str]:
        named = declared.get("DependsOn", [])
        for dependency in [named] if isinstance(named, str) else named:
            if self._is_wanted(self._resources[dependency]):
                yield dependency


def deploy(assembly: Assembly, target: Target, before: Deployment | None = None) -> Deployment:
    """Apply an assembly, and return the deployment.

    It fails at the first resource that the laptop does not know or AWS refuses. An update is then rolled back as a whole, as
    by CloudFormation. What left the templates is deleted last, when nothing can fail any more.
    """
    after = Deployment()
    changes = Changes(target, before or Deployment())
    try:
        for stack in assembly.stacks():
            Stack(stack, changes, after).apply()
        changes.check_deletions(after)
    except DeployError as error:
        if before is None:
            raise
        raise RolledBack(error, changes.roll_back()) from error
    changes.delete_gone(after)
    after.changes = changes.lines
    return after
