"""A stage that answers from a list, so that a test sees every request and decides every answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from stepward.sdk import Stepward

Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


def ok(body: object, status: int = 200, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=body, headers=headers)


def problem(status: int, code: str, detail: str = "No.", **more: Any) -> httpx2.Response:
    headers = more.pop("headers", {})
    body = {
        "type": f"about:stepward/{code}",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return httpx2.Response(status, json=body, headers=headers)


def a_run(**more: Any) -> dict[str, Any]:
    totals = {"turns": 2, "tool_calls": 1, "input_tokens": 900, "output_tokens": 80, "cost_usd_micros": 3900}
    run = {
        "id": "run_01",
        "agent": "support-refunds",
        "version": "1.0.0",
        "status": "COMPLETED",
        "created_at": "2026-11-05T10:00:00.000Z",
        "ended_at": "2026-11-05T10:00:02.000Z",
        "deadline_at": "2026-11-05T10:05:00.000Z",
        "principal": "ci",
        "rehearsed": True,
        "answered_by": "rehearsal",
        "charged": False,
        "input": "hello",
        "output": "Hello Amara, we refund 10.00 EUR.",
        "error": None,
        "totals": totals,
    }
    return {**run, **more}


def an_event(seq: int, kind: str, **data: Any) -> dict[str, Any]:
    named = {
        "type": f"agent.{kind}",
        "time": "2026-11-05T10:00:00.000Z",
        "run": "run_01",
        "agent": "support-refunds",
    }
    return {"id": f"run_01:{seq}:0", "seq": seq, **named, "data": data}


def page(*events: dict[str, Any], ended: bool = False) -> httpx2.Response:
    return ok({"events": list(events), "next": events[-1]["seq"] if events else 0, "ended": ended})


@dataclass
class FakeApi:
    """Gives its answers in turn, the last one for ever; keeps requests and pauses."""

    answers: list[Answer]
    requests: list[httpx2.Request] = field(default_factory=list)
    pauses_s: list[float] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)
        return answer(request)

    def client(self, url: str = "http://127.0.0.1:8400", key: str = "sw_test") -> Stepward:
        """A client on this stage, whose clock is its own pauses."""
        return Stepward(
            url,
            key,
            http=httpx2.MockTransport(self),
            sleep=self.pauses_s.append,
            monotonic=lambda: sum(self.pauses_s),
        )

    @property
    def targets(self) -> list[str]:
        return [f"{r.method} {r.url.raw_path.decode()}" for r in self.requests]

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)
