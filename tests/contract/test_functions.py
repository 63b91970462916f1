"""What Lambda's answers mean to a tool."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from stepward.adapters.aws import functions
from stepward.adapters.aws.functions import LambdaFunctions
from stepward.domain.errors import ToolFailed, ToolUnavailable


class Lambda:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(
        self, answer: Any = None, fault: dict[str, str] | None = None, tags: dict[str, str] | None = None
    ) -> None:
        self.answer, self.fault, self.tags = answer, fault, tags or {}
        self.asked: list[dict[str, Any]] = []

    def get_function(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        return {"Tags": self.tags}

    def invoke(self, **asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        body = self.fault or self.answer
        answer: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(body).encode())}
        return answer | ({"FunctionError": "Unhandled"} if self.fault else {})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    def made(**told: Any) -> Lambda:
        found = Lambda(**told)
        monkeypatch.setattr(functions, "_client", lambda: found)
        return found

    return made


def test_a_folder_is_called_by_its_functions_name(aws: Any) -> None:
    asked = aws(answer={"value": 1})
    assert LambdaFunctions({"orders": "stepward-dev-orders"}).own("orders", {"a": 1}) == {"value": 1}
    assert asked.asked == [{"FunctionName": "stepward-dev-orders", "Payload": b'{"a": 1}'}]
    with pytest.raises(ToolFailed, match="not deployed"):
        LambdaFunctions({}).own("orders", {})


@pytest.mark.parametrize(
    ("told", "kind", "has_begun"),
    [
        ({"fault": {"errorType": "ValueError", "errorMessage": "no"}}, ToolFailed, None),
        ({"fault": {"errorMessage": "2026 Task timed out after 3.00 seconds"}}, ToolUnavailable, True),
        ({"fault": {"errorType": "Runtime.ExitError"}}, ToolUnavailable, True),
        ({"answer": ReadTimeoutError(endpoint_url="x")}, ToolUnavailable, True),
        (
            {"answer": ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")},
            ToolUnavailable,
            False,
        ),
        ({"answer": ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")}, ToolFailed, None),
    ],
)
def test_each_fault_is_what_it_means(
    aws: Any, told: Any, kind: type[Exception], has_begun: bool | None
) -> None:
    aws(**told)
    with pytest.raises(kind) as raised:
        LambdaFunctions({"orders": "f"}).own("orders", {})
    assert getattr(raised.value, "has_begun", None) is has_begun


def test_a_foreign_function_is_looked_at_first_and_then_known(aws: Any) -> None:
    asked, known = aws(answer=3, tags={"stepward:tool": "yes"}), LambdaFunctions({})
    assert [known.foreign("pricing", {}, {"call_id": "c"}) for _ in range(2)] == [3, 3]
    assert len(asked.asked) == 3
    aws(answer=3)
    with pytest.raises(ToolFailed, match="does not carry the tag"):
        LambdaFunctions({}).foreign("pricing", {}, {})
