"""Every state machine passes a validator of the Amazon States Language, in the text that would be deployed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra import bundled_node
from infra.checks.deployed import deployed_definitions
from infra.checks.findings import Bench, CheckerBrokenError, Finding, Report

LONGEST_CHECK_S = 60
_INVALID = re.compile(r"is invalid:\s*(.*)", re.DOTALL)


def asl_validator(bench: Bench, assembly: Path, expected: Iterable[str] = ()) -> Report:
    """Validate each machine, and report expected ones that are missing.

    Machines are expected by the end of their names.
    """
    definitions = deployed_definitions(assembly)
    findings = [
        Finding("NOT_DEPLOYED", name, "has a file, but no template deploys it")
        for name in expected
        if not any(deployed.endswith(f"-{name}") for deployed in definitions)
    ]
    for name, definition in definitions.items():
        findings += check_definition(bench, name, definition)
    return Report("asl-validator", f"{len(definitions)} state machines", tuple(findings))


def kept_machines(bench: Bench, folder: Path) -> Report:
    """Validate machines that stand in a folder: what workflows compile to."""
    files = sorted(folder.glob("*.asl.json"))
    findings = [one for file in files for one in check_definition(bench, file.stem, file.read_text("utf-8"))]
    if not files:
        findings.append(Finding("NO_MACHINES", str(folder), "holds none"))
    return Report("asl-validator", f"{len(files)} compiled workflows", tuple(findings))


def check_definition(bench: Bench, name: str, definition: str) -> list[Finding]:
    """Ask the validator about one definition, and look for what it is known to let pass."""
    try:
        document = json.loads(definition)
    except json.JSONDecodeError as error:
        return [Finding("NOT_JSON", name, str(error))]
    return [*_validated(bench, name, definition), *_let_pass(name, document)]


def _validated(bench: Bench, name: str, definition: str) -> list[Finding]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.asl.json"
        file.write_text(definition, encoding="utf-8")
        done = subprocess.run(  # noqa: S603
            [_node(), bench.asl_validator, "--json-path", file],
            check=False,
            capture_output=True,
            text=True,
            env=bench.environment(),
            timeout=LONGEST_CHECK_S,
        )
    if done.returncode == 0 and "is valid" in done.stdout:
        return []
    invalid = _INVALID.search(done.stderr)
    if invalid is None:
        raise CheckerBrokenError(f"asl-validator ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return [_finding(name, line) for line in invalid[1].splitlines() if line.strip()]


def _finding(name: str, line: str) -> Finding:
    rule, _, message = line.strip().partition(": ")
    return Finding(rule, name, message)


def _node() -> Path:
    node = bundled_node()
    if node is None:
        raise CheckerBrokenError("the environment has no node; `make setup` installs the pinned one")
    return node


def _let_pass(name: str, document: Any) -> Iterator[Finding]:
    """Ignore two rules that this validator breaks and Step Functions keeps."""
    for state, body in _states(document):
        for field in ("Retry", "Catch"):
            for entry in _misplaced_all(body.get(field, [])):
                message = f"{state}/{field}: States.ALL must stand alone and last, not in {json.dumps(entry)}"
                yield Finding("CATCH_ALL_NOT_LAST", name, message)
        heartbeat, timeout = body.get("HeartbeatSeconds"), body.get("TimeoutSeconds")
        if isinstance(heartbeat, int) and isinstance(timeout, int) and heartbeat >= timeout:
            yield Finding(
                "HEARTBEAT_TOO_LONG", name, f"{state}: {heartbeat} s is not shorter than {timeout} s"
            )


def _misplaced_all(entries: list[dict[str, Any]]) -> Iterator[list[str]]:
    for number, entry in enumerate(entries, start=1):
        errors = entry.get("ErrorEquals", [])
        if "States.ALL" in errors and (len(errors) > 1 or number < len(entries)):
            yield errors


def _states(machine: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Iterate over all states, those inside a Map or a Parallel too."""
    for name, body in (machine.get("States", {}) if isinstance(machine, dict) else {}).items():
        yield name, body
        for inner in [body.get("ItemProcessor"), *body.get("Branches", [])]:
            yield from _states(inner)
