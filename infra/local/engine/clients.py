"""Patches of the AWS clients that tasks call with, and of moto's lookup of services."""

from __future__ import annotations

import functools
import sys
import threading
import uuid
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto.core import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.settings import moto_server_port
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.utils import boto_client

ORIGINAL_CLIENT_CACHE = boto_client.boto_client_for
_MAX_CONNECTIONS = 100
_FOREVER_S = 99_999_999
_last = threading.local()
_clients: dict[tuple[str, str, str, str], tuple[BaseClient, str]] = {}
_roles_by_key: dict[str, str] = {}
_lock = threading.Lock()


def client_for(region: str, service: str, state_credentials: StateCredentials | None = None) -> BaseClient:
    """Return a client that calls as the role of the state or of its machine.

    Each role has an access key of its own, by which a call can be traced to it.
    """
    return held(region, service, state_credentials)[0]


def held(
    region: str, service: str, state_credentials: StateCredentials | None = None
) -> tuple[BaseClient, str]:
    """Return such a client with its access key id."""
    role_arn = str(getattr(state_credentials, "role_arn", ""))
    key = (region, service, str(moto_server_port()), role_arn)
    with _lock:
        if key not in _clients:
            _clients[key] = _new_client(*key)
        return _clients[key]


def role_of(access_key: str) -> str | None:
    """Return the ARN of the role whose machine holds an access key, or None."""
    return _roles_by_key.get(access_key)


def last_metadata() -> dict[str, Any]:
    """Return the metadata of the last response that this thread received.

    The integrations of services remove it from the response before it reaches the state.
    """
    metadata: dict[str, Any] = getattr(_last, "metadata", {})
    return metadata


def install_client_cache() -> None:
    """Keep the clients of Task states between tasks.

    moto builds a new AWS client for every Task state (20 to 100 ms each), and reaches itself as `localhost`.

    Where: `boto_client_for` in moto/stepfunctions/parser/asl/utils/boto_client.py, imported by name into a dozen modules.
    """
    engine_client: Any = boto_client
    engine_client.boto_client_for = client_for
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            vars(module)["boto_client_for"] = client_for


def _new_client(region: str, service: str, port: str, role_arn: str) -> tuple[BaseClient, str]:
    access_key = f"ASIA{uuid.uuid4().hex[:16].upper()}"
    _roles_by_key[access_key] = role_arn
    config = Config(
        parameter_validation=False,
        retries={"max_attempts": 0, "total_max_attempts": 1},
        connect_timeout=_FOREVER_S,
        read_timeout=_FOREVER_S,
        max_pool_connections=_MAX_CONNECTIONS,
        # Step Functions' own clients ask for no checksums; these would show in the results of S3 tasks.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client: BaseClient = boto3.client(
        service,
        region_name=region,
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=access_key,
        aws_secret_access_key="laptop",  # noqa: S106 - it is not checked
        config=config,
    )
    client.meta.events.register("after-call", _remember)
    return client, access_key


def _remember(parsed: dict[str, Any], **_: Any) -> None:
    _last.metadata = parsed.get("ResponseMetadata", {})


ORIGINAL_SERVICE_LOOKUP = DomainDispatcherApplication.get_backend_for_host


def install_service_lookup() -> None:
    """Look up the service of each host once.

    moto lists its own folders on disk for every request, under one lock, to find the service that a host names.

    Where: `DomainDispatcherApplication.get_backend_for_host` in moto/moto_server/werkzeug_app.py calls
    `list_of_moto_modules` (moto/backends.py). With many clients all of them queue for that lock: it cost more than half of
    the time of 30 runs at once. The answer for a host never changes, so it is kept.
    """
    DomainDispatcherApplication.get_backend_for_host = _remembered


@functools.lru_cache(maxsize=1024)
def _remembered(application: DomainDispatcherApplication, host: str | None) -> Any:
    return ORIGINAL_SERVICE_LOOKUP(application, host)


ORIGINAL_ACTION_NAMES = responses.method_names_from_class


def install_action_names() -> None:
    """List the actions of a service once.

    moto lists the methods of a service's class by `inspect.getmembers` for every request: a twentieth of its time.

    Where: `method_names_from_class` in moto/core/utils.py, called by `BaseResponse.call_action` in moto/core/responses.py.
    """
    responses.method_names_from_class = functools.lru_cache(maxsize=256)(ORIGINAL_ACTION_NAMES)
