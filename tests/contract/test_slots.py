"""What every runtime state promises of slots and of those that find none."""

from __future__ import annotations

from typing import Any

from stepward.domain.runs import RunStatus
from stepward.ports.runtime_state import IdempotencyKey
from tests.builders import a_key, a_new_run


def a_repeat() -> IdempotencyKey:
    return IdempotencyKey(principal="tester", key="k1", body_sha256="one", expires_at=2_000_000_000)


def test_a_run_in_line_that_is_asked_for_again_is_still_in_line(ports: Any) -> None:
    ports.runtime.start(a_new_run(1, active=1))
    ports.runtime.start(a_new_run(2, active=1, idempotency=a_repeat()))
    again = ports.runtime.start(a_new_run(3, active=1, idempotency=a_repeat()))
    assert (again.head.run, again.head.status) == (a_key(2).run, RunStatus.PENDING)
    assert (again.is_new, again.in_line) == (False, True)
