"""The checkers of `make check` find what they are there for, and a checker that is silent is not taken for content."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.checks.deployed import deployed_definitions
from infra.checks.findings import Bench, CheckerBrokenError, Finding
from infra.checks.install import BENCH, HERE
from infra.checks.machines import asl_validator, check_definition
from infra.checks.templates import cfn_lint, checkov
from infra.constructs import suppressions
from infra.constructs.suppressions import CHECKOV, Suppression
from tests.infra.assembly_reading import ROOT, Assembly, Json


@pytest.fixture(scope="module")
def bench() -> Bench:
    if not (ROOT / ".build/checks/.ready").exists():
        pytest.skip("`make check` installs the checkers and runs this file with them")
    return BENCH


@pytest.fixture
def copy(dev: Assembly, tmp_path: Path) -> Callable[..., Path]:
    """Give an assembly in which one template is changed; it need not hold the others."""

    def changed(part: str, change: Callable[[Json], None], *, others: bool = False) -> Path:
        folder = tmp_path / "changed"
        shutil.copytree(dev.folder, folder, ignore=shutil.ignore_patterns("asset.*"))
        file = folder / f"stepward-dev-{part}.template.json"
        template = json.loads(file.read_text())
        change(template)
        file.write_text(json.dumps(template))
        if not others:
            manifest = json.loads((folder / "manifest.json").read_text())
            name = f"stepward-dev-{part}"
            manifest["artifacts"] = {name: manifest["artifacts"][name]}
            (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return changed


def resources_of(template: Json, kind: str) -> list[Json]:
    return [body for body in template["Resources"].values() if body["Type"] == kind]


def a_machine(**changes: Any) -> dict[str, Any]:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f"},
        "TimeoutSeconds": 40,
        "Next": "Done",
    }
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Work",
        "States": {"Work": task | changes, "Done": {"Type": "Succeed"}},
    }


def rules(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}


def test_a_sound_machine_passes(bench: Bench) -> None:
    assert check_definition(bench, "sound", json.dumps(a_machine())) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"Next": "Nowhere"}, "MISSING_TRANSITION_TARGET"),
        ({"Type": "Tsak"}, "SCHEMA_VALIDATION_FAILED"),
        ({"Resource": "lambda"}, "SCHEMA_VALIDATION_FAILED"),
        ({"Output": "{% $states.result. %}"}, "SCHEMA_VALIDATION_FAILED"),
        ({"ResultPath": "$.of.the.other.language"}, "SCHEMA_VALIDATION_FAILED"),
        ({"End": True}, "TERMINAL_STATE_WITH_NEXT"),
        ({"HeartbeatSeconds": 50}, "HEARTBEAT_TOO_LONG"),
        (
            {"Catch": [{"ErrorEquals": [e], "Next": "Done"} for e in ("States.ALL", "X")]},
            "CATCH_ALL_NOT_LAST",
        ),
        ({"Retry": [{"ErrorEquals": ["X", "States.ALL"]}]}, "CATCH_ALL_NOT_LAST"),
    ],
)
def test_a_broken_machine_is_found(bench: Bench, changes: dict[str, Any], rule: str) -> None:
    assert rule in rules(check_definition(bench, "broken", json.dumps(a_machine(**changes))))


def test_text_that_is_not_json_is_found(bench: Bench) -> None:
    assert rules(check_definition(bench, "broken", "{")) == {"NOT_JSON"}


def test_a_file_that_nothing_deploys_is_found(bench: Bench, prod: Assembly) -> None:
    report = asl_validator(bench, prod.folder, ["agent-run", "forgotten"])
    missing = [finding.where for finding in report.findings if finding.rule == "NOT_DEPLOYED"]
    assert missing == ["forgotten"]


def test_the_command_fails_for_one_broken_machine(bench: Bench, copy: Callable[..., Path]) -> None:
    def break_it(template: Json) -> None:
        (machine,) = resources_of(template, "AWS::StepFunctions::StateMachine")
        text = machine["Properties"]["DefinitionString"]
        machine["Properties"]["DefinitionString"] = text.replace('"Greet"', '"Great"', 1)

    folder = copy("machines", break_it)
    done = subprocess.run(
        [sys.executable, "-m", "infra.checks", folder], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 1, done.stderr
    assert (
        "MISSING_TRANSITION_TARGET stepward-dev-greet: Missing 'StartAt'|'Next'|'Default' target: Great"
        in (done.stderr)
    )


def test_machines_are_checked_as_they_are_deployed(prod: Assembly) -> None:
    (definition,) = deployed_definitions(prod.folder).values()
    assert "arn:aws:lambda:us-east-1:123456789012:function:stepward-prod-agent-advance" in definition
    assert "${" not in definition


def test_a_substitution_that_is_not_there_is_an_error(copy: Callable[..., Path]) -> None:
    def forget(template: Json) -> None:
        (machine,) = resources_of(template, "AWS::StepFunctions::StateMachine")
        machine["Properties"]["DefinitionSubstitutions"] = {}

    with pytest.raises(CheckerBrokenError, match="GreeterArn"):
        deployed_definitions(copy("machines", forget))


def test_every_kind_of_construct_is_clean(bench: Bench, dev: Assembly) -> None:
    assert checkov(bench, dev.folder).findings == ()
    assert cfn_lint(bench, dev.folder).findings == ()


def test_without_the_reasons_checkov_finds_just_what_they_are_about(
    bench: Bench, dev: Assembly, tmp_path: Path
) -> None:
    shutil.copyfile(dev.folder / "manifest.json", tmp_path / "manifest.json")
    for file in dev.folder.glob("*.template.json"):
        template = json.loads(file.read_text())
        for body in template["Resources"].values():
            body.pop("Metadata", None)
        (tmp_path / file.name).write_text(json.dumps(template))
    known = [value for value in vars(suppressions).values() if isinstance(value, Suppression)]
    expected = {rule for suppression in known for rule in suppression.rules if rule.startswith(CHECKOV)}
    assert {finding.rule for finding in checkov(bench, tmp_path).findings} == expected


def test_cfn_lint_finds_a_property_that_does_not_exist_and_warns(
    bench: Bench, copy: Callable[..., Path]
) -> None:
    def misspell(template: Json) -> None:
        first, second, *_ = template["Resources"].values()
        first["Properties"]["BilingMode"] = "PAY_PER_REQUEST"
        second["DependsOn"] = []
        template["Parameters"] = {"NeverUsed": {"Type": "String"}}

    found = cfn_lint(bench, copy("data", misspell)).findings
    assert {"E3002", "W2001"} <= {finding.rule for finding in found}


@pytest.mark.parametrize("answer", ["", "Traceback", '{"passed": 0, "failed": 0}'])
def test_a_checker_without_an_answer_is_broken(tmp_path: Path, dev: Assembly, answer: str) -> None:
    tools = tmp_path / "venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "checkov").write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\n")
    (tools / "checkov").chmod(0o755)
    with pytest.raises(CheckerBrokenError, match="checkov"):
        checkov(Bench(tmp_path), dev.folder)


def test_the_checkers_are_pinned_by_hash_and_no_address_is_kept() -> None:
    lock = (HERE / "requirements.lock").read_text()
    pinned = re.split(r"^(?=\S+==)", lock, flags=re.MULTILINE)
    assert len(pinned) > 2
    assert [entry for entry in pinned if entry and "--hash=sha256:" not in entry] == []
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert all(body["integrity"].startswith("sha512-") for name, body in packages.items() if name)
    assert "resolved" not in json.dumps(packages)
    assert "://" not in lock


def test_without_the_reasons_cfn_lint_finds_just_what_they_are_about(
    bench: Bench, prod: Assembly, tmp_path: Path
) -> None:
    shutil.copyfile(prod.folder / "manifest.json", tmp_path / "manifest.json")
    for file in prod.folder.glob("*.template.json"):
        template = json.loads(file.read_text())
        for body in template["Resources"].values():
            body.get("Metadata", {}).pop("cfn-lint", None)
        (tmp_path / file.name).write_text(json.dumps(template))
    found = {finding.rule for finding in cfn_lint(bench, tmp_path).findings}
    assert found == set(suppressions.TIMEOUT_BY_EXPRESSION.rules)
