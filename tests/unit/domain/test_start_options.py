"""What a start says, and how it comes into the head of either kind of run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stepward.agents.requests import IDEMPOTENCY_KEY_CHARS, idempotency_key, parse
from stepward.agents.start import StartRequest
from stepward.domain.errors import InvalidRequest
from stepward.domain.run_origins import Caller
from stepward.domain.runs import CommonHead, RunHead, StartOptions
from stepward.domain.task_records import WorkflowHead
from stepward.workflows.runs.start_run import StartWorkflowRequest

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ACME = Caller(tenant="acme", principal="ada")


@pytest.mark.parametrize("request_of", [StartRequest, StartWorkflowRequest])
def test_what_a_start_says_of_the_heads_own_fields_goes_there(request_of: type[StartOptions]) -> None:
    said = parse(request_of, {"input": {"a": 1}, "priority": "high", "version": "1.0.0", "rehearse": True})
    assert said.for_head() == {"priority": "high"}


@pytest.mark.parametrize("said", [{}, {"priority": None}])
def test_what_a_start_does_not_say_is_left_to_the_definition(said: dict[str, None]) -> None:
    assert StartOptions(**said).for_head() == {}


@pytest.mark.parametrize("head", [RunHead, WorkflowHead])
def test_the_heads_of_both_kinds_have_one_part_in_common(head: type[CommonHead]) -> None:
    own = head.__annotations__.keys() & CommonHead.model_fields.keys()
    assert own <= {"rehearsed"}, "a field of both kinds is declared once, in CommonHead"


def test_a_key_knows_a_request_again_by_caller_and_content_for_a_day() -> None:
    kept = idempotency_key(ACME, ["triage", {"b": 1, "a": 2}], "k-1", NOW)
    same = idempotency_key(ACME, ["triage", {"a": 2, "b": 1}], "k-1", NOW)
    other = idempotency_key(ACME, ["triage", {"a": 3, "b": 1}], "k-1", NOW)
    assert kept is not None and other is not None
    assert (kept, kept.principal, kept.key) == (same, "ada", "k-1")
    assert kept.body_sha256 != other.body_sha256
    assert kept.expires_at == int((NOW + timedelta(hours=24)).timestamp())


def test_a_request_without_the_header_has_no_key() -> None:
    assert idempotency_key(ACME, [], None, NOW) is None


@pytest.mark.parametrize("key", ["", "x" * (IDEMPOTENCY_KEY_CHARS + 1), "a\nb"])
def test_a_key_that_cannot_be_kept_is_refused_with_the_rule(key: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used") as refused:
        idempotency_key(ACME, [], key, NOW)
    assert refused.value.field == "Idempotency-Key"
    assert str(IDEMPOTENCY_KEY_CHARS) in str(refused.value.fix)
