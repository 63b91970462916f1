"""Handlers of state machines, with their definitions' substitutions."""

from __future__ import annotations

import json

from infra.local.deployer.resource import Created, Record, Resource, Target


def state_machine(resource: Resource, target: Target) -> Created:
    """Create a state machine; an invalid definition is refused, as on AWS."""
    name = resource.name("StateMachineName", 80)
    definition = _definition(resource, target)
    created = target.client("stepfunctions").create_state_machine(
        name=name,
        definition=definition,
        roleArn=resource.properties["RoleArn"],
        type=resource.properties.get("StateMachineType", "STANDARD"),
    )
    arn = created["stateMachineArn"]
    return Created(arn, {"Arn": arn, "Name": name})


def update_state_machine(resource: Resource, before: Record, target: Target) -> Created:
    """Update a machine; current executions keep the definition that they began with."""
    target.client("stepfunctions").update_state_machine(
        stateMachineArn=before.created.ref,
        definition=_definition(resource, target),
        roleArn=resource.properties["RoleArn"],
    )
    return before.created


def delete_state_machine(record: Record, target: Target) -> None:
    """Delete a machine."""
    target.client("stepfunctions").delete_state_machine(stateMachineArn=record.created.ref)


def _definition(resource: Resource, target: Target) -> str:
    definition = _written_definition(resource, target)
    for token, value in resource.properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{token}}}", str(value))
    return definition


def _written_definition(resource: Resource, target: Target) -> str:
    properties = resource.properties
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    if "DefinitionS3Location" in properties:
        return target.asset(properties["DefinitionS3Location"]["Key"]).read_text(encoding="utf-8")
    return json.dumps(properties["Definition"])
