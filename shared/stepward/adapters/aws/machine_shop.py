"""Makes workflows' machines on Step Functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import error_code, translated
from stepward.domain.errors import InvalidRequest

_NO_MACHINE: Final = frozenset({"InvalidDefinition", "ValidationException", "InvalidName"})


@dataclass(frozen=True)
class StepFunctionsShop:
    """`prefix` is how the ARNs of all such machines begin; all run in one role and log to one group."""

    prefix: str
    role_arn: str
    log_group_arn: str

    def make(self, name: str, text: str, tags: Mapping[str, str]) -> None:
        """Make a machine.

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
        """Take a machine away."""
        with translated(f"removing the machine {name}"):
            client("stepfunctions").delete_state_machine(stateMachineArn=self.prefix + name)

    def _name(self, name: str) -> str:
        return f"{self.prefix.rpartition(':')[2]}{name}"
