"""Conditions hold as the IAM guide says, above all when their key is missing."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.deployer.faults import DeployError
from infra.local.deployer.resource import HttpApiParts, Resource, Target
from infra.local.deployer.resources import access
from infra.local.iam.policies import Decision, Policies, UnknownCondition, compile_conditions


@pytest.mark.parametrize(
    ("block", "values", "holds"),
    [
        ({"StringEquals": {"k": "a"}}, ["a"], True),
        ({"StringEquals": {"K": ["b", "a"]}}, ["a"], True),
        ({"StringEquals": {"k": "A"}}, ["a"], False),
        ({"StringEqualsIgnoreCase": {"k": "A"}}, ["a"], True),
        ({"StringEquals": {"k": "a"}}, [], False),
        ({"StringEqualsIfExists": {"k": "a"}}, [], True),
        ({"StringEqualsIfExists": {"k": "a"}}, ["b"], False),
        ({"StringNotEquals": {"k": "a"}}, ["b"], True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, ["b"], False),
        ({"StringNotEquals": {"k": "a"}}, [], True),
        ({"StringLike": {"k": "a/*/?"}}, ["a/b/c/d"], True),
        ({"StringNotLike": {"k": "a*"}}, ["abc"], False),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, ["a", "b"], True),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, ["a", "c"], False),
        ({"ForAllValues:StringLike": {"k": ["a*"]}}, [], True),
        ({"ForAnyValue:StringEquals": {"k": ["a", "b"]}}, ["c", "a"], True),
        ({"ForAnyValue:StringEquals": {"k": ["a"]}}, [], False),
        ({"ForAnyValue:StringNotEquals": {"k": ["a"]}}, ["a", "b"], True),
        ({"Null": {"k": "true"}}, [], True),
        ({"Null": {"k": True}}, ["a"], False),
        ({"Null": {"k": "false"}}, ["a"], True),
        ({"Bool": {"k": True}}, ["true"], True),
        ({"NumericLessThanEquals": {"k": 10}}, ["10"], True),
        ({"NumericGreaterThan": {"k": "10"}}, ["10"], False),
        ({"NumericNotEquals": {"k": 5}}, ["6"], True),
        ({"DateGreaterThan": {"k": "2026-01-01T00:00:00Z"}}, ["2026-06-01T00:00:00+00:00"], True),
        ({"DateLessThan": {"k": "2026-01-01T00:00:00Z"}}, ["2026-06-01T00:00:00+00:00"], False),
        ({"IpAddress": {"k": "10.0.0.0/8"}}, ["10.1.2.3"], True),
        ({"NotIpAddress": {"k": "10.0.0.0/8"}}, ["10.1.2.3"], False),
        ({"ArnLike": {"k": "arn:aws:sns:*:1:t*"}}, ["arn:aws:sns:eu:1:topic:x"], True),
        ({"ArnLike": {"k": "arn:aws:*"}}, ["arn:aws:sns:eu:1:topic"], False),
        ({"ArnNotEquals": {"k": "arn:aws:sns:eu:1:a"}}, ["arn:aws:sns:eu:1:a"], False),
        ({"StringEquals": {"k": "a", "l": "b"}}, ["a"], False),
        ({"StringEquals": {"k": "a"}, "Null": {"l": "true"}}, ["a"], True),
    ],
)
def test_conditions(block: dict[str, Any], values: list[str], holds: bool) -> None:
    assert compile_conditions(block)({"k": values} if values else {}) is holds


@pytest.mark.parametrize("operator", ["StringMatches", "ForSomeValues:StringEquals", "BinaryEquals"])
def test_an_operator_that_the_laptop_cannot_decide_fails_the_deployment(operator: str) -> None:
    with pytest.raises(UnknownCondition, match="not known on the laptop"):
        compile_conditions({operator: {"k": "a"}})
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"k": "a"}}}
    document = {"Version": "2012-10-17", "Statement": statement}
    resource = Resource("s", "P", "AWS::IAM::ManagedPolicy", {"PolicyDocument": document})
    with pytest.raises(DeployError, match=operator):
        access.managed_policy(resource, _nowhere())


def test_the_context_is_only_worked_out_when_a_condition_asks() -> None:
    policies = Policies([{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:*"}}])

    def never() -> dict[str, list[str]]:
        raise AssertionError

    assert policies.decide("s3:GetObject", "arn:aws:s3:::b/k", never) is Decision.ALLOWED
    assert policies.decide("s3:GetObject", "b", never) is Decision.NOT_ALLOWED


def test_many_questions_do_not_fill_the_memory() -> None:
    policies = Policies([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}])
    for number in range(10_000):
        policies.decide("s3:GetObject", f"arn:aws:s3:::b/{number}", dict)
    assert len(policies._remembered) <= 4096


def _nowhere() -> Target:
    def nothing(*_: Any) -> Any:
        return None

    return Target(nothing, nothing, nothing, HttpApiParts(), "http://127.0.0.1", nothing)
