"""Lists a tenant's data files, and brings and keeps one."""

from __future__ import annotations

from typing import Any

from stepward.agents.data_files import DataFiles
from stepward.runtime import wiring
from stepward.runtime.http import answer, as_it_is, bytes_of, caller, query_of, routes

router = routes()


@router.get("/data")
def list_files() -> Any:
    """List files by key."""
    event = router.current_event
    return answer(200, _files().list(caller(event).tenant, query_of(event)))


@router.get("/data/.+")
def read_file() -> Any:
    """Answer with a file's bytes."""
    event = router.current_event
    tenant, key = caller(event).tenant, event.path_parameters["key"]
    file = _files().read(tenant, key)
    return as_it_is(file.body, file.content_type, {"ETag": file.version})


@router.put("/data/.+")
def write_file() -> Any:
    """Answer with the file's key, size and version."""
    event = router.current_event
    tenant, key = caller(event).tenant, event.path_parameters["key"]
    kept = _files().write(tenant, key, bytes_of(event), event.headers.get("content-type"))
    return answer(200, kept)


def _files() -> DataFiles:
    return DataFiles(wiring.datasets())
