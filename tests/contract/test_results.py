"""What the store of large results promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from stepward.adapters.aws.files import S3Results
from stepward.adapters.memory.functions import MemoryResults
from stepward.domain.errors import NotFound
from tests.support.mocked_aws import mocked_aws


@pytest.fixture(params=["memory", "aws"])
def results(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryResults()
        return
    with mocked_aws():
        boto3.client("s3").create_bucket(Bucket="data")
        yield S3Results("data")


def test_what_is_kept_is_read_back(results: Any) -> None:
    results.keep("acme", "run_1", "call_1_1", b'{"a": 1}')
    results.keep("acme", "run_1", "call_1_1", b'{"a": 1}')
    assert results.read("acme", "run_1", "call_1_1") == b'{"a": 1}'


@pytest.mark.parametrize("place", [("other", "run_1", "call_1_1"), ("acme", "run_2", "call_1_1")])
def test_each_tenant_and_run_has_its_own(results: Any, place: tuple[str, str, str]) -> None:
    results.keep("acme", "run_1", "call_1_1", b"{}")
    with pytest.raises(NotFound):
        results.read(*place)
