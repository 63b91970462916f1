"""What describes a function to the executor, and the results of its invocations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.local import account

_A_YEAR_S = 366 * 86_400.0


@dataclass(frozen=True)
class FunctionSpec:
    """One Lambda function of the template; its code stays where the assembly has it."""

    name: str
    handler: str
    code_dir: Path
    timeout_s: float = 3.0
    memory_mb: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    runtime: str = "python3.13"
    debug_port: int | None = None
    """The port of a debugger; such a function has one sandbox, and no limit of time or memory."""
    role_arn: str = ""

    @property
    def arn(self) -> str:
        """The ARN that the handler sees as `invoked_function_arn`."""
        return account.function_arn(self.name)

    @property
    def limit_s(self) -> float:
        """How long an invocation may take; a function with a debugger is not limited."""
        return self.timeout_s if self.debug_port is None else _A_YEAR_S

    @property
    def short_name(self) -> str:
        """The name of the function's folder, used in log files and messages."""
        return self.environment.get("POWERTOOLS_SERVICE_NAME") or self.name


@dataclass(frozen=True)
class InvocationResult:
    """The response of Lambda's Invoke, and what the log needs besides."""

    payload: bytes
    function_error: str | None
    request_id: str
    log_tail: str = ""
    duration_ms: float = 0.0
    init_ms: float | None = None
    max_memory_mb: int = 0


@dataclass(frozen=True)
class Trouble:
    """A failure that is shown as one line on the console."""

    function: str
    what: str
    detail: str
    log_file: Path

    def __str__(self) -> str:
        """Return the function, what happened and the log file, in one line."""
        return f"{self.function}: {self.what}: {self.detail} (see {self.log_file})"
