"""Patches of moto, one test for each.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.laptop import Laptop
from tests.local.patience import run_machine, wait_for

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}


def make(laptop: Laptop, name: str, definition: dict[str, Any]) -> str:
    created = laptop.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
    )
    return str(created["stateMachineArn"])


def jsonata(laptop: Laptop, name: str, output: Any, given: Any = None) -> dict[str, Any]:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Output": output, "End": True}},
    }
    return run_machine(laptop, make(laptop, name, definition), json.dumps(given or {}))


ITEM = {
    "pk": {"S": "wire"},
    "sk": {"S": "1"},
    "all": {
        "M": {"b": {"B": b"\x00\xff"}, "bs": {"BS": [b"a"]}, "l": {"L": [{"N": "1.50"}, {"NULL": True}]}}
    },
}


def test_dynamodb_answers_are_written_as_they_are(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.core.serialize import ResponseSerializer

    def refuse(*_: Any) -> Any:
        raise AssertionError("an answer was written through the model")

    monkeypatch.setattr(ResponseSerializer, "serialize", refuse)
    dynamodb, table = laptop.client("dynamodb"), {"TableName": "small-items"}
    dynamodb.put_item(**table, Item=ITEM)
    key = {name: ITEM[name] for name in ("pk", "sk")}
    assert dynamodb.get_item(**table, Key=key)["Item"] == ITEM
    values = {":p": ITEM["pk"]}
    found = dynamodb.query(**table, KeyConditionExpression="pk = :p", ExpressionAttributeValues=values)
    assert (found["Items"], found["Count"], found["ScannedCount"]) == ([ITEM], 1, 1)
    update = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    assert dynamodb.update_item(**table, Key=key, **update, ReturnValues="UPDATED_NEW")["Attributes"] == {
        "n": {"N": "1"}
    }
    assert "Item" not in dynamodb.get_item(**table, Key={**key, "sk": {"S": "none"}})


class Poison:
    """A partition that must not be read."""

    def values(self) -> Any:
        raise AssertionError("a query read a partition that it did not ask for")


def test_dynamodb_partitions_are_all_that_a_query_reads(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.dynamodb.models import dynamodb_backends

    dynamodb = laptop.client("dynamodb")
    for number in range(6):
        item = {"pk": {"S": f"part-{number % 2}"}, "sk": {"S": str(number)}}
        dynamodb.put_item(TableName="small-items", Item=item)
    table = dynamodb_backends["123456789012"]["us-east-1"].tables["small-items"]
    monkeypatch.setitem(table.items, "poison", Poison())
    found = dynamodb.query(
        TableName="small-items",
        KeyConditionExpression="pk = :p AND sk > :s",
        ExpressionAttributeValues={":p": {"S": "part-1"}, ":s": {"S": "1"}},
        ScanIndexForward=False,
    )
    assert [item["sk"]["S"] for item in found["Items"]] == ["5", "3"]


def test_dynamodb_lock_lets_one_action_in_at_a_time(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.dynamodb.models import DynamoDBBackend

    inside, most, original = [0], [0], DynamoDBBackend.put_item

    def slow(*args: Any, **kwargs: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.05)
        inside[0] -= 1
        return original(*args, **kwargs)

    monkeypatch.setattr(DynamoDBBackend, "put_item", slow)
    dynamodb = laptop.client("dynamodb")
    put = {"TableName": "small-items", "Item": {"pk": {"S": "lock"}, "sk": {"S": "1"}}}
    threads = [threading.Thread(target=lambda: dynamodb.put_item(**put)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def _add_one(laptop: Laptop, sk: str, token: str, **more: Any) -> None:
    update = {
        "TableName": "small-items",
        "Key": {"pk": {"S": "tx"}, "sk": {"S": sk}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    laptop.client("dynamodb").transact_write_items(
        TransactItems=[{"Update": update}, *more.get("and_then", [])], ClientRequestToken=token
    )


def _number(laptop: Laptop, sk: str) -> str | None:
    key = {"pk": {"S": "tx"}, "sk": {"S": sk}}
    found = laptop.client("dynamodb").get_item(TableName="small-items", Key=key).get("Item")
    return found["n"]["N"] if found else None


def test_dynamodb_transactions_honour_their_token(laptop: Laptop) -> None:
    for _ in range(2):
        _add_one(laptop, "token", "the-same-token")
    assert _number(laptop, "token") == "1"
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        _add_one(laptop, "another", "the-same-token")


def test_dynamodb_transactions_copy_no_table_and_undo_what_they_touched(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.dynamodb.models.table import Table

    def refuse(*_: Any) -> Any:
        raise AssertionError("a table was copied")

    monkeypatch.setattr(Table, "__deepcopy__", refuse, raising=False)
    _add_one(laptop, "undone", "t1")
    fails = {"pk": {"S": "tx"}, "sk": {"S": "missing"}}
    check = {"TableName": "small-items", "Key": fails, "ConditionExpression": "attribute_exists(pk)"}
    for sk in ("undone", "new"):
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            _add_one(laptop, sk, f"t2-{sk}", and_then=[{"ConditionCheck": check}])
    assert (_number(laptop, "undone"), _number(laptop, "new")) == ("1", None)


def test_execution_names_are_never_none(laptop: Laptop) -> None:
    arn = make(laptop, "unnamed", PASS)
    names = {run_machine(laptop, arn)["name"] for _ in range(2)}
    assert len(names) == 2
    assert "None" not in names


def test_executions_stopped_show_it_at_once_with_the_reason(laptop: Laptop) -> None:
    waiting = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 30, "End": True}}}
    states = laptop.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=make(laptop, "stopped", waiting), name="stopped")[
        "executionArn"
    ]
    states.stop_execution(executionArn=arn, error="Cancelled", cause="by a person")
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found.get("error"), found.get("cause")) == (
        "ABORTED",
        "Cancelled",
        "by a person",
    )


def test_jsonata_binding_evaluates_over_values(laptop: Laptop) -> None:
    output = {
        "quoted": "{% $states.input.text %}",
        "null": "{% $states.input.nothing %}",
        "sum": "{% $sum($states.input.numbers) %}",
        "parts": "{% $partition($states.input.numbers, 2) %}",
        "range": "{% $range(1, 5, 2) %}",
        "hash": "{% $hash('a', 'SHA-256') %}",
        "parsed": "{% $parse('{\"a\": [1]}').a %}",
        "name": "{% $states.context.StateMachine.Name %}",
    }
    given = {"text": 'a "quoted" \\ text', "nothing": None, "numbers": [1, 2, 3]}
    found = jsonata(laptop, "binding", output, given)
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"]) == {
        "quoted": given["text"],
        "null": None,
        "sum": 6,
        "parts": [[1, 2], [3]],
        "range": [1, 3, 5],
        "hash": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
        "parsed": [1],
        "name": "binding",
    }


def test_jsonata_binding_names_the_error_as_aws_does(laptop: Laptop) -> None:
    found = jsonata(laptop, "undefined", "{% $states.input.missing %}")
    assert (found["status"], found.get("error")) == ("FAILED", "States.QueryEvaluationError")
    assert "returned nothing (undefined)" in found["cause"]


def test_lambda_invocations_reach_the_executor(laptop: Laptop) -> None:
    answer = laptop.client("lambda").invoke(FunctionName="small-echo", Payload=b'{"answer": 42}')
    assert json.load(answer["Payload"]) == 42
    assert answer["ExecutedVersion"] == "$LATEST"


def test_states_data_has_no_result_before_there_is_one(laptop: Laptop) -> None:
    from moto.stepfunctions.parser.asl.eval.states import States

    states = States(context={"Execution": {"Input": {}}})
    states.reset({"a": 1})
    assert set(states._states_data) == {"input", "context"}


def test_task_failures_carry_their_cause(laptop: Laptop) -> None:
    queue = laptop.client("sqs").create_queue(QueueName="told-why")["QueueUrl"]
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    states = laptop.client("stepfunctions")
    machine = make(laptop, "told-why", {"StartAt": "A", "States": {"A": task}})
    arn = states.start_execution(stateMachineArn=machine, name="told-why")["executionArn"]
    sqs = laptop.client("sqs")
    token = wait_for(lambda: (sqs.receive_message(QueueUrl=queue).get("Messages") or [{}])[0].get("Body"))
    states.send_task_failure(taskToken=token, error="Refused", cause="by a person")
    found = wait_for(
        lambda: ((d := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and d) or None
    )
    assert (found.get("error"), found.get("cause")) == ("Refused", "by a person")


def test_task_parameters_fit_the_api_and_the_state(laptop: Laptop) -> None:
    laptop.client("s3").put_object(Bucket="small-bucket", Key="note.txt", Body=b"read me")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
        "Parameters": {"Bucket": "small-bucket", "Key": "note.txt"},
        "ResultPath": "$.found",
        "OutputPath": "$.found.Body",
        "End": True,
    }
    found = run_machine(laptop, make(laptop, "reads", {"StartAt": "A", "States": {"A": task}}))
    assert (found["status"], found.get("output")) == ("SUCCEEDED", '"read me"')


def test_parser_scopes_survive_an_invalid_definition(laptop: Laptop) -> None:
    """The last test of the file: without the patch it would spoil the parser for those after it."""
    mixed = {"Type": "Pass", "QueryLanguage": "JSONata", "Parameters": {"a.$": "$.b"}, "End": True}
    with pytest.raises(ClientError, match="Unsupported declaration"):
        make(laptop, "invalid", {"StartAt": "A", "States": {"A": mixed}})
    plain = {"Type": "Pass", "Parameters": {"a.$": "$.b"}, "End": True}
    assert make(laptop, "valid", {"StartAt": "A", "States": {"A": plain}}).endswith(":valid")
