"""Authenticate the caller of the API.

It always lets the request through, with a tenant or with the reason why there is none: the HTTP API's own
refusals have a fixed body, and ours say what to change. Functions refuse a request without a tenant.
"""

from __future__ import annotations

from typing import Any

from stepward.domain.errors import NotAuthenticated
from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler


@lambda_handler("caller recognised")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer in the HTTP API's simple form."""
    del context
    try:
        key = container.agents.api_keys.recognise(event.get("headers") or {})
    except NotAuthenticated as error:
        return {
            "isAuthorized": True,
            "context": {"denied": error.code, "detail": error.detail, "fix": error.fix},
        }
    return {"isAuthorized": True, "context": {"tenant": key.tenant, "principal": key.principal}}
