"""Serve the data files' part of the API."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from stepward.runtime.container import container
from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, as_it_is, bytes_of, caller, http_app, query_of, routes

router = routes()


@router.get("/data")
def list_files() -> Response[str]:
    """List data files by key; `prefix` narrows it.

    Returns:
        200 with the page and its `next_cursor`.

    Raises:
        InvalidRequest: A query parameter is invalid.
    """
    event = router.current_event
    return answer(200, container.agents.data_files.list(caller(event).tenant, query_of(event)))


@router.get("/data/.+")
def read_file() -> Response[str]:
    """Return a data file.

    Returns:
        200 with its bytes.

    Raises:
        NotFound: There is no such file.
        InvalidRequest: It is larger than an answer.
    """
    event = router.current_event
    tenant, key = caller(event).tenant, event.path_parameters["key"]
    file = container.agents.data_files.read(tenant, key)
    return as_it_is(file.body, file.content_type, {"ETag": file.version})


@router.put("/data/.+")
def write_file() -> Response[str]:
    """Write a data file, replacing what was there.

    Returns:
        200 with its key, size and version.

    Raises:
        InvalidRequest: The key is invalid, or the body too large.
    """
    event = router.current_event
    tenant, key = caller(event).tenant, event.path_parameters["key"]
    content_type = event.headers.get("content-type")
    return answer(200, container.agents.data_files.write(tenant, key, bytes_of(event), content_type))


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("data request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
