"""The providers of a deployed stage, as its operator's commands read them off the function that calls models."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws

from infra.config.providers import ProviderConfig, entries_json
from infra.names import Names
from stepward.adapters.aws import clients
from stepward.adapters.aws.secrets import caller_of_models, stage_providers
from stepward.domain.errors import Bug
from stepward.ports.providers import BUILT_IN

Deploy = Callable[[str], None]


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    with mock_aws():
        clients.client.cache_clear()
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=policy)["Role"]["Arn"]

        def deployed(providers: str) -> None:
            boto3.client("lambda").create_function(
                FunctionName=Names("test").function("agent_advance"),
                Role=role,
                Runtime="python3.13",
                Handler="a.b",
                Code={"ZipFile": b"x"},
                Environment={"Variables": {"PROVIDERS": providers} if providers else {}},
            )

        yield deployed
    clients.client.cache_clear()


def test_entries_are_those_that_the_functions_have(deploy: Deploy) -> None:
    ours = ProviderConfig(kind="openai-chat", url="https://models.example.com/v1")
    deploy(entries_json({"ours": ours}))
    found = stage_providers("test") or ()
    assert [one.name for one in found] == [*(one.name for one in BUILT_IN), "ours"]
    assert found[-1].base_url == "https://models.example.com/v1"


def test_a_stage_without_entries_has_the_built_in_ones(deploy: Deploy) -> None:
    deploy("")
    assert stage_providers("test") == BUILT_IN


@pytest.mark.usefixtures("deploy")
def test_a_stage_that_is_not_deployed_has_said_nothing() -> None:
    assert stage_providers("test") is None


def test_settings_that_are_no_entries_are_a_fault(deploy: Deploy) -> None:
    deploy('[{"name": 1}]')
    with pytest.raises(Bug, match="PROVIDERS of stepward-test-agent-advance"):
        stage_providers("test")


def test_the_function_is_named_by_the_rule_of_the_stacks() -> None:
    assert caller_of_models("prod") == Names("prod").function("agent_advance")
