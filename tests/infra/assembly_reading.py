"""Reads templates the way that people speak of them, so that tests state rules and not CloudFormation's syntax."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Assembly:
    """A synthesised app: its templates by part (`data`, `functions`, …)."""

    folder: Path
    stage: str

    def template(self, part: str) -> Json:
        file = self.folder / f"stepward-{self.stage}-{part}.template.json"
        document: Json = json.loads(file.read_text(encoding="utf-8"))
        return document

    @property
    def parts(self) -> list[str]:
        prefix = f"stepward-{self.stage}-"
        names = [path.name.removesuffix(".template.json") for path in self.folder.glob("*.template.json")]
        return sorted(name.removeprefix(prefix) for name in names)

    def resources(self, part: str, kind: str) -> dict[str, Json]:
        found = self.template(part).get("Resources", {})
        return {name: body for name, body in found.items() if body["Type"] == kind}

    def properties(self, part: str, kind: str) -> list[Json]:
        return [body["Properties"] for body in self.resources(part, kind).values()]

    def function(self, room: str) -> Json:
        name = f"stepward-{self.stage}-{room.replace('_', '-')}"
        functions = self.properties("functions", "AWS::Lambda::Function")
        return next(body for body in functions if body["FunctionName"] == name)

    def role_of(self, room: str) -> Json:
        logical_id = self.function(room)["Role"]["Fn::GetAtt"][0]
        properties: Json = self.resources("functions", "AWS::IAM::Role")[logical_id]["Properties"]
        return properties


def flat(value: Any) -> str:
    """Write an intrinsic as one line: pseudo parameters in angle brackets without their prefix."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    name = str(value["Ref"])
    return f"<{name.removeprefix('AWS::').lower()}>" if name.startswith("AWS::") else f"<{name}>"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: Json) -> list[Json]:
    """List what a role's policies say."""
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def permissions(role: Json) -> dict[str, set[str]]:
    """Turn a role's policies into actions by resource."""
    found: dict[str, set[str]] = {}
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            found.setdefault(flat(resource), set()).update(as_list(statement["Action"]))
    return found
