"""A warm interpreter that forks workers, which saves each the import of boto3.

That import costs half a second. The zygote runs as a script under `-P` with one socket to the laptop: start requests
(JSON and the log's file descriptor) in, `started` and `exited` messages out. It has one thread only, and never imports the
runtime client before a fork: that client's C part captures the Runtime API's address when it is imported.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

_PRELOADED_MODULES = (
    "boto3", "pydantic", "pydantic.main", "pydantic.dataclasses", "pydantic.functional_serializers",
    "pydantic.functional_validators", "pydantic.networks", "pydantic.root_model", "pydantic.type_adapter",
    "pydantic.types", "pydantic.deprecated.class_validators", "zoneinfo", "difflib",
    "aws_lambda_powertools.event_handler", "aws_lambda_powertools.event_handler.router",
    "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics", "jsonata", "ulid", "tenacity", "urllib3",
    "concurrent.futures", "http.client", "snapshot_restore_py", "simplejson", "logging.handlers", "yaml",
)  # fmt: skip
_WARM_CLIENTS = ("dynamodb", "s3", "stepfunctions", "sqs", "lambda")
_MAX_MESSAGE_BYTES = 256 * 1024


def preload() -> None:
    """Import what functions import, and load service models into the default session's cache."""
    for name in _PRELOADED_MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    boto3 = importlib.import_module("boto3")
    boto3.setup_default_session()
    # Explicit keys: a session that resolved credentials here would hand them on to every worker.
    credentials = {"region_name": "us-east-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service in _WARM_CLIENTS:
        boto3.client(service, **credentials)
    gc.collect()
    gc.freeze()


def serve(control: socket.socket) -> None:
    """Start workers on request and report their exits, until the laptop closes the socket."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: set[int] = set()
    while True:
        sources: list[Any] = [control, wake_read]
        ready, _, _ = select.select(sources, [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _report_exits(control, children)
        if control in ready and not _start_one(control, children, [wake_read, wake_write]):
            _end_all(children)
            return


def _start_one(control: socket.socket, children: set[int], private_fds: list[int]) -> bool:
    message, fds, _, _ = socket.recv_fds(control, _MAX_MESSAGE_BYTES, 1)
    if not message:
        return False
    request = json.loads(message)
    zygote_pid = os.getpid()
    pid = os.fork()
    if pid == 0:
        for fd in (*private_fds, control.detach()):
            os.close(fd)
        _become_worker(request, fds[0], zygote_pid)
    os.close(fds[0])
    children.add(pid)
    _send(control, {"started": pid, "id": request["id"]})
    return True


def _become_worker(request: dict[str, Any], log_fd: int, zygote_pid: int) -> None:
    os.setsid()
    worker_main = importlib.import_module("worker_main")
    worker_main.die_with(zygote_pid)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    os.close(log_fd)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["code_dir"])
    sys.path.insert(0, request["code_dir"])
    status = 1
    try:
        worker_main.run_handler(request["handler"])
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    finally:
        # Never return into the zygote's own loop, whatever the handler's process ended with.
        sys.stdout.flush()
        os._exit(status)


def _report_exits(control: socket.socket, children: set[int]) -> None:
    while children:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        children.discard(pid)
        _send(control, {"exited": pid, "status": os.waitstatus_to_exitcode(status)})


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _end_all(children: set[int]) -> None:
    for pid in children:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    _here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not needed before a fork
    sys.path.append(_here)
    importlib.import_module("worker_main").die_with(int(sys.argv[2]))
    sys.path.remove(_here)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    preload()
    serve(socket.socket(fileno=int(sys.argv[1])))
