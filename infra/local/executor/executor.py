"""Runs every function in its own processes, and answers as Lambda's Invoke does."""

from __future__ import annotations

import atexit
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakValueDictionary

from infra.local.executor import faults, function_log
from infra.local.executor.function_log import FunctionLog
from infra.local.executor.launch import ForkLauncher, Launcher, SubprocessLauncher
from infra.local.executor.pool import Pool, Retired
from infra.local.executor.runtime_api import Invocation
from infra.local.executor.spec import FunctionSpec, InvocationResult, Trouble
from infra.local.executor.worker import INIT_LIMIT_S, Worker


@dataclass(frozen=True)
class ExecutorSettings:
    """Settings of an executor; the defaults suit two cores and 4 GB."""

    log_dir: Path
    endpoint_url: str | None = None
    fork: bool = sys.platform == "linux"
    concurrency_per_function: int = 6
    throttle_wait_s: float = 30.0


class Executor:
    """The functions of a laptop, with their sandboxes and counts of invocations."""

    def __init__(
        self, settings: ExecutorSettings, on_trouble: Callable[[Trouble], None] | None = None
    ) -> None:
        """Start the launcher, which takes a second to warm up while the template is deployed."""
        self._settings = settings
        self._on_trouble = on_trouble
        self._launcher: Launcher = ForkLauncher() if settings.fork else SubprocessLauncher()
        self._specs: dict[str, FunctionSpec] = {}
        self._pools: dict[str, Pool] = {}
        self._retired: list[Pool] = []
        self._logs: dict[str, FunctionLog] = {}
        self._specs_by_key: dict[str, FunctionSpec] = {}
        self._workers_by_key: WeakValueDictionary[str, Worker] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._closed = False
        self.invocations: Counter[str] = Counter()
        atexit.register(self.close)

    def register(self, spec: FunctionSpec) -> None:
        """Register a function, or replace its code and settings; the code stays where it is.

        Current calls end in their sandboxes; every later call gets a new one.
        """
        settings = self._settings
        cap = settings.concurrency_per_function
        if spec.reserved_concurrency is not None:
            cap = spec.reserved_concurrency
        if spec.debug_port is not None:
            cap = 1
        with self._lock:
            old = self._pools.get(spec.name)
            self._specs[spec.name] = spec
            self._logs.setdefault(spec.name, FunctionLog(settings.log_dir / f"{spec.short_name}.log"))
            self._pools[spec.name] = Pool(spec.name, cap, lambda: self._start_worker(spec))
            if old is not None:
                self._retired.append(old)
        if old is not None:
            old.retire()
        if spec.debug_port is not None:
            # A debugger cannot attach to a sandbox that only the first call would start.
            threading.Thread(target=self._start_early, args=(spec.name,), daemon=True).start()

    def forget(self, name: str) -> None:
        """Remove a function; current calls still end."""
        with self._lock:
            self._specs.pop(name, None)
            pool = self._pools.pop(name, None)
            if pool is not None:
                self._retired.append(pool)
        if pool is not None:
            pool.retire()

    @property
    def uploads_dir(self) -> Path:
        """The folder of code that was uploaded by Lambda's API."""
        return self._settings.log_dir.parent / "uploads"

    def functions(self) -> list[FunctionSpec]:
        """List the registered functions."""
        with self._lock:
            return list(self._specs.values())

    def spec(self, name: str) -> FunctionSpec:
        """Return the spec of a function; raise UnknownFunction if there is none."""
        try:
            return self._specs[name]
        except KeyError:
            raise faults.UnknownFunction(name) from None

    def has(self, name: str) -> bool:
        """Return whether there is a function of this name."""
        return name in self._specs

    def short_name_of(self, access_key: str) -> str | None:
        """Return the short name of the function whose process holds an access key, or None."""
        spec = self._specs_by_key.get(access_key)
        return None if spec is None else spec.short_name

    def function_of(self, access_key: str) -> FunctionSpec | None:
        """Return the function whose process holds an access key, or None."""
        return self._specs_by_key.get(access_key)

    def pid_of(self, access_key: str) -> int | None:
        """Return the id of the living process that holds an access key, or None."""
        worker = self._workers_by_key.get(access_key)
        return worker.process.pid if worker is not None and worker.alive else None

    def pids_of(self, short_name: str) -> list[int]:
        """List the process ids of a function, busy and idle."""
        workers = [
            (self._specs_by_key.get(key), worker) for key, worker in list(self._workers_by_key.items())
        ]
        return [
            one.process.pid for spec, one in workers if spec and spec.short_name == short_name and one.alive
        ]

    def invoke(self, name: str, payload: bytes, request_id: str | None = None) -> InvocationResult:
        """Run one event and return its result.

        A lack of sandboxes raises Throttled; every other failure is a result. A retried event has the request id of its
        first try.
        """
        pool, worker, is_new = self._acquire(name)
        spec = worker.spec
        invocation = Invocation(payload, spec.arn, spec.limit_s, request_id or str(uuid.uuid4()))
        healthy = False
        try:
            result, healthy = self._run(worker, invocation, is_new=is_new)
        finally:
            pool.release(worker, healthy=healthy)
        return result

    def run_apart(self, spec: FunctionSpec, payload: bytes) -> InvocationResult:
        """Run one event of an unregistered function in a sandbox of its own."""
        log = FunctionLog(self._settings.log_dir / f"{spec.short_name}.log")
        worker = Worker(spec, self._launcher, log, self._settings.endpoint_url)
        invocation = Invocation(payload, spec.arn, spec.limit_s)
        try:
            worker.wait_ready()
            if self._init_fault(worker, invocation) is None:
                worker.api.offer(invocation)
                self._await_answer(worker, invocation)
        finally:
            worker.kill()
        return InvocationResult(invocation.body, invocation.function_error, invocation.id)

    def close(self) -> None:
        """End every worker and the launcher; it is safe to call twice."""
        atexit.unregister(self.close)
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for pool in (*self._pools.values(), *self._retired):
            pool.close()
        self._launcher.close()

    def _acquire(self, name: str) -> tuple[Pool, Worker, bool]:
        while True:
            self.spec(name)
            with self._lock:
                pool = self._pools.get(name)
            if pool is None:
                continue
            try:
                return pool, *pool.acquire(self._settings.throttle_wait_s)
            except Retired:
                continue

    def _start_early(self, name: str) -> None:
        try:
            pool, worker, _ = self._acquire(name)
        except (faults.Throttled, faults.UnknownFunction):
            return  # the laptop ends, or the function was removed
        worker.wait_ready()
        pool.release(worker, healthy=worker.api.init_error is None)

    def _start_worker(self, spec: FunctionSpec) -> Worker:
        worker = Worker(spec, self._launcher, self._logs[spec.name], self._settings.endpoint_url)
        self._specs_by_key[worker.access_key] = spec
        self._workers_by_key[worker.access_key] = worker
        return worker

    def _run(self, worker: Worker, invocation: Invocation, *, is_new: bool) -> tuple[InvocationResult, bool]:
        spec = worker.spec
        log = self._logs[spec.name]
        self.invocations[spec.short_name] += 1
        init_ms = worker.wait_ready() if is_new else None
        log.append(function_log.start_line(invocation.id))
        started_s = time.perf_counter()
        what, healthy = self._init_fault(worker, invocation), False
        if what is None:
            worker.api.offer(invocation)
            what = self._await_answer(worker, invocation)
            healthy = what is None
        result = InvocationResult(
            payload=invocation.body,
            function_error=invocation.function_error,
            request_id=invocation.id,
            log_tail=worker.log.take_tail(),
            duration_ms=(time.perf_counter() - started_s) * 1000,
            init_ms=init_ms,
            max_memory_mb=worker.memory_mb(),
        )
        log.append(function_log.end_lines(spec, result))
        self._report(spec, what, result, log)
        return result, healthy

    def _init_fault(self, worker: Worker, invocation: Invocation) -> str | None:
        if worker.api.init_error is not None:
            invocation.answer(worker.api.init_error, "Unhandled")
            return "failed while starting"
        if not worker.api.ready.is_set():
            if worker.alive:
                invocation.answer(faults.init_timed_out(invocation.id, INIT_LIMIT_S), "Unhandled")
                return "did not start in time"
            invocation.answer(faults.exited(invocation.id, worker.process.status()), "Unhandled")
            return "ended while starting"
        return None

    def _await_answer(self, worker: Worker, invocation: Invocation) -> str | None:
        fault = worker.wait_done(invocation)
        if fault == "timeout":
            invocation.answer(faults.timed_out(invocation.id, worker.spec.timeout_s), "Unhandled")
            return "timed out"
        if fault == "memory":
            invocation.answer(faults.exited(invocation.id, -9), "Unhandled")
            return f"used more than its {worker.spec.memory_mb} MB"
        if fault == "exit":
            invocation.answer(faults.exited(invocation.id, worker.process.status()), "Unhandled")
            return "crashed"
        if len(invocation.body) > faults.MAX_RESPONSE_BYTES:
            invocation.body, invocation.function_error = faults.response_too_large(), "Unhandled"
        return None

    def _report(
        self, spec: FunctionSpec, what: str | None, result: InvocationResult, log: FunctionLog
    ) -> None:
        has_succeeded = what is None and result.function_error is None
        if self._on_trouble is None or has_succeeded or self._closed:
            return
        error_type, message = faults.describe(result.payload)
        self._on_trouble(
            Trouble(spec.short_name, what or "raised an error", f"{error_type}: {message}", log.path)
        )
