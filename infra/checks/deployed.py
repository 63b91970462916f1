"""State machines as CloudFormation would hand them to Step Functions: that text is checked, not the file it came from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from infra.checks.findings import CheckerBrokenError
from infra.idle_costs import templates_of

# An account and a region that exist nowhere in the templates, but have the right form.
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com",
}
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


def deployed_definitions(assembly: Path) -> dict[str, str]:
    """Find every machine of an assembly by its name, with its definition's substitutions made."""
    found = {}
    for _, file in templates_of(assembly):
        template = json.loads(file.read_text(encoding="utf-8"))
        for body in template.get("Resources", {}).values():
            if body["Type"] == "AWS::StepFunctions::StateMachine":
                properties = body["Properties"]
                found[written_out(properties["StateMachineName"])] = _definition(properties)
    return found


def _definition(properties: dict[str, Any]) -> str:
    values = {
        name: written_out(value) for name, value in properties.get("DefinitionSubstitutions", {}).items()
    }

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise CheckerBrokenError(f"{match[0]} of {properties['StateMachineName']} has no substitution")
        return values[match[1]]

    return _SUBSTITUTION.sub(value, written_out(properties["DefinitionString"]))


def written_out(value: Any) -> str:
    """Write an expression of CloudFormation as the text that it becomes."""
    match value:
        case str() | int():
            return str(value)
        case {"Fn::Join": [str(separator), [*parts]]}:
            return separator.join(written_out(part) for part in parts)
        case {"Ref": str(name)} if name in _PSEUDO:
            return _PSEUDO[name]
        case _:
            raise CheckerBrokenError(f"what {json.dumps(value)} becomes is known only when it is deployed")
