"""Carries one run to its end as its callers would: they repeat what got no answer, decide what is asked, call back."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

import httpx2

from infra.local.bench.called_site import CalledSite
from infra.local.bench.kills.shapes import Document, Kind, Shape
from infra.local.faults import LaptopError

_POLL_S: Final = 0.15
_TRIES: Final = 40
_READY_S: Final = 25
_FAULT: Final = 500


class Callers:
    """Everybody outside: who starts runs, who is asked, who is called, and calls back."""

    def __init__(self, client: httpx2.Client, site: CalledSite) -> None:
        """Take a client of the API, and the site that webhooks call."""
        self._client = client
        self._site = site
        self._registered: set[str] = set()

    def register(self, shape: Shape) -> None:
        """Register all that a shape needs, once."""
        for kind, document in (*shape.before, (shape.kind, shape.document)):
            if document["id"] not in self._registered:
                self._register(kind, document)
                self._registered.add(document["id"])

    def start(self, shape: Shape) -> str:
        """Start a run; a start without an answer is made again by the same key."""
        self._site.forget()
        given: Document = {"input": "survive this" if shape.kind == "agents" else {}, "charge": True}
        if shape.asks_model:
            given = {"input": "survive this", "rehearse": False}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        answer = self._said(f"/{shape.kind}/{shape.document['id']}/runs", given, headers)
        if answer.status_code not in (200, 202):
            raise LaptopError(f"{shape.name} could not be started: {answer.status_code} {answer.text}")
        return str(answer.json()["id"])

    def to_its_end(self, run: str, limit_s: float) -> Document:
        """Answer what a run asks until it has ended or the time is over, and return the run."""
        end_s, answered = time.monotonic() + limit_s, set[str]()
        while not (found := self.run(run)).get("ended_at") and time.monotonic() < end_s:
            self._answer_what_is_open(found, answered)
            time.sleep(_POLL_S)
        return found

    def run(self, run: str) -> Document:
        """Read a run."""
        found: Document = self._read(f"/runs/{run}")
        return found

    def left_over(self) -> Document:
        """Tell what the runs of this tenant hold: nothing, once all of them have ended."""
        status = self._read("/system/status")
        held = {
            "active": status["active"],
            "waiting": status["waiting"],
            "in_line": status["in_line"]["total"],
        }
        asked = len(self._read("/approvals")["approvals"])
        return {name: number for name, number in (held | {"approvals": asked}).items() if number}

    def cancel(self, run: str) -> None:
        """End a run that does not end by itself, so that the next one finds a quiet place."""
        self._said(f"/runs/{run}/cancel", {}, {})

    def _register(self, kind: Kind, document: Document) -> None:
        params = {"wait": str(_READY_S)} if kind == "workflows" else {}
        answer = self._client.post(f"/{kind}", json=document, params=params)
        if answer.status_code not in (200, 201):
            raise LaptopError(f"{document['id']} was not registered: {answer.status_code} {answer.text}")

    def _answer_what_is_open(self, found: Document, answered: set[str]) -> None:
        if found["status"] == "WAITING" or "tasks" in found:
            for approval in self._read("/approvals")["approvals"]:
                self._once(f"/approvals/{approval['id']}/decision", {"decision": "approve"}, answered)
        for task in found.get("tasks", ()):
            if task.get("callback") and self._may_be_called(task["callback"], found):
                self._once(task["callback"], {"ok": True}, answered)

    def _may_be_called(self, address: str, found: Document) -> bool:
        """Return whether a callback may be made.

        The site that is called first calls back once it has the address; the others read the address from the
        run.
        """
        if found["workflow"] != "kills-webhook":
            return True
        return any(self._site.callback_of(task) == address for task in self._site.started)

    def _once(self, path: str, body: Document, answered: set[str]) -> None:
        if path not in answered and self._said(path, body, {}).status_code < _FAULT:
            answered.add(path)

    def _said(self, path: str, body: Document, headers: dict[str, str]) -> httpx2.Response:
        """Say something until there is an answer that is not a fault."""
        for _ in range(_TRIES):
            answer = self._client.post(path, json=body, headers=headers)
            if answer.status_code < _FAULT:
                break
            time.sleep(_POLL_S)
        return answer

    def _read(self, path: str) -> Any:
        for _ in range(_TRIES):
            answer = self._client.get(path)
            if answer.status_code < _FAULT:
                break
            time.sleep(_POLL_S)
        if answer.status_code >= 300:
            raise LaptopError(f"GET {path}: {answer.status_code} {answer.text}")
        return answer.json()
