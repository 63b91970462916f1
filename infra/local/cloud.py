"""moto's server on a loopback port, mended by the engine's patches: the laptop's AWS."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import boto3
from botocore.config import Config
from moto.core.config import default_user_config
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from infra.local import account, engine
from infra.local.gateway.server import PortInUse
from infra.local.iam import Guard
from infra.local.keep_alive import KeepAliveHandler

Application = Callable[..., Iterable[bytes]]
"""A WSGI application."""

_LAPTOP_KEY = "ASIALAPTOP0000000000"


class Cloud:
    """The AWS of one laptop. moto's state is the process's, so a process holds one at a time."""

    _held = threading.Lock()

    def __init__(self, port: int = 0, around: Callable[[Application], Application] | None = None) -> None:
        """Start answering; everything that an earlier laptop of this process left is forgotten.

        `around` may stand around every request.
        """
        if not Cloud._held.acquire(blocking=False):
            raise RuntimeError("a laptop is already running in this process: moto has one state a process")
        try:
            engine.install()
            _quiet_libraries()
            moto_api_backend.reset()
            default_user_config["stepfunctions"] = {"execute_state_machine": True}
            self.guard = Guard(DomainDispatcherApplication(create_backend_app))
            self._server = _listen(port, around(self.guard) if around else self.guard)
        except BaseException:
            Cloud._held.release()
            raise
        self.port = int(self._server.server_port)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        os.environ["MOTO_PORT"] = str(self.port)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="aws")
        self._thread.start()

    def client(self, service: str) -> Any:
        """Give a client of this AWS, one a service."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def environment(self) -> dict[str, str]:
        """Give the variables that lead any AWS client of another process here."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": account.REGION,
            "AWS_DEFAULT_REGION": account.REGION,
            "AWS_ACCESS_KEY_ID": _LAPTOP_KEY,
            "AWS_SECRET_ACCESS_KEY": "laptop",
        }

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        Cloud._held.release()

    def _new_client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=account.REGION,
            aws_access_key_id=_LAPTOP_KEY,
            aws_secret_access_key="laptop",  # noqa: S106 - nobody checks it
            config=Config(retries={"total_max_attempts": 1}, max_pool_connections=32),
        )


def _listen(port: int, application: Application) -> Any:
    try:
        return make_server("127.0.0.1", port, application, threaded=True, request_handler=KeepAliveHandler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port) from None
        raise
    except SystemExit:
        raise PortInUse(port) from None  # werkzeug ends the process where others raise


def _quiet_libraries() -> None:
    # One line a request, and tracebacks of errors that clients handle, would bury what a person should read.
    for name in ("werkzeug", "moto", "botocore"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
