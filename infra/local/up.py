"""Keep a laptop running until Ctrl-C, and tell a person everything that they need to use it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import stopping
from infra.local.deployer.catalog import NO_OPS
from infra.local.executor import Trouble
from infra.local.faults import UnusableOption
from infra.local.gateway import PortInUse
from infra.local.laptop import Laptop, LaptopOptions, read_laptop_file
from infra.local.library import load_support
from infra.local.reload import Reloader, requests
from infra.local.synthesis import ROOT

STATE_DIR = ROOT / ".stepward"
_DEPLOY_LIMIT_S = 120.0
PORT_IN_USE = 2
"""The exit status that tells scripts to choose another port."""


class LaptopFile:
    """The file by which the CLI finds a running laptop; it exists as long as the laptop."""

    def __init__(self, state_dir: Path) -> None:
        """Take the folder."""
        self._file = state_dir / "laptop.json"

    def write(self, laptop: Laptop) -> None:
        """Write it whole or not at all, for this user's eyes: it holds the key."""
        content = _facts(laptop)
        draft = self._file.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        draft.replace(self._file)

    def remove(self) -> None:
        """Remove it, unless another laptop has written its own since."""
        content = read_laptop_file(self._file.parent)
        if content is not None and content.get("pid") == os.getpid():
            self._file.unlink()


def up(options: LaptopOptions, *, as_json: bool = False) -> int:
    """Start, tell, wait for a signal, end; as JSON, one object on stdout and nothing else."""
    started_s = time.monotonic()
    check(options)
    say = partial(_say, as_json=as_json)
    laptop = Laptop(options, lambda trouble: _tell(trouble, as_json=as_json), say)
    file = LaptopFile(options.state_dir or STATE_DIR)
    try:
        with laptop:
            _tell_restored(laptop, say)
            if laptop.debug_port is not None:
                say(
                    f"Debugger  {options.debug_function} waits for one on 127.0.0.1:{laptop.debug_port} (debugpy attach)"
                )
            agent = load_support(laptop)
            file.write(laptop)
            if as_json:
                print(json.dumps(_summary(laptop, agent)), flush=True)
            else:
                _print_summary(laptop, agent, time.monotonic() - started_s)
            with Reloader(laptop, ROOT, say):
                stopping.wait_for_signal()
    except PortInUse as error:
        if (status := _deployed_to_running(error.port, options, say)) is not None:
            return status
        sys.stderr.write(_port_message(error.port, options) + "\n")
        return PORT_IN_USE
    except KeyboardInterrupt:
        _say("\nStopped; every process has ended." + _left(laptop), as_json=as_json)
    finally:
        file.remove()
    return 0


def _deployed_to_running(port: int, options: LaptopOptions, say: Callable[[str], None]) -> int | None:
    """Let the laptop that holds the port apply what differs; None if it is not ours."""
    folder = options.state_dir or STATE_DIR
    running = read_laptop_file(folder)
    if running is None or not running["url"].endswith(f":{port}") or not _runs(running["pid"]):
        return None
    say(f"A laptop runs at {running['url']} (process {running['pid']}): it deploys what has changed …")
    if (answer := requests.ask(folder, _DEPLOY_LIMIT_S)) is None:
        return None
    is_well, lines = answer
    say("\n".join(lines) or "Nothing has changed.")
    return 0 if is_well else 1


def _tell_restored(laptop: Laptop, say: Callable[[str], None]) -> None:
    if laptop.keeper is None:
        return
    restored, folder = laptop.keeper.restored, laptop.options.data_dir
    kinds = {
        "item": "items",
        "object": "objects",
        "message": "messages",
        "machine": "machines of workflows",
        "schedule": "schedules",
    }
    counted = ", ".join(f"{restored.number[kind]} {kinds[kind]}" for kind in kinds)
    say(f"Data      {counted} came back from {folder}; every write is kept there.")
    if restored.executions:
        say(f"Runs      {len(restored.executions)} go on where they were: {', '.join(restored.executions)}")
    if restored.lost:
        say(
            f"! the template no longer has {', '.join(restored.lost)}: what they held stays in {folder}, unused."
        )


def _left(laptop: Laptop) -> str:
    keeper = laptop.keeper
    if keeper is None or not keeper.under_way:
        return ""
    names = ", ".join(keeper.under_way)
    return f"\n{len(keeper.under_way)} runs were under way and go on when `up` uses this data again: {names}"


def check(options: LaptopOptions) -> None:
    """Refuse what cannot be, in one line and before anything has been started."""
    if options.port == options.aws_port != 0:
        raise UnusableOption(
            f"--port and --aws-port cannot both be {options.port}; leave one out or change it."
        )
    state_dir = options.state_dir or STATE_DIR
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state_dir):
            pass
    except OSError as error:
        raise UnusableOption(
            f"--state-dir {state_dir} cannot be written to ({error.strerror}); name another folder."
        ) from None


def _facts(laptop: Laptop) -> dict[str, Any]:
    return {
        "url": laptop.url,
        "api_key": laptop.api_key,
        "tenant": laptop.options.tenant,
        "endpoint": laptop.endpoint,
        "identity_table": laptop.physical_id("AWS::DynamoDB::Table", "-identity"),
        "registry_table": laptop.physical_id("AWS::DynamoDB::Table", "-registry"),
        "pid": os.getpid(),
        "log_dir": str(laptop.log_dir),
    }


def _summary(laptop: Laptop, agent: str) -> dict[str, Any]:
    deployment = laptop.deployment
    return {
        **_facts(laptop),
        "agent": agent,
        "resources": dict(sorted(Counter(kind for _, kind, _ in deployment.resources).items())),
        "left_out": dict(sorted(Counter(kind for kind, _ in deployment.no_ops).items())),
    }


def _print_summary(laptop: Laptop, agent: str, took_s: float) -> None:
    deployment = laptop.deployment
    stacks = {stack for stack, _, _ in deployment.resources}
    print(f"Deployed {len(deployment.resources)} resources of {len(stacks)} stacks in {took_s:.1f} s:")
    kinds = Counter(kind for _, kind, _ in deployment.resources)
    for kind, number in sorted(kinds.items()):
        print(f"  {number:3}  {kind}")
    print("Left out on purpose:")
    for kind, number in sorted(Counter(kind for kind, _ in deployment.no_ops).items()):
        print(f"  {number:3}  {kind}: {NO_OPS[kind]}")
    print(_next_steps(laptop, agent), flush=True)


def _next_steps(laptop: Laptop, agent: str) -> str:
    return f"""
HTTP API   {laptop.url}
API key    {laptop.api_key}   (tenant {laptop.options.tenant})
AWS        {laptop.endpoint}   (moto: tables, buckets, executions)
Models     {_models_line(laptop.options)}
Logs       {laptop.log_dir}/<function>.log
Docs       {laptop.url}/docs/

Type in another terminal:
{_state_line(laptop.options)}  stepward run {agent} --input '{{"ticket_id": "T-1001"}}'
  stepward agents ls
  curl -H 'Authorization: Bearer {laptop.api_key}' {laptop.url}/runs

Ctrl-C ends it."""


def _models_line(options: LaptopOptions) -> str:
    """Tell whose models can be called; which keys there are is no secret, what they are is."""
    if not options.provider_keys:
        return (
            "rehearsed only: no key is set (ANTHROPIC_API_KEY or OPENAI_API_KEY, or `stepward providers set`)"
        )
    return f"keys of {', '.join(sorted(options.provider_keys))} from the environment, until it ends"


def _state_line(options: LaptopOptions) -> str:
    """Return the line by which commands find a laptop whose state lies elsewhere."""
    if options.state_dir is None or options.state_dir.resolve() == STATE_DIR.resolve():
        return ""
    return f"  export STEPWARD_STATE_DIR={shlex.quote(str(options.state_dir.resolve()))}\n"


def _port_message(port: int, options: LaptopOptions) -> str:
    running = read_laptop_file(options.state_dir or STATE_DIR)
    if running is not None and running["url"].endswith(f":{port}") and _runs(running["pid"]):
        return (
            f"Port {port} is in use: a laptop already runs there (process {running['pid']}). "
            f"Use it, stop it with Ctrl-C in its terminal, or start another with --port {port + 1}."
        )
    option = "--aws-port" if port == options.aws_port else "--port"
    return f"Port {port} is in use by another program. Choose another one, for example: {option} {port + 1}"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _tell(trouble: Trouble, *, as_json: bool) -> None:
    if not stopping.is_under_way():
        _say(f"! {trouble}", as_json=as_json)


def _say(text: str, *, as_json: bool) -> None:
    print(text, file=sys.stderr if as_json else sys.stdout, flush=True)
