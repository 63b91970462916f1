"""The exceptions to the checkers' rules are few, each has a reason, and each is about one resource."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from aws_cdk import Stack, Validations

from infra.assembly import Plan, build_app, feature_flags
from infra.bundling import Checkout, source_bundler
from infra.config import load_config
from infra.constructs import suppressions
from infra.constructs.suppressions import CFN_LINT, CHECKOV, Suppression
from tests.infra.assembly_reading import ROOT, Assembly

SUPPRESSIONS = {name: value for name, value in vars(suppressions).items() if isinstance(value, Suppression)}


def test_the_product_breaks_no_rule(prod: Assembly) -> None:
    report = json.loads((prod.folder / "validation-report.json").read_text(encoding="utf-8"))
    assert report["pluginReports"] == []


def test_the_exceptions_are_few_and_reasoned() -> None:
    assert len(SUPPRESSIONS) <= 12
    assert all(len(suppression.reason.split()) > 5 for suppression in SUPPRESSIONS.values())


def test_no_exception_holds_for_a_whole_stack(small: Checkout) -> None:
    app = build_app(Plan(small, load_config("dev"), source_bundler(small)))
    key = Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    marked = [node for node in app.node.find_all() if any(entry.type == key for entry in node.node.metadata)]
    assert marked
    assert not any(isinstance(node, Stack) or node is app for node in marked)


def test_without_the_exceptions_the_rules_find_something(
    small: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Suppression, "on", lambda *_: None)
    plan = Plan(
        small,
        load_config("dev"),
        source_bundler(small),
        out=tmp_path,
        is_nagged=True,
        context=feature_flags(ROOT),
    )
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        build_app(plan).synth()
    report = json.loads((tmp_path / "validation-report.json").read_text(encoding="utf-8"))
    broken = {
        found["ruleName"].partition("[")[0]
        for plugin in report["pluginReports"]
        for found in plugin["violations"]
    }
    known = {rule for suppression in SUPPRESSIONS.values() for rule in suppression.rules}
    assert broken == {rule for rule in known if not rule.startswith((CHECKOV, CFN_LINT))}


def test_templates_skip_nothing_without_a_reason_from_the_list(prod: Assembly, dev: Assembly) -> None:
    known = {
        (rule, suppression.reason) for suppression in SUPPRESSIONS.values() for rule in suppression.rules
    }
    for assembly in (prod, dev):
        for part in assembly.parts:
            for body in assembly.template(part)["Resources"].values():
                told = body.get("Metadata", {})
                assert set(told) <= {"checkov", "cfn-lint"}
                skipped = [
                    (skip["id"], skip["comment"]) for skip in told.get("checkov", {"skip": []})["skip"]
                ]
                assert set(skipped) <= known
                assert len(skipped) == len(set(skipped))


def test_stacks_take_nothing_from_each_other_but_names(prod: Assembly) -> None:
    for part in prod.parts:
        assert "Fn::ImportValue" not in json.dumps(prod.template(part))
        assert "Parameters" not in prod.template(part)


def test_data_comes_first_and_the_front_door_last(dev: Assembly) -> None:
    artifacts = json.loads((dev.folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    order = ["data", "queues", "functions", "machines", "api"]
    for earlier, later in pairwise(order):
        assert f"stepward-dev-{earlier}" in artifacts[f"stepward-dev-{later}"]["dependencies"]
