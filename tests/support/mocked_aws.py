"""Gives a test AWS's services in this process, empty, without reading their descriptions anew each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto import mock_aws

from stepward.adapters.aws import clients

# Moto would begin a session with each test, and a new session reads megabytes of descriptions: half a second.
_KEEPS_SESSION: Any = {"core": {"reset_boto3_session": False}}


@contextmanager
def mocked_aws() -> Iterator[None]:
    """Answer all calls of AWS within the block from services that hold nothing yet."""
    with mock_aws(config=_KEEPS_SESSION):
        clients.client.cache_clear()
        try:
            yield
        finally:
            clients.client.cache_clear()
