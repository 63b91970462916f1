"""A small cloud assembly: a few functions, an HTTP API, a table, machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.local import probe_stack, socket_stack, trigger_stack

ACCOUNT = "123456789012"
STACK = "small-stack"
ASSET = "a" * 64

ECHO = """
import json, os, time

def handle(event, context):
    body = event.get("body") or "{}"
    wish = json.loads(body) if "routeKey" in event and not event.get("isBase64Encoded") else event
    if "raise" in wish:
        raise type(wish["raise"], (Exception,), {})(wish.get("why", "because"))
    if "exit" in wish:
        os._exit(wish["exit"])
    if "kill" in wish:
        os.kill(os.getpid(), 9)
    if "sleep_s" in wish:
        time.sleep(wish["sleep_s"])
    if "bytes" in wish:
        return "x" * wish["bytes"]
    if "eat_mb" in wish:
        eaten = bytearray(b"x") * (wish["eat_mb"] * 1048576)
        time.sleep(30)
    if "print" in wish:
        print(wish["print"], flush=True)
    if "answer" in wish:
        return wish["answer"]
    return {"event": event, "pid": os.getpid(), "environment": dict(os.environ)}
"""

GATE = """
def handle(event, context):
    key = event["headers"].get("x-key", "")
    if key == "crash":
        raise RuntimeError("the authorizer is ill")
    if key == "nonsense":
        return {"allowed": "perhaps"}
    return {"isAuthorized": key != "wrong", "context": {"tenant": "acme", "saw": sorted(event)}}
"""

BROKEN = "import a_module_that_nobody_has\n\ndef handle(event, context):\n    return 1\n"

COUNT = """
import boto3

def handle(event, context):
    table = boto3.client("dynamodb")
    for number in range(event["puts"]):
        table.put_item(TableName="small-items", Item={"pk": {"S": "p"}, "sk": {"S": str(number)}, "v": {"S": "x" * 1500}})
    return table.query(TableName="small-items", KeyConditionExpression="pk = :p",
                       ExpressionAttributeValues={":p": {"S": "p"}}, ConsistentRead=True)["Count"]
"""

KEEP = """
import boto3, json, uuid

def handle(event, context):
    table, kept = boto3.client("dynamodb"), json.dumps(event)
    table.put_item(TableName="small-items", Item={"pk": {"S": "kept"}, "sk": {"S": str(uuid.uuid4())}, "event": {"S": kept}})
    if "fail me" in kept:
        raise RuntimeError("as was wished")
    bad = [r for r in event.get("Records", []) if "refuse me" in json.dumps(r)]
    return {"batchItemFailures": [{"itemIdentifier": r.get("messageId") or r["dynamodb"]["SequenceNumber"]} for r in bad]}
"""

ROOMS = {
    "echo": ECHO,
    "gate": GATE,
    "broken": BROKEN,
    "count": COUNT,
    "keep": KEEP,
    "probe": probe_stack.PROBE,
    **socket_stack.ROOMS,
}
CORS = {
    "AllowOrigins": ["https://app.example.com"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["x-key"],
    "MaxAge": 60,
}


def write_code(folder: Path) -> Path:
    """Write the functions' code as an asset holds it."""
    package = folder / "rooms"
    package.mkdir(parents=True, exist_ok=True)
    for room, source in ROOMS.items():
        (package / f"{room}.py").write_text(source)
    return folder


def write_assembly(folder: Path, extra: dict[str, Any] | None = None) -> Path:
    """Write manifest, template and assets the way CDK writes them."""
    write_code(folder / f"asset.{ASSET}")
    template = {"Resources": resources() | (extra or {})}
    artifacts = {
        STACK: {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "t.json", "stackName": STACK},
        },
    }
    _write(folder / "manifest.json", {"artifacts": artifacts})
    _write(folder / "t.json", template)
    _write(
        folder / "t.assets.json",
        {"files": {ASSET: {"source": {"path": f"asset.{ASSET}", "packaging": "zip"}}}},
    )
    return folder


def resources() -> dict[str, Any]:
    found: dict[str, Any] = {"Role": _role(), "Items": _table(), "Bucket": _bucket(), "Queue": _queue()}
    for room in ROOMS:
        found[f"{room.title()}Function"] = function(room)
    found |= probe_stack.probe(_role()["Properties"]["AssumeRolePolicyDocument"], found["ProbeFunction"])
    found |= trigger_stack.triggers()
    return found | http_api() | socket_stack.socket_api() | {"Machine": machine("call-echo", call_echo())}


def function(room: str, **more: Any) -> dict[str, Any]:
    properties = {
        "FunctionName": f"small-{room}",
        "Handler": f"rooms.{room}.handle",
        "Runtime": "python3.13",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Timeout": 2,
        "MemorySize": 256,
        "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": f"{ASSET}.zip"},
        "Environment": {"Variables": {"POWERTOOLS_SERVICE_NAME": room, "TABLE": {"Ref": "Items"}}},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties | more}


def machine(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "StateMachineName": name,
        "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "DefinitionString": json.dumps(definition),
        "DefinitionSubstitutions": {"Echo": {"Fn::GetAtt": ["EchoFunction", "Arn"]}},
    }
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def call_echo() -> dict[str, Any]:
    """Call the echo function; every error ends in `Caught` with its name."""
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "${Echo}", "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}",
        "TimeoutSeconds": 4,
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Output": "{% {'caught': $states.errorOutput.Error} %}",
                "Next": "Caught",
            }
        ],
        "End": True,
    }
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Call",
        "States": {"Call": call, "Caught": {"Type": "Succeed"}},
    }


def http_api() -> dict[str, Any]:
    uri = {
        "Fn::Join": [
            "",
            ["arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/", "", "/invocations"],
        ]
    }

    def invoke(room: str) -> dict[str, Any]:
        prefix, _, suffix = uri["Fn::Join"][1]
        return {"Fn::Join": ["", [prefix, {"Fn::GetAtt": [f"{room.title()}Function", "Arn"]}, suffix]]}

    def integration(room: str, limit_ms: int = 30_000) -> dict[str, Any]:
        return _gateway("Integration", IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=invoke(room),
                        TimeoutInMillis=limit_ms)  # fmt: skip

    def authorizer(**more: Any) -> dict[str, Any]:
        return _gateway("Authorizer", AuthorizerType="REQUEST", EnableSimpleResponses=True, Name="gate",
                        AuthorizerPayloadFormatVersion="2.0", AuthorizerUri=invoke("gate"), **more)  # fmt: skip

    found = {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {"Name": "small", "ProtocolType": "HTTP", "CorsConfiguration": CORS},
        },
        "Stage": _gateway("Stage", StageName="$default", AutoDeploy=True),
        "Echo": integration("echo"),
        "Hasty": integration("echo", 500),
        "BrokenOne": integration("broken"),
        "Gate": authorizer(),
        "GateWithSource": authorizer(IdentitySource=["$request.header.x-key"]),
    }
    for key, target in {
        "POST /echo": "Echo", "GET /things/{id}": "Echo", "GET /things/special": "Echo", "GET /things/{rest+}": "Echo",
        "ANY /any/{id}": "Echo", "GET /any/{id}": "Echo", "POST /hasty": "Hasty", "GET /broken": "BrokenOne",
    }.items():  # fmt: skip
        found[f"Route{len(found)}"] = _route(key, target)
    found["Guarded"] = _route("GET /guarded", "Echo", "Gate")
    found["Sourced"] = _route("GET /sourced", "Echo", "GateWithSource")
    return found


def _route(key: str, integration: str, authorizer: str | None = None) -> dict[str, Any]:
    guarded = {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": authorizer}} if authorizer else {}
    return _gateway(
        "Route", RouteKey=key, Target={"Fn::Join": ["/", ["integrations", {"Ref": integration}]]}, **guarded
    )


def _gateway(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": {"Ref": "Api"}, **properties}}


def _role() -> dict[str, Any]:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Version": "2012-10-17"}
    policies = [{"PolicyName": "Everything", "PolicyDocument": everything}]
    properties = {"AssumeRolePolicyDocument": trust, "Policies": policies}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _table() -> dict[str, Any]:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    properties = {
        "TableName": "small-items",
        "KeySchema": keys,
        "AttributeDefinitions": [
            {"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    return {"Type": "AWS::DynamoDB::Table", "Properties": properties}


def _bucket() -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "small-bucket"}}


def _queue() -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "small-queue", "VisibilityTimeout": 30}}


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content))
