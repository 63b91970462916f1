"""What S3 refuses is to the caller like what is not there, and the log tells why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stepward.adapters.aws import files
from stepward.domain.errors import NotFound

REFUSAL = "User: x is not authorized to perform: s3:GetObject on resource: y"


class RefusingS3:
    """Answers everything with one error."""

    def __init__(self, code: str) -> None:
        self.code = code

    def get_object(self, **_: Any) -> None:
        raise ClientError({"Error": {"Code": self.code, "Message": REFUSAL}}, "GetObject")

    head_object = get_object


def _read_data() -> None:
    files.S3Datasets("data").read("acme", "datasets/a.csv")


def _look_for_data() -> None:
    if not files.S3Datasets("data").is_there("acme", "datasets/a.csv"):
        raise NotFound("it is not there")


def _read_result() -> None:
    files.S3Results("data").read("acme", "run_1", "call_1")


@pytest.mark.parametrize("look", [_read_data, _look_for_data, _read_result])
@pytest.mark.parametrize(
    ("code", "is_told"), [("AccessDenied", True), ("403", True), ("NoSuchKey", False), ("404", False)]
)
def test_a_refused_object_is_missing_and_the_refusal_is_logged(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    look: Callable[[], None],
    code: str,
    is_told: bool,
) -> None:
    for module in (files, files):
        monkeypatch.setattr(module, "client", lambda _: RefusingS3(code))
    with pytest.raises(NotFound):
        look()
    assert (REFUSAL in caplog.text) is is_told
