"""The services that tasks call, and AWS's limits, one test for each patch.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.patience import wait_for
from tests.local.test_engine_executions import ECHO, kinds, one, run
from tests.local.test_engine_patches import make


@pytest.mark.parametrize(
    ("action", "parameters", "error"),
    [
        ("s3:getObject", {"Bucket": "small-bucket", "Key": "none"}, "S3.NoSuchKeyException"),
        ("dynamodb:putItem", {"TableName": "small-items", "Item": "none"}, "DynamoDb.DynamoDbException"),
    ],
)
def test_sdk_errors_have_their_java_names(
    laptop: Laptop, action: str, parameters: dict[str, Any], error: str
) -> None:
    resource = f"arn:aws:states:::aws-sdk:{action}"
    name = f"sdk-{action.split(':', maxsplit=1)[0]}"
    found = run(laptop, name, Type="Task", Resource=resource, Parameters=parameters, End=True)
    assert found["error"] == error


def test_client_cache_asks_for_no_checksums(laptop: Laptop) -> None:
    put = {"Bucket": "small-bucket", "Key": "sum", "Body": "text"}
    resource = "arn:aws:states:::aws-sdk:s3:putObject"
    found = run(laptop, "checksum", Type="Task", Resource=resource, Parameters=put, End=True)
    assert set(json.loads(found["output"])) == {"ETag"}


def test_call_metadata_is_in_the_result_of_an_invocation(laptop: Laptop) -> None:
    output = json.loads(run(laptop, "metadata", {"answer": 5}, **ECHO)["output"])
    assert set(output) == {
        "ExecutedVersion",
        "Payload",
        "SdkHttpMetadata",
        "SdkResponseMetadata",
        "StatusCode",
    }
    headers = output["SdkHttpMetadata"]["HttpHeaders"]
    assert headers["X-Amz-Executed-Version"] == "$LATEST"
    assert "X-Amzn-Trace-Id" in headers
    assert "Server" not in headers


ITEM = {"pk": {"S": "metadata"}, "sk": {"S": "1"}}


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        ("dynamodb:putItem", {"TableName": "small-items", "Item": ITEM}),
        ("dynamodb:getItem", {"TableName": "small-items", "Key": ITEM}),
        ("events:putEvents", {"Entries": [{"Detail": "{}", "DetailType": "t", "Source": "s"}]}),
        ("sns:publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:told", "Message": "m"}),
        ("sqs:sendMessage", {"QueueUrl": "queue", "MessageBody": "m"}),
        ("states:startExecution", {"StateMachineArn": "machine"}),
    ],
)
def test_call_metadata_is_in_the_results_of_other_services(
    laptop: Laptop, service: str, parameters: dict[str, Any]
) -> None:
    if service.startswith("sns"):
        laptop.client("sns").create_topic(Name="told")
    if service.startswith("sqs"):
        parameters = {
            **parameters,
            "QueueUrl": laptop.client("sqs").get_queue_url(QueueName="small-queue")["QueueUrl"],
        }
    if service.startswith("states"):
        parameters = {"StateMachineArn": make(laptop, "started", one(Type="Succeed"))}
    name = f"told-{service.replace(':', '-')}"
    resource = f"arn:aws:states:::{service}"
    found = run(laptop, name, Type="Task", Resource=resource, Parameters=parameters, End=True)
    output = json.loads(found["output"])
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    request_id = output["SdkResponseMetadata"]["RequestId"]
    assert output["SdkHttpMetadata"]["AllHttpHeaders"]["x-amzn-RequestId"] == [request_id]
    assert "ResponseMetadata" not in output


@pytest.mark.parametrize(
    ("resource", "parameters", "error"),
    [
        (
            "events:putEvents",
            {"Entries": [{"Detail": "[1]", "DetailType": "t", "Source": "s"}]},
            "EventBridge.FailedEntry",
        ),
        (
            "aws-sdk:secretsmanager:createSecret",
            {"Name": "no name", "SecretString": "s"},
            "SecretsManager.SecretsManagerException",
        ),
        ("sqs:sendMessage", {"QueueUrl": "small-queue", "MessageBody": ""}, "SQS."),
    ],
)
def test_service_refusals_fail_the_task(
    laptop: Laptop, resource: str, parameters: dict[str, Any], error: str
) -> None:
    if "QueueUrl" in parameters:
        url = laptop.client("sqs").get_queue_url(QueueName="small-queue")["QueueUrl"]
        parameters = {**parameters, "QueueUrl": url}
    name = f"refused-{resource.split(':', maxsplit=1)[0]}-{len(parameters)}"
    found = run(
        laptop, name, Type="Task", Resource=f"arn:aws:states:::{resource}", Parameters=parameters, End=True
    )
    assert found.get("error", "").startswith(error)


def test_execution_limits_refuse_a_large_input(laptop: Laptop) -> None:
    machine = make(laptop, "large", one(Type="Succeed"))
    with pytest.raises(ClientError, match="less than or equal to 262144"):
        laptop.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps("é" * 131_072, ensure_ascii=False)
        )


def test_execution_limits_end_a_long_history(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.local.engine.states import execution_starts

    monkeypatch.setattr(execution_starts, "MAX_EVENTS", 30)
    never = [{"Variable": "$.never", "IsPresent": True, "Next": "C"}]
    loop = {
        "A": {"Type": "Pass", "Next": "B"},
        "B": {"Type": "Choice", "Choices": never, "Default": "A"},
        "C": {"Type": "Succeed"},
    }
    states = laptop.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=make(laptop, "loop", {"StartAt": "A", "States": loop}))
    try:
        found = wait_for(
            lambda: (
                d
                if (d := states.describe_execution(executionArn=arn["executionArn"]))["status"] != "RUNNING"
                else None
            ),
            5,
        )
    finally:
        states.stop_execution(executionArn=arn["executionArn"])
    assert found["status"] == "FAILED"
    assert kinds(laptop, found)[-1] == "ExecutionFailed"
    assert len(kinds(laptop, found)) == 30


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("own.py", source)
    return buffer.getvalue()


SAYING = (
    "import os\ndef handle(event, context):\n    return [{!r}, os.environ['WHO'], context.function_name]\n"
)


@pytest.fixture
def described(laptop: Laptop) -> dict[str, Any]:
    """What every function says of itself."""
    role = laptop.client("lambda").get_function_configuration(FunctionName="small-echo")["Role"]
    return {"FunctionName": "own", "Handler": "own.handle", "Runtime": "python3.13", "Role": role}


def answer(laptop: Laptop, name: str) -> Any:
    return json.loads(laptop.client("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read())


def test_uploaded_functions_run_what_was_uploaded_last(laptop: Laptop, described: dict[str, Any]) -> None:
    functions = laptop.client("lambda")
    variables = {"Environment": {"Variables": {"WHO": "me"}}}
    made = functions.create_function(**described, **variables, Code={"ZipFile": zipped(SAYING.format(1))})
    assert answer(laptop, made["FunctionArn"]) == [1, "me", "own"]
    functions.update_function_code(FunctionName="own", ZipFile=zipped(SAYING.format(2)))
    assert answer(laptop, "own") == [2, "me", "own"]
    functions.update_function_configuration(FunctionName="own", Environment={"Variables": {"WHO": "you"}})
    assert answer(laptop, "own") == [2, "you", "own"]
    functions.delete_function(FunctionName="own")
    assert "own" not in [spec.name for spec in laptop.executor.functions()]


def test_uploaded_functions_are_refused_without_a_zip(laptop: Laptop, described: dict[str, Any]) -> None:
    functions = laptop.client("lambda")
    with pytest.raises(ClientError, match="Could not unzip uploaded file"):
        functions.create_function(**described, Code={"ZipFile": b"no zip"})
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.get_function(FunctionName="own")
