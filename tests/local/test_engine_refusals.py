"""What services refuse, and how tasks report it, as executions on AWS showed.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

from infra.local.laptop import Laptop
from tests.local.test_engine_truth import make, run


def task(
    laptop: Laptop, name: str, resource: str, parameters: dict[str, Any], given: Any = None
) -> dict[str, Any]:
    return run(
        laptop,
        name,
        {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters},
        given,
    )


TABLE = {"TableName": "small-items"}
SET = {"UpdateExpression": "SET amount = :t", "ExpressionAttributeValues": {":t": {"N": "1"}}}


def key(name: str) -> dict[str, Any]:
    return {"Key": {"pk": {"S": name}, "sk": {"S": "1"}}}


def test_dynamodb_refusals_have_the_names_of_the_java_client(laptop: Laptop) -> None:
    put = {"Item": {"pk": {"S": "1"}, "sk": {"S": "1"}}}
    bad = task(laptop, "truth-table", "dynamodb:putItem", {"TableName": "/orders", **put})
    rule = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
    assert bad["error"] == "DynamoDB.AmazonDynamoDBException"
    assert bad["cause"].startswith(
        f"1 validation error detected: Value '/orders' at 'tableName' failed to satisfy constraint: {rule} (Service: "
    )
    for name, parameters, error in (
        ("syntax", {**TABLE, **key("t"), **SET, "UpdateExpression": "SETT a = :t"}, "DynamoDB.AmazonDynamoDBException"),
        ("none", {"TableName": "nobodys", **key("t"), **SET}, "DynamoDB.ResourceNotFoundException"),
        ("condition", {**TABLE, **key("t"), **SET, "ConditionExpression": "attribute_exists(pk)"},
         "DynamoDB.ConditionalCheckFailedException"),
    ):  # fmt: skip
        assert task(laptop, f"truth-dynamo-{name}", "dynamodb:updateItem", parameters)["error"] == error


def test_dynamodb_refusals_tell_of_an_update_what_was_asked(laptop: Laptop) -> None:
    update = {**TABLE, **key("told"), **SET, "ReturnValues": "UPDATED_NEW"}
    plain = json.loads(task(laptop, "truth-update", "dynamodb:updateItem", update)["output"])
    assert sorted(plain) == ["Attributes", "SdkHttpMetadata", "SdkResponseMetadata"]
    assert plain["Attributes"] == {"amount": {"N": "1"}}
    again = json.loads(task(laptop, "truth-update-again", "dynamodb:updateItem", update)["output"])
    assert again["Attributes"] == {"amount": {"N": "1"}}
    old = json.loads(
        task(laptop, "truth-update-old", "dynamodb:updateItem", {**update, "ReturnValues": "UPDATED_OLD"})[
            "output"
        ]
    )
    assert old["Attributes"] == {"amount": {"N": "1"}}
    several = {
        **update, "UpdateExpression": "SET #n = if_not_exists(#n, :t), m = :t ADD c :t REMOVE amount",
        "ExpressionAttributeNames": {"#n": "n"},
    }  # fmt: skip
    named = json.loads(task(laptop, "truth-update-several", "dynamodb:updateItem", several)["output"])
    assert named["Attributes"] == {"n": {"N": "1"}, "m": {"N": "1"}, "c": {"N": "1"}}
    asked = {**update, "ReturnConsumedCapacity": "TOTAL"}
    assert "ConsumedCapacity" in json.loads(
        task(laptop, "truth-update-2", "dynamodb:updateItem", asked)["output"]
    )


def test_dynamodb_refusals_leave_capacity_out_of_batches(laptop: Laptop) -> None:
    item = {"pk": {"S": "batch"}, "sk": {"S": "1"}}
    puts = {"RequestItems": {"small-items": [{"PutRequest": {"Item": item}}]}}
    for name, parameters, keys in (
        ("batchWriteItem", puts, ["UnprocessedItems"]),
        (
            "batchGetItem",
            {"RequestItems": {"small-items": {"Keys": [item]}}},
            ["Responses", "UnprocessedKeys"],
        ),
        ("transactWriteItems", {"TransactItems": [{"Put": {"TableName": "small-items", "Item": item}}]}, []),
    ):
        told = task(laptop, f"truth-{name}", f"aws-sdk:dynamodb:{name}", parameters)
        assert sorted(json.loads(told["output"])) == keys


def test_queue_tasks_are_refused_by_the_names_of_the_java_client(laptop: Laptop) -> None:
    queue = laptop.client("sqs").create_queue(QueueName="truth-queue")["QueueUrl"]
    null = task(
        laptop,
        "truth-sqs-null",
        "sqs:sendMessage",
        {"QueueUrl": queue, "MessageBody.$": "$.body"},
        {"body": None},
    )
    assert null["error"] == "SQS.AmazonSQSException"
    assert "must contain the parameter MessageBody" in null["cause"]
    gone = task(
        laptop, "truth-sqs-gone", "sqs:sendMessage", {"QueueUrl": f"{queue}-gone", "MessageBody": "x"}
    )
    assert gone["error"] == "SQS.QueueDoesNotExistException"
    host = task(
        laptop,
        "truth-sqs-host",
        "sqs:sendMessage",
        {"QueueUrl": "http://no-such-host-7f3a", "MessageBody": "x"},
    )
    cause = "Unable to execute HTTP request: no-such-host-7f3a: Name or service not known"
    assert (host["error"], host["cause"]) == ("SQS.SdkClientException", cause)


def test_task_refusals_name_the_version_that_would_be_invoked(laptop: Laptop) -> None:
    told = task(laptop, "truth-lambda", "lambda:invoke", {"FunctionName": "nobody"})
    assert told["error"] == "Lambda.ResourceNotFoundException"
    assert told["cause"].startswith(
        "Function not found: arn:aws:lambda:us-east-1:123456789012:function:nobody:$LATEST (Service: AWSLambda; Status Code: 404;"
    )


def test_sdk_errors_end_with_the_number_of_attempts(laptop: Laptop) -> None:
    bucket = task(laptop, "truth-s3", "aws-sdk:s3:listObjects", {"Bucket": "nobodys-bucket-7f3a"})
    assert bucket["error"] == "S3.NoSuchBucketException"
    assert ", Extended Request ID: " in bucket["cause"]
    assert bucket["cause"].endswith(") (SDK Attempt Count: 1)")
    secret = task(laptop, "truth-secret", "aws-sdk:secretsmanager:getSecretValue", {"SecretId": "nobodys"})
    assert "Extended Request ID" not in secret["cause"]
    assert secret["cause"].endswith(") (SDK Attempt Count: 1)")


def test_execution_outputs_say_whether_they_can_be_redriven(laptop: Laptop) -> None:
    make(
        laptop,
        "truth-child",
        {"StartAt": "B", "States": {"B": {"Type": "Pass", "Result": {"done": True}, "End": True}}},
    )
    make(laptop, "truth-bad-child", {"StartAt": "B", "States": {"B": {"Type": "Fail", "Error": "No"}}})
    machines = "arn:aws:states:us-east-1:123456789012:stateMachine:"
    parameters = {"StateMachineArn": f"{machines}truth-child", "Input": {}}
    told = json.loads(task(laptop, "truth-sync", "states:startExecution.sync:2", parameters)["output"])
    reason = "Execution is SUCCEEDED and cannot be redriven"
    assert (told["RedriveCount"], told["RedriveStatus"], told["RedriveStatusReason"]) == (
        0,
        "NOT_REDRIVABLE",
        reason,
    )
    parameters["StateMachineArn"] = f"{machines}truth-bad-child"
    bad = json.loads(task(laptop, "truth-sync-bad", "states:startExecution.sync:2", parameters)["cause"])
    assert (bad["RedriveCount"], bad["RedriveStatus"]) == (0, "REDRIVABLE")
    assert "RedriveStatusReason" not in bad


def test_dynamodb_refusals_of_null_are_the_services(laptop: Laptop) -> None:
    told = task(
        laptop, "truth-dynamo-null", "dynamodb:putItem", {**TABLE, "Item.$": "$.item"}, {"item": None}
    )
    assert told["error"] == "DynamoDB.AmazonDynamoDBException"
    assert told["cause"].startswith(
        "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null (Service: "
    )


def test_topic_publishing_to_fifo_topics_needs_a_group_and_has_a_number(laptop: Laptop) -> None:
    sns = laptop.client("sns")
    topics = {
        kept: sns.create_topic(
            Name=f"truth-{kept}.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": kept}
        )["TopicArn"]
        for kept in ("true", "false")
    }
    publish, message = "sns:publish", {"Message": "m"}
    told = task(laptop, "truth-sns", publish, {"TopicArn": topics["true"], **message, "MessageGroupId": "g"})
    output = json.loads(told["output"])
    assert sorted(output) == ["MessageId", "SdkHttpMetadata", "SdkResponseMetadata", "SequenceNumber"]
    assert len(output["SequenceNumber"]) == 20
    for name, parameters, words in (
        ("group", {"TopicArn": topics["true"], **message}, "The MessageGroupId parameter is required for FIFO topics"),
        ("same", {"TopicArn": topics["false"], **message, "MessageGroupId": "g"}, "MessageDeduplicationId provided explicitly"),
        ("empty", {"TopicArn": topics["true"], "Message": "", "MessageGroupId": "g"}, "Empty message"),
    ):  # fmt: skip
        told = task(laptop, f"truth-sns-{name}", publish, parameters)
        assert told["error"] == "SNS.InvalidParameterException"
        assert told["cause"].startswith("Invalid parameter: ")
        assert words in told["cause"]


def test_topic_publishing_names_a_topic_that_is_not_there(laptop: Laptop) -> None:
    gone = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:nobodys", "Message": "m"}
    told = task(laptop, "truth-no-topic", "sns:publish", gone)
    assert told["error"] == "SNS.NotFoundException"
    assert told["cause"].startswith(
        "Topic does not exist (Service: AmazonSNS; Status Code: 404; Error Code: NotFound; "
    )
