"""Lambda on the laptop: processes behind the Runtime API, with AWS's limits and errors."""

from __future__ import annotations

from infra.local.executor.executor import Executor, ExecutorSettings
from infra.local.executor.faults import Throttled
from infra.local.executor.spec import FunctionSpec, InvocationResult, Trouble

__all__ = ["Executor", "ExecutorSettings", "FunctionSpec", "InvocationResult", "Throttled", "Trouble"]
