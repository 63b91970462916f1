"""A deployment changes only what differs; one that fails is rolled back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployer import Assembly, DeployError, Deployment, deploy
from infra.local.deployer.resource import HttpApiParts, Target
from infra.local.laptop import Laptop

Template = dict[str, Any]


def resource(kind: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties or {}} | more


def table(name: str | None, key: str = "pk", **more: Any) -> dict[str, Any]:
    properties = {
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        **({"TableName": name} if name else {}),
    }
    return resource("DynamoDB::Table", properties | more)


class Deployer:
    """Deploy templates of stacks of a test's own, one after the other, onto the running laptop's AWS."""

    def __init__(self, laptop: Laptop, folder: Path) -> None:
        self.laptop, self.folder = laptop, folder
        self.word = f"u{uuid.uuid4().hex[:8]}"
        self.before: Deployment | None = None

    def __call__(self, *resources: Template, **more: Template) -> list[str]:
        names = [f"{self.word}-{number}" for number in range(len(resources))]
        artifacts = {}
        for number, (name, declared) in enumerate(zip(names, resources, strict=True)):
            document = {"Resources": declared, **(more if number == 0 else {})}
            if "Resources" in declared:
                document = declared
            (self.folder / f"{name}.json").write_text(json.dumps(document))
            artifacts[name] = {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": f"{name}.json"},
                "dependencies": names[:number],
            }
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        assembly = Assembly(self.folder)
        target = Target(self.laptop.client, assembly.asset, lambda _: None, HttpApiParts(), "http://laptop")
        self.before = deploy(assembly, target, self.before)
        return [line.replace(f"{self.word}-", "") for line in self.before.changes]

    @property
    def tables(self) -> list[str]:
        found = self.laptop.client("dynamodb").list_tables(Limit=100)["TableNames"]
        return sorted(name.replace(self.word, "W") for name in found if self.word in name)


@pytest.fixture
def deployer(laptop: Laptop, tmp_path: Path) -> Iterator[Deployer]:
    made = Deployer(laptop, tmp_path)
    yield made
    made({})


def test_the_same_again_changes_nothing(deployer: Deployer) -> None:
    wanted = {"Items": table(None), "Queue": resource("SQS::Queue"), "Logs": resource("Logs::LogGroup")}
    assert len(deployer(wanted)) == 3
    assert deployer(wanted) == []


def test_a_change_keeps_the_data(deployer: Deployer) -> None:
    name = f"{deployer.word}-items"
    deployer({"Items": table(name), "Queue": resource("SQS::Queue", {"VisibilityTimeout": 7})})
    dynamodb = deployer.laptop.client("dynamodb")
    dynamodb.put_item(TableName=name, Item={"pk": {"S": "kept"}, "other": {"S": "x"}})
    index = {
        "IndexName": "by-other",
        "KeySchema": [{"AttributeName": "other", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    attributes = [{"AttributeName": one, "AttributeType": "S"} for one in ("pk", "other")]
    wanted = table(
        name,
        AttributeDefinitions=attributes,
        GlobalSecondaryIndexes=[index],
        TimeToLiveSpecification={"AttributeName": "expires_at", "Enabled": True},
        StreamSpecification={"StreamViewType": "NEW_IMAGE"},
    )
    lines = deployer({"Items": wanted, "Queue": resource("SQS::Queue", {"VisibilityTimeout": 7})})
    assert len(lines) == 1
    assert lines[0].startswith("updated 0/Items AWS::DynamoDB::Table")
    assert dynamodb.get_item(TableName=name, Key={"pk": {"S": "kept"}})["Item"]["other"] == {"S": "x"}
    found = dynamodb.query(
        TableName=name,
        IndexName="by-other",
        KeyConditionExpression="other = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    assert found["Count"] == 1
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry["AttributeName"] == "expires_at"


def test_another_key_makes_another_table(deployer: Deployer) -> None:
    deployer({"Items": table(None)})
    lines = deployer({"Items": table(None, "id")})
    assert [line.split()[0] for line in lines] == ["replaced", "deleted"]
    assert deployer.tables == ["W-0-Items-1"]
    deployer({"Items": table(None, "pk")})
    assert deployer.tables == ["W-0-Items-2"]


def test_a_named_table_is_not_replaced_behind_its_owner(deployer: Deployer) -> None:
    name = f"{deployer.word}-items"
    deployer({"Items": table(name)})
    deployer.laptop.client("dynamodb").put_item(TableName=name, Item={"pk": {"S": "kept"}})
    with pytest.raises(DeployError, match=rf"taken back.*Change TableName \({name}\)"):
        deployer({"Items": table(name, "id")})
    assert deployer.laptop.client("dynamodb").scan(TableName=name)["Count"] == 1


def test_what_is_gone_is_deleted_unless_it_is_to_be_kept(deployer: Deployer) -> None:
    kept = f"{deployer.word}-kept"
    deployer({"Gone": table(None), "Kept": table(kept) | {"DeletionPolicy": "Retain"}})
    lines = deployer({})
    assert [line.split()[0] for line in lines] == ["kept,", "deleted"]
    assert deployer.tables == ["W-kept"]
    deployer.laptop.client("dynamodb").delete_table(TableName=kept)


def test_a_failed_update_is_taken_back_whole(deployer: Deployer) -> None:
    def queue(seconds: int) -> dict[str, Any]:
        return resource("SQS::Queue", {"VisibilityTimeout": seconds})

    deployer({"Queue": queue(7), "Old": table(None)})
    broken = table(None, KeySchema=[{"AttributeName": "nothing", "KeyType": "HASH"}])
    with pytest.raises(DeployError) as caught:
        deployer({"Queue": queue(9), "New": table(None), "Broken": broken})
    told = str(caught.value)
    assert "taken back: everything is as it was before" in told
    assert f"{deployer.word}-0/Broken (AWS::DynamoDB::Table)" in told
    assert deployer.tables == ["W-0-Old"]
    assert deployer.before is not None
    url = deployer.before.records[f"{deployer.word}-0", "Queue"].created.ref
    attributes = deployer.laptop.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "7"
    assert deployer({"Queue": queue(7), "Old": table(None)}) == []


def test_an_unknown_type_in_an_update_is_taken_back(deployer: Deployer) -> None:
    deployer({"Old": table(None)})
    with pytest.raises(DeployError, match=r"taken back.*AWS::ECS::Cluster"):
        deployer({"New": table(None), "Cluster": resource("ECS::Cluster")})
    assert deployer.tables == ["W-0-Old"]


def test_what_would_not_go_is_told_and_left(deployer: Deployer) -> None:
    name = f"{deployer.word}-bucket"
    s3 = deployer.laptop.client("s3")
    deployer({"Bucket": resource("S3::Bucket", {"BucketName": name})})
    s3.put_object(Bucket=name, Key="one", Body=b"1")
    (line,) = deployer({})
    assert line.startswith("left, it could not be deleted: 0/Bucket AWS::S3::Bucket")
    s3.delete_object(Bucket=name, Key="one")
    s3.delete_bucket(Bucket=name)


def test_a_missing_property_is_named_and_taken_back(deployer: Deployer) -> None:
    deployer({"Old": table(None)})
    with pytest.raises(DeployError, match=r"Role .*the property 'AssumeRolePolicyDocument' is missing"):
        deployer({"New": table(None), "Role": resource("IAM::Role")})
    assert deployer.tables == ["W-0-Old"]


def test_values_are_exported_to_later_stacks(deployer: Deployer) -> None:
    def stacks(export: str, suffix: str) -> list[Template]:
        output = {"Value": f"{deployer.word}-{suffix}", "Export": {"Name": export}}
        taker = table(None, TableName={"Fn::ImportValue": f"{deployer.word}-name"})
        return [{"Resources": {}, "Outputs": {"Name": output}}, {"Items": taker}]

    deployer(*stacks(f"{deployer.word}-name", "one"))
    assert deployer.tables == ["W-one"]
    lines = deployer(*stacks(f"{deployer.word}-name", "two"))
    assert [line.split()[0] for line in lines] == ["replaced", "deleted"]
    assert deployer.tables == ["W-two"]
    with pytest.raises(DeployError, match="no stack before it exports"):
        deployer(*stacks(f"{deployer.word}-other", "two"))
    assert deployer.tables == ["W-two"]


def test_conditions_decide_what_is_there(deployer: Deployer) -> None:
    def template(stage: str) -> Template:
        is_prod = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
        conditions = {
            "IsProd": is_prod,
            "IsOther": {"Fn::Not": [{"Condition": "IsProd"}]},
            "Either": {"Fn::Or": [{"Condition": "IsProd"}, {"Condition": "IsOther"}]},
            "Both": {"Fn::And": [{"Condition": "IsProd"}, {"Condition": "IsOther"}]},
        }
        name = {"Fn::If": ["IsProd", f"{deployer.word}-prod", f"{deployer.word}-dev"]}
        resources = {
            "Always": table(None, TableName=name) | {"Condition": "Either", "DependsOn": ["Never"]},
            "Never": table(None) | {"Condition": "Both"},
            "OnlyProd": table(None) | {"Condition": "IsProd"},
        }
        outputs = {"Only": {"Value": {"Ref": "OnlyProd"}, "Condition": "IsProd"}}
        parameters = {"Stage": {"Type": "String", "Default": stage}}
        return {
            "Resources": resources,
            "Conditions": conditions,
            "Outputs": outputs,
            "Parameters": parameters,
        }

    deployer(template("dev"))
    assert deployer.tables == ["W-dev"]
    deployer(template("prod"))
    assert deployer.tables == ["W-0-OnlyProd", "W-prod"]
    deployer(template("dev"))
    assert deployer.tables == ["W-dev"]


def test_a_reference_to_what_a_condition_leaves_out_is_told(deployer: Deployer) -> None:
    resources = {
        "Off": table(None) | {"Condition": "No"},
        "On": table(None, TableName={"Ref": "Off"}),
    }
    with pytest.raises(DeployError, match="Off is referred to, but its condition No is false"):
        deployer({"Resources": resources, "Conditions": {"No": {"Fn::Equals": ["a", "b"]}}})


def test_rules_roles_and_machines_change_in_place(deployer: Deployer) -> None:
    def template(rate: str, action: str, comment: str) -> Template:
        may = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
        trust = {"Version": "2012-10-17", "Statement": [may]}
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        inline = [{"PolicyName": action.partition(":")[0], "PolicyDocument": document}]
        definition = {"Comment": comment, "StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
        role = resource("IAM::Role", {"AssumeRolePolicyDocument": trust, "Policies": inline})
        machine = {
            "StateMachineName": deployer.word,
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DefinitionString": json.dumps(definition),
        }
        return {
            "Role": role,
            "Rule": resource("Events::Rule", {"ScheduleExpression": f"rate({rate})"}),
            "Managed": resource(
                "IAM::ManagedPolicy", {"PolicyDocument": document, "Roles": [{"Ref": "Role"}]}
            ),
            "Machine": resource("StepFunctions::StateMachine", machine),
        }

    deployer(template("5 minutes", "s3:GetObject", "first"))
    lines = deployer(template("7 minutes", "sqs:SendMessage", "second"))
    assert {line.split()[0] for line in lines} == {"updated"}
    assert len(lines) == 4
    assert deployer.before is not None
    ids = {place[1]: record.created.ref for place, record in deployer.before.records.items()}
    client = deployer.laptop.client
    assert client("iam").list_role_policies(RoleName=ids["Role"])["PolicyNames"] == ["sqs"]
    assert client("events").describe_rule(Name=ids["Rule"])["ScheduleExpression"] == "rate(7 minutes)"
    found = client("stepfunctions").describe_state_machine(stateMachineArn=ids["Machine"])
    assert json.loads(found["definition"])["Comment"] == "second"
    assert len(client("iam").list_policy_versions(PolicyArn=ids["Managed"])["Versions"]) == 1
