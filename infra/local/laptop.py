"""One laptop: the stack of the template, running, from `with` to the end of it."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.local import engine, provider_keys
from infra.local.cloud import Cloud
from infra.local.deployer import Assembly, Deployment, deploy
from infra.local.deployer.resource import HttpApiParts, Target
from infra.local.engine.dynamodb import actions
from infra.local.engine.lambda_ import callers, functions
from infra.local.executor import Executor, ExecutorSettings, FunctionSpec, Trouble
from infra.local.executor.function_log import FunctionLog
from infra.local.faults import LaptopError
from infra.local.gateway import DocsSite, GatewayServer, HttpApi
from infra.local.gateway.websocket_management import management_of
from infra.local.iam import Roles, principals_of
from infra.local.meter import Meter
from infra.local.operating import STAGE, keep_webhook_key, operate
from infra.local.state import Keeper
from infra.local.synthesis import Synthesis
from infra.local.triggers import Triggers
from infra.local.triggers.status_events import changed_stacks


@dataclass(frozen=True)
class LaptopOptions:
    """What a caller may choose; the defaults suit tests.

    By default: free ports and a temporary folder.
    """

    port: int = 0
    aws_port: int = 0
    tenant: str = "acme"
    principal: str = "laptop"
    state_dir: Path | None = None
    data_dir: Path | None = None
    """Where tables, objects, messages and running executions are kept; without it they go with the process."""

    debug_function: str | None = None
    """The function to which a debugger can attach."""

    assembly: Path | None = None
    issues_key: bool = True
    fork: bool = sys.platform == "linux"
    concurrency_per_function: int = 6
    throttle_wait_s: float = 30.0
    settings: tuple[str, ...] = ()
    """`field=value` pairs that replace the stage's settings, as `infra.app --set` takes them."""

    provider_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Keys for all tenants, by provider; they go with the laptop."""


class Laptop:
    """Synthesise, start an AWS, deploy to it, open the door; leave nothing behind."""

    deployment: Deployment
    _api: HttpApi
    _parts: HttpApiParts

    def __init__(
        self,
        options: LaptopOptions | None = None,
        on_trouble: Callable[[Trouble], None] | None = None,
        on_notice: Callable[[str], None] = print,
    ) -> None:
        """Take the options; nothing runs before `with`."""
        self.options = options or LaptopOptions()
        self._on_trouble = on_trouble
        self._on_notice = on_notice
        self.keeper: Keeper | None = None
        self.debug_port: int | None = None
        self._exit = ExitStack()
        self._updating = threading.Lock()

    def __enter__(self) -> Self:
        """Start everything; what was started is ended again if a later part fails."""
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, the newest first."""
        self._exit.close()

    @property
    def endpoint(self) -> str:
        """Where this laptop's AWS answers."""
        return self._cloud.endpoint

    @property
    def log_dir(self) -> Path:
        """Where every function's log file is."""
        return self.state_dir / "logs"

    def client(self, service: str) -> Any:
        """Give a boto3 client of this laptop's AWS."""
        return self._cloud.client(service)

    def environment(self) -> dict[str, str]:
        """Give the variables that lead another process's AWS clients here."""
        return self._cloud.environment()

    def physical_id(self, resource_type: str, ending: str = "") -> str:
        """Find the one resource of a type whose physical id ends so."""
        found = [name for name in self.deployment.physical_ids(resource_type) if name.endswith(ending)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources of type {resource_type} end in {ending!r}: {found}")
        return found[0]

    def history(self, execution: str) -> list[dict[str, Any]]:
        """Read an execution's events, by its ARN or its name."""
        arn = execution if execution.startswith("arn:") else self.execution_arn(execution)
        events: list[dict[str, Any]] = self.client("stepfunctions").get_execution_history(executionArn=arn)[
            "events"
        ]
        return events

    def execution_arn(self, name: str) -> str:
        """Return the ARN of an execution of the one state machine."""
        machine = self.physical_id("AWS::StepFunctions::StateMachine")
        return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"

    @property
    def executor(self) -> Executor:
        """What runs the functions."""
        return self._executor

    def synthesis(self) -> Synthesis:
        """Start to write the assembly of the sources as they are now."""
        return Synthesis(STAGE, self.state_dir / "cdk.out", self.options.settings)

    def update(self, assembly: Path) -> list[str]:
        """Apply a changed assembly while everything runs on; give a line a change."""
        read = Assembly(assembly)
        with self._updating:
            before = self.deployment
            try:
                self.deployment = deploy(read, self._target(read), before)
            finally:
                self._api.read(self._parts)
        self._stack_events.deployed(changed_stacks(before, self.deployment), "UPDATE_COMPLETE")
        return self.deployment.changes

    def code_renewed(self) -> None:
        """Report new code of the functions, as a deployment would, though no template has changed."""
        stacks = [stack for stack in self.deployment.outputs if stack.endswith("-functions")]
        self._stack_events.deployed(stacks, "UPDATE_COMPLETE")

    def issue_key(self, tenant: str, principal: str) -> str:
        """Make a further API key, in a process of its own as an operator would."""
        said = self.operate("issue_key", "--tenant", tenant, "--principal", principal)
        return said.splitlines()[-1]

    def operate(self, command: str, *words: str) -> str:
        """Run an operator's command, `stepward.runtime.<command>`, and return what it printed."""
        return operate(self, command, words)

    def _start(self) -> None:
        options = self.options
        self.state_dir = options.state_dir or Path(self._exit.enter_context(tempfile.TemporaryDirectory()))
        self.log_dir.mkdir(parents=True, exist_ok=True)
        if options.data_dir is not None:
            self.keeper = Keeper(options.data_dir, self._on_notice)
            self._exit.callback(self.keeper.close)
        # The ports first: one that is in use is to be told before seconds have been spent.
        http_log = FunctionLog(self.log_dir / "http-api.log")
        self._gateway = GatewayServer(options.port, http_log.append, DocsSite())
        self._exit.callback(self._gateway.close)
        self.url = self._gateway.url
        synth = self.synthesis() if options.assembly is None else None
        if synth is not None:
            self._exit.callback(synth.end)
        self._cloud = Cloud(options.aws_port, self.keeper.after_requests if self.keeper else None)
        self._exit.callback(self._cloud.close)
        self._executor = self._start_executor()
        threading.Thread(target=engine.warm_up, daemon=True, name="warm-up").start()
        assembly = options.assembly or (synth.wait() if synth else Path())
        self._deploy(Assembly(assembly))
        provider_keys.put(self, options.provider_keys)
        self.api_key = self._first_key() if options.issues_key else ""
        if self.keeper is not None:
            keep_webhook_key(self, self.keeper)
            self.keeper.begin()
            self._exit.callback(self.keeper.close)

    def _first_key(self) -> str:
        """Return the API key that this laptop shows.

        A laptop that kept its data shows the same key as before.
        """
        tenant, principal = self.options.tenant, self.options.principal
        if self.keeper is None:
            return self.issue_key(tenant, principal)
        name = f"key of {principal} of {tenant}"
        key = self.keeper.note(name) or self.issue_key(tenant, principal)
        self.keeper.write_note(name, key)
        return key

    def _start_executor(self) -> Executor:
        settings = ExecutorSettings(
            log_dir=self.log_dir,
            endpoint_url=self._cloud.endpoint,
            fork=self.options.fork,
            concurrency_per_function=self.options.concurrency_per_function,
            throttle_wait_s=self.options.throttle_wait_s,
        )
        executor = Executor(settings, self._on_trouble)
        self._exit.callback(executor.close)
        functions.bind(executor)
        self._exit.callback(functions.bind, None)
        triggers = Triggers(self._cloud.client, executor)
        self._exit.callback(triggers.close)
        self.clock = triggers.clock
        self._stack_events = triggers.stack_events
        self.guard = self._cloud.guard
        self.guard.bind(principals_of(executor), Roles(self._deployed_roles))
        callers.bind_invocations(self.guard.may_invoke)
        self._exit.callback(callers.bind_invocations, None)
        self.meter = Meter(executor.short_name_of, lambda: Counter(executor.invocations))
        observer = self.meter.observe
        actions.observe(self.keeper.behind(observer) if self.keeper else observer)
        self._exit.callback(actions.observe, None)
        return executor

    def _deployed_roles(self) -> list[str]:
        return self.deployment.physical_ids("AWS::IAM::Role") if hasattr(self, "deployment") else []

    def _deploy(self, assembly: Assembly) -> None:
        self._parts = HttpApiParts()
        self.deployment = deploy(assembly, self._target(assembly))
        self._check_debug_function()
        if self.keeper is not None:
            self.keeper.restore()
        self._api = HttpApi(self._parts, self._executor)
        management = management_of(self._parts, self._executor, self.clock, self.guard)
        if management is not None:
            self._exit.callback(management.sockets.close)
        self._gateway.serve(self._api, management)
        self._stack_events.deployed(list(self.deployment.outputs), "CREATE_COMPLETE")

    def _target(self, assembly: Assembly) -> Target:
        forget = self._executor.forget
        return Target(self._cloud.client, assembly.asset, self._register, self._parts, self.url, forget)

    def _register(self, spec: FunctionSpec) -> None:
        if spec.short_name == self.options.debug_function:
            self.debug_port = self.debug_port or free_port()
            spec = replace(spec, debug_port=self.debug_port)
        self._executor.register(spec)

    def _check_debug_function(self) -> None:
        if self.options.debug_function is not None and self.debug_port is None:
            functions = ", ".join(sorted(spec.short_name for spec in self._executor.functions()))
            raise LaptopError(
                f"--debug {self.options.debug_function}: there is no such function. Functions: {functions}"
            )


def free_port() -> int:
    """Find a free loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def read_laptop_file(state_dir: Path) -> dict[str, Any] | None:
    """Read what a running laptop says of itself, if one runs in this folder."""
    file = state_dir / "laptop.json"
    if not file.is_file():
        return None
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
