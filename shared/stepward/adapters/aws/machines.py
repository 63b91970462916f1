"""State machines on Step Functions: that of agents' runs, and those of workflows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.adapters.aws.items import run_pk
from stepward.domain.chunks import Chunk
from stepward.domain.errors import Bug, InvalidRequest, MachineMissing
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunKey
from stepward.domain.task_records import WorkflowHead

_GONE: Final = ("StateMachineDoesNotExist", "StateMachineDeleting")
_OVER: Final = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class _NoMachine(Exception):
    """The state machine of a call does not exist, or is being deleted."""


def _call(
    method: str, request: dict[str, str], doing: str, *accepted: str, gone: tuple[str, ...] = ()
) -> dict[str, Any] | None:
    """Call Step Functions; None for the `accepted` error codes.

    Raises:
        _NoMachine: The error code is one of `gone`.
    """
    with translated(doing):
        try:
            found: dict[str, Any] = getattr(client("stepfunctions"), method)(**request)
        except ClientError as error:
            if error_code(error) in gone:
                raise _NoMachine from error
            if error_code(error) not in accepted:
                raise
            return None
    return found


@dataclass(frozen=True)
class StepFunctionsMachine:
    """Starts and stops executions of one state machine."""

    arn: str

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start an execution.

        time →   start ─ ✗ answer lost ─ start again ─ ExecutionAlreadyExists: it runs, which is what was asked for
        """
        payload = json.dumps({"v": 1, "tenant": key.tenant, "run": key.run})
        request = {"stateMachineArn": self.arn, "name": execution_name, "input": payload}
        _call("start_execution", request, f"starting {execution_name}", "ExecutionAlreadyExists")

    def is_running(self, execution_name: str) -> bool:
        """Return whether an execution runs; one that never began does not."""
        request = {"executionArn": self._execution(execution_name)}
        found = _call("describe_execution", request, f"looking at {execution_name}", "ExecutionDoesNotExist")
        return found is not None and found["status"] == "RUNNING"

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """Stop an execution; one that never began or is over is no error."""
        request = {"executionArn": self._execution(execution_name), "error": error, "cause": cause[:1_000]}
        _call("stop_execution", request, f"stopping {execution_name}", "ExecutionDoesNotExist")

    def answer(self, token: str) -> bool:
        """Answer a wait; a token that is no longer valid is no error.

        That is one that was used, has timed out or belongs to a stopped execution.
        """
        request = {"taskToken": token, "output": "{}"}
        return _call("send_task_success", request, "answering a wait", *_OVER) is not None

    def _execution(self, name: str) -> str:
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"


@dataclass(frozen=True)
class PublishRequests:
    """Requests state machines from the function that makes them, without waiting.

    Lambda tries a request that fails twice more, minutes apart.
    """

    function: str

    def publish(self, tenant: str, workflow: str, version: str) -> None:
        """Request the state machine of a version."""
        self._send({"tenant": tenant, "workflow": workflow, "version": version}, f"{workflow} {version}")

    def discard(self, machine: str) -> None:
        """Request the removal of a state machine."""
        self._send({"discard": machine}, machine)

    def _send(self, request: dict[str, str], what: str) -> None:
        with translated(f"ordering {what}"):
            client("lambda").invoke(
                FunctionName=self.function, InvocationType="Event", Payload=json.dumps(request)
            )


@dataclass(frozen=True)
class StepFunctionsWorkflows:
    """Starts, stops and answers executions of workflows' state machines.

    `prefix` is how the ARNs of all such machines begin. `publishing` reaches the one function that makes machines, in
    functions that start them.
    """

    prefix: str
    publishing: PublishRequests | None = None

    def start(
        self, head: WorkflowHead, chunk: Chunk | None = None, *, undoing: Compensation | None = None
    ) -> None:
        """Start an execution of a version's state machine.

        Chunks and compensations run on the same machine, whose first state branches by its input.

        time →   start ─ ✗ answer lost ─ start again ─ ExecutionAlreadyExists: it runs, which is what was asked for
        """
        given = {
            "v": 1,
            "tenant": head.tenant,
            "run": head.run,
            "workflow": head.workflow,
            "version": head.version,
            "pk": run_pk(head.key),
            **({"chunk": chunk.model_dump()} if chunk else {}),
            **({"undo": undoing.model_dump()} if undoing else {}),
        }
        part = chunk or undoing
        name = _name(head, part.name if part else None)
        request = {
            "stateMachineArn": self.prefix + head.machine,
            "name": name,
            "input": json.dumps(given),
        }
        try:
            _call("start_execution", request, f"starting {name}", "ExecutionAlreadyExists", gone=_GONE)
        except _NoMachine as error:
            self.request_publish(head.tenant, head.workflow, head.version)
            raise MachineMissing(
                f"the state machine of {head.workflow} {head.version} was deleted and is being made again."
            ) from error

    def is_made(self, machine: str) -> bool:
        """Return whether a version's state machine exists and is not being deleted."""
        try:
            request = {"stateMachineArn": self.prefix + machine}
            found = _call("describe_state_machine", request, f"looking at {machine}", gone=_GONE)
        except _NoMachine:
            return False
        return found is not None and found["status"] == "ACTIVE"

    def request_publish(self, tenant: str, workflow: str, version: str) -> None:
        """Request a state machine from the function that makes them, without waiting for it."""
        if self.publishing is None:
            raise Bug(f"this function may not request the machine of {workflow} {version}")
        self.publishing.publish(tenant, workflow, version)

    def stop(self, head: WorkflowHead, error: str, cause: str, chunk: str | None = None) -> None:
        """Stop an execution; one that never began or is over is no error."""
        request = {"executionArn": self._execution(head, chunk), "error": error, "cause": cause[:1_000]}
        _call("stop_execution", request, f"stopping {_name(head, chunk)}", "ExecutionDoesNotExist")

    def execution_status(
        self, head: WorkflowHead, chunk: Chunk | None = None
    ) -> Literal["running", "over", "never began"]:
        """Return the status of an execution."""
        name = chunk.name if chunk else None
        request = {"executionArn": self._execution(head, name)}
        doing = f"looking at {_name(head, name)}"
        found = _call("describe_execution", request, doing, "ExecutionDoesNotExist")
        if found is None:
            return "never began"
        return "running" if found["status"] == "RUNNING" else "over"

    def answer(self, token: str) -> bool:
        """Answer a wait; a token that is no longer valid is no error.

        That is one that was used, has timed out or belongs to a stopped execution.
        """
        request = {"taskToken": token, "output": "{}"}
        return _call("send_task_success", request, "answering a task", *_OVER) is not None

    def refuse(self, token: str, error: str, cause: str) -> bool:
        """End a wait with an error."""
        request = {"taskToken": token, "error": error, "cause": cause[:1_000]}
        return _call("send_task_failure", request, "failing a task", *_OVER) is not None

    def _execution(self, head: WorkflowHead, chunk: str | None) -> str:
        machines = self.prefix.replace(":stateMachine:", ":execution:")
        return f"{machines}{head.machine}:{_name(head, chunk)}"


def _name(head: WorkflowHead, chunk: str | None) -> str:
    return f"{head.execution_name}.{chunk}" if chunk else head.execution_name


_NO_MACHINE: Final = frozenset({"InvalidDefinition", "ValidationException", "InvalidName"})


@dataclass(frozen=True)
class StepFunctionsAdmin:
    """Makes and removes state machines of workflows.

    `prefix` is how the ARNs of all such machines begin; all run in one role and log to one group.
    """

    prefix: str
    role_arn: str
    log_group_arn: str

    def make(self, name: str, text: str, tags: Mapping[str, str]) -> None:
        """Make a state machine.

        time →   make ─ ✗ answer lost ─ again: it exists with the same text, which is the same call to Step Functions
        """
        logs: dict[str, Any] = {
            "level": "ERROR",
            "includeExecutionData": False,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": self.log_group_arn}}],
        }
        with translated(f"making the machine {name}"):
            try:
                client("stepfunctions").create_state_machine(
                    name=self._name(name),
                    definition=text,
                    roleArn=self.role_arn,
                    type="STANDARD",
                    loggingConfiguration=logs,
                    tracingConfiguration={"enabled": True},
                    tags=[{"key": key, "value": value} for key, value in tags.items()],
                )
            except ClientError as error:
                if error_code(error) == "StateMachineAlreadyExists":
                    return
                if error_code(error) in _NO_MACHINE:
                    detail = error.response["Error"].get("Message", "")
                    raise InvalidRequest(f"Step Functions refuses the machine: {detail}") from error
                raise

    def remove(self, name: str) -> None:
        """Remove a state machine."""
        with translated(f"removing the machine {name}"):
            client("stepfunctions").delete_state_machine(stateMachineArn=self.prefix + name)

    def _name(self, name: str) -> str:
        return f"{self.prefix.rpartition(':')[2]}{name}"
