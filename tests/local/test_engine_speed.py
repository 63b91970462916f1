"""Patches that save time, one test for each.

`test_patches_are_needed.py` proves that each fails without its patch.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.laptop import Laptop
from tests.local.test_engine_patches import PASS


def test_client_cache_gives_tasks_one_client_a_service(laptop: Laptop) -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    first, second = (lambda_eval_utils.boto_client_for("us-east-1", "lambda") for _ in range(2))
    assert first is second
    assert first.meta.endpoint_url == laptop.endpoint


def test_direct_invocations_call_no_server(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.client import BaseClient
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    def refuse(*_: Any) -> Any:
        raise AssertionError("the function was called by HTTP")

    client = lambda_eval_utils.boto_client_for("us-east-1", "lambda")
    monkeypatch.setattr(BaseClient, "_make_api_call", refuse)
    answer = client.invoke(FunctionName="small-echo", Payload=b'{"answer": 7}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b"7")
    with pytest.raises(AssertionError, match="by HTTP"):
        client.invoke(FunctionName="small-none", Payload=b"{}")


def test_parse_cache_keeps_the_tree_but_not_the_program(laptop: Laptop) -> None:
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

    (first, tree), (second, again) = (AmazonStateLanguageParser.parse(json.dumps(PASS)) for _ in range(2))
    assert tree is again
    assert first is not second


def test_service_lookup_reads_no_folder_a_request(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    import moto.backends

    def refuse() -> Any:
        raise AssertionError("moto's folders were listed")

    laptop.client("dynamodb").list_tables()
    monkeypatch.setattr(moto.backends, "list_of_moto_modules", refuse)
    assert laptop.client("dynamodb").list_tables()["TableNames"] == ["small-items"]


def test_action_names_are_listed_once_a_service(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the methods of a class were listed")

    laptop.client("dynamodb").list_tables()
    monkeypatch.setattr(inspect, "getmembers", refuse)
    assert laptop.client("dynamodb").list_tables()["TableNames"] == ["small-items"]


def test_expression_parses_keep_a_tree_that_validation_leaves_as_it_is(laptop: Laptop) -> None:
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser

    text = "SET seen = seen + :one REMOVE stale"
    table = {"TableName": "small-items", "Key": {"pk": {"S": "parsed"}, "sk": {"S": "once"}}}
    client = laptop.client("dynamodb")
    client.put_item(TableName="small-items", Item={**table["Key"], "seen": {"N": "0"}, "stale": {"S": "x"}})
    for _ in range(3):
        client.update_item(**table, UpdateExpression=text, ExpressionAttributeValues={":one": {"N": "1"}})
    assert client.get_item(**table)["Item"] == {**table["Key"], "seen": {"N": "3"}}
    assert UpdateExpressionParser.make(text) is UpdateExpressionParser.make(text)


def test_expression_walks_ask_no_abstract_class_twice(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from abc import ABCMeta

    from moto.dynamodb.parsing.ast_nodes import Node
    from moto.dynamodb.parsing.expressions import UpdateExpressionParser
    from moto.dynamodb.parsing.validators import NoneExistingPathChecker

    ask, tree = ABCMeta.__instancecheck__, UpdateExpressionParser.make("SET a = :a, b = :b ADD c :c")
    NoneExistingPathChecker().traverse(tree)

    def refuse(kind: ABCMeta, value: object) -> bool:
        if kind.__module__ == Node.__module__:
            raise AssertionError(f"isinstance asked {kind.__name__}")
        return ask(kind, value)

    monkeypatch.setattr(ABCMeta, "__instancecheck__", refuse)
    assert NoneExistingPathChecker().traverse(tree) is tree
