"""State machines, with their definition's substitutions made as CloudFormation makes them."""

from __future__ import annotations

import json

from infra.local.deployer.resource import Created, Resource, Target


def state_machine(resource: Resource, target: Target) -> Created:
    """Create a state machine; an invalid definition fails here, as it would on AWS."""
    name = resource.name("StateMachineName", 80)
    definition = _definition(resource, target)
    for token, value in resource.properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{token}}}", str(value))
    created = target.client("stepfunctions").create_state_machine(
        name=name,
        definition=definition,
        roleArn=resource.properties["RoleArn"],
        type=resource.properties.get("StateMachineType", "STANDARD"),
    )
    arn = created["stateMachineArn"]
    return Created(arn, {"Arn": arn, "Name": name})


def _definition(resource: Resource, target: Target) -> str:
    properties = resource.properties
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    if "DefinitionS3Location" in properties:
        return target.asset(properties["DefinitionS3Location"]["Key"]).read_text(encoding="utf-8")
    return json.dumps(properties["Definition"])
