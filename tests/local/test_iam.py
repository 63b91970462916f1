"""What a role does not grant is refused with each service's own error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.patience import run_machine
from tests.local.probe_stack import ROLE, USER, allow, call, deny, granted, machine

ARN = "arn:aws:{}:us-east-1:123456789012:{}"
TABLE = ARN.format("dynamodb", "table/small-items")
KEY = {"pk": {"S": "probe"}, "sk": {"S": "1"}}
QUERY = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "probe"}}}
MACHINE = ARN.format("states", "stateMachine:call-as-probe")
EXECUTION = ARN.format("states", "execution:call-as-probe:one")
QUEUE = ARN.format("sqs", "small-queue")


def why(action: str, resource: str, user: str = USER) -> str:
    reason = f"because no identity-based policy allows the {action} action"
    return f"User: {user} is not authorized to perform: {action} on resource: {resource} {reason}"


def put(table: str = "small-items") -> dict[str, Any]:
    return {"TableName": table, "Item": KEY}


REFUSALS: dict[str, tuple[str, str, dict[str, Any], str, int, str, str]] = {
    "DynamoDB": ("dynamodb", "put_item", put(), "AccessDeniedException", 400, "dynamodb:PutItem", TABLE),
    "DynamoDB's index": (
        "dynamodb", "query", {"TableName": "small-items", "IndexName": "GSI1", **QUERY},
        "AccessDeniedException", 400, "dynamodb:Query", f"{TABLE}/index/GSI1",
    ),
    "Step Functions": (
        "stepfunctions", "start_execution", {"stateMachineArn": MACHINE},
        "AccessDeniedException", 400, "states:StartExecution", MACHINE,
    ),
    "Step Functions' executions": (
        "stepfunctions", "stop_execution", {"executionArn": EXECUTION},
        "AccessDeniedException", 400, "states:StopExecution", EXECUTION,
    ),
    "SQS": (
        "sqs", "send_message", {"QueueUrl": "https://x/123456789012/small-queue", "MessageBody": "x"},
        "AccessDenied", 403, "sqs:sendmessage", QUEUE,
    ),
    "SQS in batches": (
        "sqs", "send_message_batch",
        {"QueueUrl": "https://x/1/small-queue", "Entries": [{"Id": "1", "MessageBody": "x"}]},
        "AccessDenied", 403, "sqs:sendmessage", QUEUE,
    ),
    "EventBridge": (
        "events", "put_events", {"Entries": [{"Source": "x", "DetailType": "x", "Detail": "{}"}]},
        "AccessDeniedException", 400, "events:PutEvents", ARN.format("events", "event-bus/default"),
    ),
    "Lambda": (
        "lambda", "invoke", {"FunctionName": "small-echo"},
        "AccessDeniedException", 403, "lambda:InvokeFunction", ARN.format("lambda", "function:small-echo"),
    ),
    "S3": (
        "s3", "put_object", {"Bucket": "small-bucket", "Key": "a/b c+ü", "Body": "x"},
        "AccessDenied", 403, "s3:PutObject", '"arn:aws:s3:::small-bucket/a/b c+ü"',
    ),
    "S3's lists": (
        "s3", "list_objects_v2", {"Bucket": "small-bucket"},
        "AccessDenied", 403, "s3:ListBucket", '"arn:aws:s3:::small-bucket"',
    ),
    "IAM itself": (
        "iam", "list_roles", {}, "AccessDenied", 403, "iam:ListRoles", "*",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_granted_is_refused_in_the_service_s_words(laptop: Laptop, case: str) -> None:
    service, operation, arguments, code, status, action, resource = REFUSALS[case]
    found = call(laptop, service, operation, **arguments)
    assert (found["Code"], found["status"]) == (code, status)
    assert found["Message"] == why(action, resource)


def test_everybody_may_ask_who_he_is(laptop: Laptop) -> None:
    assert call(laptop, "sts", "get_caller_identity")["Code"] == "OK"


@pytest.mark.parametrize(
    ("statements", "is_granted"),
    [
        ([allow("dynamodb:PutItem", TABLE)], True),
        ([allow("dynamodb:putitem", TABLE)], True),
        ([allow("dynamodb:Put*", TABLE)], True),
        ([allow("*")], True),
        ([allow(["dynamodb:GetItem", "dynamodb:P?tItem"], [TABLE + "-other", TABLE])], True),
        ([allow("dynamodb:PutItem", TABLE + "-other")], False),
        ([allow("dynamodb:PutItem", TABLE.replace("items", "ITEMS"))], False),
        ([allow("dynamodb:PutItem", TABLE + "/index/*")], False),
        ([allow("dynamodb:GetItem", TABLE)], False),
        ([allow("*"), deny("dynamodb:PutItem", TABLE)], False),
        ([deny("dynamodb:Delete*"), allow("dynamodb:*", TABLE)], True),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": ["dynamodb:Put*"], "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": TABLE}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": TABLE + "-other"}], True),
        ([allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})], True),
        ([allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], False),
        ([allow("*"), allow("*", Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], True),
    ],
)
def test_policies_decide(laptop: Laptop, statements: list[dict[str, Any]], is_granted: bool) -> None:
    with granted(laptop, *statements):
        code = call(laptop, "dynamodb", "put_item", **put())["Code"]
    assert code == ("OK" if is_granted else "AccessDeniedException")


def test_a_denial_says_so(laptop: Laptop) -> None:
    with granted(laptop, allow("*"), deny("dynamodb:PutItem")):
        found = call(laptop, "dynamodb", "put_item", **put())
    assert found["Message"].endswith(f"{TABLE} with an explicit deny in an identity-based policy")


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ({"Put": put()}, "PutItem"),
        ({"Delete": {"TableName": "small-items", "Key": KEY}}, "DeleteItem"),
        ({"ConditionCheck": {"TableName": "small-items", "Key": KEY, "ConditionExpression": "attribute_not_exists(no)"}},
         "ConditionCheckItem"),
        ({"Update": {"TableName": "small-items", "Key": KEY, "UpdateExpression": "SET v = :v",
                     "ExpressionAttributeValues": {":v": {"S": "x"}}}}, "UpdateItem"),
    ],
)  # fmt: skip
def test_a_transaction_takes_what_its_items_take(laptop: Laptop, kind: dict[str, Any], action: str) -> None:
    items = [kind]
    with granted(laptop, allow(f"dynamodb:{action}", TABLE)):
        assert (
            call(laptop, "dynamodb", "transact_write_items", TransactItems=items)["Code"]
            != "AccessDeniedException"
        )
    with granted(laptop, allow("dynamodb:TransactWriteItems")):
        found = call(laptop, "dynamodb", "transact_write_items", TransactItems=items)
    assert found["Message"] == why(f"dynamodb:{action}", TABLE)


def test_a_batch_takes_each_table(laptop: Laptop) -> None:
    request = {"small-items": {"Keys": [KEY]}, "small-others": {"Keys": [KEY]}}
    with granted(laptop, allow("dynamodb:BatchGetItem", TABLE)):
        found = call(laptop, "dynamodb", "batch_get_item", RequestItems=request)
    assert found["Message"] == why("dynamodb:BatchGetItem", TABLE.replace("items", "others"))


def test_a_grant_ends_at_its_prefix(laptop: Laptop) -> None:
    with granted(laptop, allow(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::small-bucket/mine/*")):
        mine = call(laptop, "s3", "put_object", Bucket="small-bucket", Key="mine/1", Body="x")
        theirs = call(laptop, "s3", "put_object", Bucket="small-bucket", Key="mine", Body="x")
        copied = call(
            laptop, "s3", "copy_object", Bucket="small-bucket", Key="mine/2", CopySource="small-bucket/theirs"
        )
    assert (mine["Code"], theirs["Code"]) == ("OK", "AccessDenied")
    assert '"arn:aws:s3:::small-bucket/theirs"' in copied["Message"]


def test_who_may_not_list_does_not_learn_what_is_missing(laptop: Laptop) -> None:
    read, lists = (
        allow("s3:GetObject", "arn:aws:s3:::small-bucket/*"),
        allow("s3:ListBucket", "arn:aws:s3:::small-bucket"),
    )
    missing = {"Bucket": "small-bucket", "Key": "nothing"}
    with granted(laptop, read):
        hidden = call(laptop, "s3", "get_object", **missing)
        assert call(laptop, "s3", "head_object", **missing)["status"] == 403
    with granted(laptop, read, lists):
        assert call(laptop, "s3", "get_object", **missing)["Code"] == "NoSuchKey"
        assert call(laptop, "s3", "head_object", **missing)["status"] == 404
    assert (hidden["Code"], hidden["Message"]) == (
        "AccessDenied",
        why("s3:ListBucket", '"arn:aws:s3:::small-bucket"'),
    )


def test_a_prefix_may_be_a_condition(laptop: Laptop) -> None:
    condition = {"StringLike": {"s3:prefix": ["mine/*"]}}
    with granted(laptop, allow("s3:ListBucket", "arn:aws:s3:::small-bucket", Condition=condition)):
        codes = [
            call(laptop, "s3", "list_objects_v2", Bucket="small-bucket", **more)["Code"]
            for more in ({"Prefix": "mine/a"}, {"Prefix": "theirs"}, {})
        ]
    assert codes == ["OK", "AccessDenied", "AccessDenied"]


def test_a_machine_calls_in_its_role(laptop: Laptop) -> None:
    echo, made = ARN.format("lambda", "function:small-echo"), machine(laptop)
    with granted(laptop, allow("lambda:InvokeFunction", echo)):
        assert json.loads(run_machine(laptop, made, '{"answer": 5}')["output"]) == 5
    execution = run_machine(laptop, made)["executionArn"]
    failed = [
        event["taskFailedEventDetails"]
        for event in laptop.history(execution)
        if event["type"] == "TaskFailed"
    ]
    user = f"arn:aws:sts::123456789012:assumed-role/{ROLE}/execution"
    assert failed[0]["error"] == "Lambda.AWSLambdaException"
    assert failed[0]["cause"].startswith(why("lambda:InvokeFunction", echo, user))
    assert (
        "(Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: "
        in failed[0]["cause"]
    )


def test_managed_policies_count_too(laptop: Laptop) -> None:
    iam = laptop.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("dynamodb:PutItem", TABLE)]})
    arn = iam.create_policy(PolicyName="probe-managed", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=arn)
    try:
        assert call(laptop, "dynamodb", "put_item", **put())["Code"] == "OK"
    finally:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=arn)
        iam.delete_policy(PolicyArn=arn)
    assert call(laptop, "dynamodb", "put_item", **put())["Code"] == "AccessDeniedException"


def test_a_role_that_nobody_deployed_is_the_operator_s(laptop: Laptop) -> None:
    made = machine(laptop, "invented")
    assert json.loads(run_machine(laptop, made, '{"answer": 5}')["output"]) == 5
