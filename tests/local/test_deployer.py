"""Templates are applied as by CloudFormation; what is not supported is an error."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployer import Assembly, DeployError, UnknownResourceType, deploy
from infra.local.deployer.faults import UnknownProperty
from infra.local.deployer.resource import HttpApiParts, Target
from infra.local.deployer.values import Values
from infra.local.executor import FunctionSpec
from infra.local.laptop import Laptop
from tests.local.small_stack import write_assembly


class Names:
    """Answers references with their own names."""

    stack_name = "stack"

    def ref(self, name: str) -> str:
        return f"ref:{name}"

    def attribute(self, name: str, attribute: str) -> str:
        return f"att:{name}.{attribute}"

    def imported(self, export: str) -> str:
        return f"import:{export}"

    def stack_output(self, stack: str, output: str) -> str:
        return f"output:{stack}.{output}"

    def condition(self, name: str) -> bool:
        return name == "Yes"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "A"}, "ref:A"),
        ({"Ref": "AWS::AccountId"}, "123456789012"),
        ({"Fn::GetAtt": ["A", "Arn"]}, "att:A.Arn"),
        ({"Fn::GetAtt": "A.Nested.Arn"}, "att:A.Nested.Arn"),
        ({"Fn::Join": ["/", ["x", {"Ref": "A"}]]}, "x/ref:A"),
        ({"Fn::Select": ["1", {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::Sub": "${AWS::Region}-${A}-${A.Arn}-${!kept}"}, "us-east-1-ref:A-att:A.Arn-${kept}"),
        ({"Fn::Sub": ["${v}", {"v": {"Ref": "A"}}]}, "ref:A"),
        ({"Fn::If": ["Yes", 1, 2]}, 1),
        ({"Fn::If": ["No", 1, 2]}, 2),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 1}, {"b": 1}),
        ({"Fn::ImportValue": "x"}, "import:x"),
        ({"Fn::GetStackOutput": {"StackName": "s", "OutputName": "o"}}, "output:s.o"),
        ([{"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}], [True]),
    ],
)
def test_values_are_evaluated(value: Any, expected: Any) -> None:
    assert Values(Names()).evaluate(value) == expected


def test_an_unknown_function_is_named() -> None:
    with pytest.raises(DeployError, match=r"Fn::Cidr.*values\.py"):
        Values(Names()).evaluate({"Fn::Cidr": ["10.0.0.0/16"]})


class NoAws:
    """A target on which nothing may be created."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was called")


def apply(folder: Path, resources: dict[str, Any], **more: Any) -> Any:
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "artifacts": {
                    "s": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "t.json"}}
                }
            }
        )
    )
    (folder / "t.json").write_text(json.dumps({"Resources": resources, **more}))
    functions: list[FunctionSpec] = []
    assembly = Assembly(folder)
    target = Target(lambda _: NoAws(), assembly.asset, functions.append, HttpApiParts(), "http://laptop")
    return deploy(assembly, target)


def test_an_unknown_type_fails_and_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(UnknownResourceType) as caught:
        apply(tmp_path, {"Cluster": {"Type": "AWS::ECS::Cluster"}})
    for word in ("s/Cluster", "AWS::ECS::Cluster", "infra/local/deployer/catalog.py", "NO_OPS"):
        assert word in str(caught.value)


def test_a_property_that_the_type_does_not_have_fails_with_the_nearest_one(tmp_path: Path) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeOut": 30}}
    with pytest.raises(UnknownProperty, match=r"s/Queue.*no property VisibilityTimeOut.*VisibilityTimeout"):
        apply(tmp_path, {"Queue": queue})


def test_what_is_left_out_is_listed(tmp_path: Path) -> None:
    deployment = apply(tmp_path, {"May": {"Type": "AWS::Lambda::Permission"}})
    assert deployment.no_ops == [("AWS::Lambda::Permission", "s/May")]
    assert deployment.resources == []


def test_a_false_condition_leaves_a_resource_out(tmp_path: Path) -> None:
    resources = {"Cluster": {"Type": "AWS::ECS::Cluster", "Condition": "Wanted"}}
    conditions = {"Wanted": {"Fn::Equals": ["a", "b"]}}
    assert apply(tmp_path, resources, Conditions=conditions).resources == []


def test_a_circle_is_named(tmp_path: Path) -> None:
    def api(other: str) -> dict[str, Any]:
        return {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"ProtocolType": "HTTP", "Name": {"Ref": other}},
        }

    with pytest.raises(DeployError, match="A -> B -> A"):
        apply(tmp_path, {"A": api("B"), "B": api("A")})


def test_stacks_come_after_those_that_they_depend_on(tmp_path: Path) -> None:
    def stack(name: str, *dependencies: str) -> dict[str, Any]:
        properties = {"templateFile": f"{name}.json", "stackName": name}
        return {
            "type": "aws:cloudformation:stack",
            "properties": properties,
            "dependencies": list(dependencies),
        }

    artifacts = {
        "api": stack("api", "functions", "assets"),
        "functions": stack("functions", "data"),
        "data": stack("data"),
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    for name in artifacts:
        (tmp_path / f"{name}.json").write_text("{}")
    assert [stack.name for stack in Assembly(tmp_path).stacks()] == ["data", "functions", "api"]


def test_a_folder_without_an_assembly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"manifest\.json"):
        Assembly(tmp_path)


def test_an_asset_is_used_where_it_lies(tmp_path: Path) -> None:
    assembly = Assembly(write_assembly(tmp_path))
    assert assembly.asset(f"{'a' * 64}.zip") == tmp_path.resolve() / f"asset.{'a' * 64}"
    with pytest.raises(DeployError, match="no asset"):
        assembly.asset("b.zip")


def test_the_stack_is_there(laptop: Laptop) -> None:
    assert (
        laptop.client("dynamodb").describe_table(TableName="small-items")["Table"]["TableStatus"] == "ACTIVE"
    )
    found = laptop.client("lambda").get_function_configuration(FunctionName="small-echo")
    assert found["Environment"]["Variables"]["TABLE"] == "small-items"
    assert laptop.physical_id("AWS::StepFunctions::StateMachine").endswith(":call-echo")


def test_connections_to_the_local_aws_are_kept(laptop: Laptop) -> None:
    address = laptop.endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(address)
    connection.connect()
    ours = connection.sock.getsockname()
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, "/small-bucket")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    assert connection.sock is not None
    assert connection.sock.getsockname() == ours
    connection.close()
