"""What would cost money while nothing happens stops the synthesis, unless the stage allows it by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aspects, CfnResource, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms

from infra.config import StageConfig, load_config
from infra.config_errors import DefinitionError
from infra.constructs.idle_aspect import NothingCostsWhileIdle
from infra.idle_costs import IdleCostJudge, refuse_idle_costs
from infra.idle_prices import COSTLY, FREE, QUOTAS


def allowing(*names: str) -> StageConfig:
    quoted = ", ".join(f'"{name}"' for name in names)
    return load_config("dev", settings=[f"idle_cost_allowed = [{quoted}]"])


def judged(kind: str, properties: dict[str, Any] | None = None, config: StageConfig | None = None) -> str:
    judge = IdleCostJudge(config or allowing())
    return judge.objection("stack/Thing", kind, "Thing", properties or {}) or ""


def an_app(folder: Path, config: StageConfig) -> tuple[App, Stack]:
    app = App(outdir=str(folder))
    Aspects.of(app).add(NothingCostsWhileIdle(config))
    return app, Stack(app, "vault")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::Lambda::Version", {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}),
        ("AWS::Lambda::Alias", {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}),
        ("AWS::Lambda::Function", {"SnapStart": {"ApplyOn": "PublishedVersions"}}),
        ("AWS::Lambda::Function", {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}),
        ("AWS::Lambda::EventSourceMapping", {"ProvisionedPollerConfig": {"MinimumPollers": 2}}),
        ("AWS::DynamoDB::Table", {"BillingMode": "PROVISIONED"}),
        ("AWS::DynamoDB::Table", {}),
        ("AWS::DynamoDB::GlobalTable", {}),
        ("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface"}),
        ("AWS::SSM::Parameter", {"Tier": "Advanced"}),
        (
            "AWS::CloudFront::Distribution",
            {"DistributionConfig": {"ViewerCertificate": {"SslSupportMethod": "vip"}}},
        ),
        ("AWS::CloudWatch::Alarm", {"Period": 10}),
        *((kind, {}) for kind in sorted(COSTLY)),
    ],
)  # fmt: skip
def test_what_costs_is_refused_with_its_price(kind: str, properties: dict[str, Any]) -> None:
    said = judged(kind, properties)
    assert said.startswith(f"stack/Thing ({kind}) would cost money while idle: ")
    assert "$" in said or " paid " in said
    assert f'infra/config/dev.toml: idle_cost_allowed = ["{kind}"], or ["Thing"] for this one only' in said


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("AWS::DynamoDB::Table", {"BillingMode": "PAY_PER_REQUEST"}),
        ("AWS::Lambda::Function", {"SnapStart": {"ApplyOn": "None"}}),
        ("AWS::EC2::VPCEndpoint", {}),
        ("AWS::SSM::Parameter", {"Tier": "Standard"}),
        ("AWS::CloudWatch::Alarm", {"Period": 60}),
        ("Custom::Anything", {}),
    ],
)
def test_what_is_free_at_rest_passes(kind: str, properties: dict[str, Any]) -> None:
    assert judged(kind, properties) == ""


def test_a_type_that_nobody_thought_of_is_refused() -> None:
    assert "nothing is known about this type" in judged("AWS::QuantumShoes::Pair")


@pytest.mark.parametrize(
    "mode", [{"Fn::If": ["Cheap", "PAY_PER_REQUEST", "PROVISIONED"]}, {"Ref": "BillingModeParameter"}]
)
def test_a_value_that_only_the_deployment_knows_is_not_taken_for_free(mode: dict[str, Any]) -> None:
    assert "(BillingMode)" in judged("AWS::DynamoDB::Table", {"BillingMode": mode})
    assert "(SnapStart.ApplyOn)" in judged("AWS::Lambda::Function", {"SnapStart": mode})


@pytest.mark.parametrize("name", ["AWS::KMS::Key", "Thing"])
def test_the_stage_allows_by_type_or_by_logical_id(name: str) -> None:
    assert judged("AWS::KMS::Key", config=allowing(name)) == ""
    assert judged("AWS::KMS::Key", config=allowing("AWS::KMS::Alias", "Other"))


def test_the_eleventh_alarm_costs() -> None:
    judge = IdleCostJudge(allowing())
    said = [judge.objection(f"a/{n}", "AWS::CloudWatch::Alarm", f"A{n}", {}) for n in range(11)]
    assert said[:10] == [None] * 10
    assert "a/10 (AWS::CloudWatch::Alarm)" in str(said[10])


def test_an_alarm_on_an_expression_counts_for_each_of_its_metrics() -> None:
    judge = IdleCostJudge(allowing())
    six = {
        "Metrics": [
            {"Id": "e", "Expression": "m0 + m1"},
            *({"Id": f"m{n}", "MetricStat": {}} for n in range(6)),
        ]
    }
    assert judge.objection("a/1", "AWS::CloudWatch::Alarm", "A1", six) is None
    assert judge.objection("a/2", "AWS::CloudWatch::Alarm", "A2", six)


def test_an_alarm_that_is_allowed_by_name_leaves_the_free_ones_to_others() -> None:
    judge = IdleCostJudge(allowing("Paid"))
    names = ["Paid", *(f"A{n}" for n in range(10))]
    assert [judge.objection(name, "AWS::CloudWatch::Alarm", name, {}) for name in names] == [None] * 11
    assert judge.unused() == []


def test_a_second_queue_s_polling_is_more_than_the_free_requests() -> None:
    judge = IdleCostJudge(allowing())
    stream = {"EventSourceArn": "arn", "StartingPosition": "LATEST"}
    mappings = [stream, {"EventSourceArn": "q1"}, stream, {"EventSourceArn": "q2"}]
    said = [judge.objection("m", "AWS::Lambda::EventSourceMapping", "M", mapping) for mapping in mappings]
    assert said[:3] == [None] * 3
    assert "648,000" in str(said[3])


def test_no_type_is_listed_twice_and_each_has_its_reason() -> None:
    assert set(FREE) & set(COSTLY) == set()
    assert set(QUOTAS) & (set(FREE) | set(COSTLY)) == set()
    assert all(len(free.why.split()) >= 2 for free in FREE.values())


def test_the_synthesis_fails_at_the_construct_and_reports_all(tmp_path: Path) -> None:
    app, stack = an_app(tmp_path, allowing())
    kms.Key(stack, "Seal")
    CfnResource(stack, "Gate", type="AWS::EC2::NatGateway", properties={"SubnetId": "s"})
    dynamodb.CfnTable(stack, "Ledger", key_schema=[])
    with pytest.raises(RuntimeError, match="ValidationFailed") as failure:
        app.synth()
    assert "vault/Seal/Resource (AWS::KMS::Key)" in str(failure.value)
    assert "vault/Gate (AWS::EC2::NatGateway)" in str(failure.value)
    assert "vault/Ledger (AWS::DynamoDB::Table)" in str(failure.value)


def test_the_synthesis_passes_what_the_stage_allows(tmp_path: Path) -> None:
    config = allowing("AWS::KMS::Key")
    app, stack = an_app(tmp_path, config)
    kms.Key(stack, "Seal")
    app.synth()
    refuse_idle_costs(tmp_path, config)


def test_an_override_is_found_in_the_template(tmp_path: Path) -> None:
    app, stack = an_app(tmp_path, allowing())
    table = dynamodb.CfnTable(stack, "Ledger", key_schema=[], billing_mode="PAY_PER_REQUEST")
    table.add_property_override("BillingMode", "PROVISIONED")
    app.synth()
    with pytest.raises(DefinitionError, match=r"vault/Ledger \(AWS::DynamoDB::Table\) would cost"):
        refuse_idle_costs(tmp_path, allowing())


def test_what_is_allowed_and_not_needed_is_refused(tmp_path: Path) -> None:
    app, _ = an_app(tmp_path, allowing("AWS::KMS::Key"))
    app.synth()
    with pytest.raises(
        DefinitionError, match=r"dev\.toml: idle_cost_allowed names 'AWS::KMS::Key', which nothing"
    ):
        refuse_idle_costs(tmp_path, allowing("AWS::KMS::Key"))
