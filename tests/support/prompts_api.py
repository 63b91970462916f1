"""Asks the function of prompts as the gateway does."""

from __future__ import annotations

import json
from typing import Any

import functions.prompts_api.handler as function
from tests.support.memory_container import LambdaContext, request
from tests.support.prompts import a_prompt_body

Answer = tuple[int, dict[str, Any]]


class Api:
    """Asks the function."""

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        answered = function.handle(request(method, path, body, query), LambdaContext())
        return answered["statusCode"], json.loads(answered["body"])

    def register(self, **changed: Any) -> Answer:
        return self("POST", "/prompts", a_prompt_body(**changed))

    def point(self, label: str, version: str) -> Answer:
        return self("PUT", f"/prompts/support/labels/{label}", {"version": version})

    def roll_back(self, label: str, body: Any = None) -> Answer:
        return self("POST", f"/prompts/support/labels/{label}/rollback", body)
