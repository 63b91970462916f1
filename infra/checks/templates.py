"""cfn-lint and checkov over the templates of an assembly, both without a network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.checks.findings import Bench, CheckerBrokenError, Finding, Report
from infra.idle_costs import templates_of

LONGEST_CHECK_S = 300


def cfn_lint(bench: Bench, assembly: Path) -> Report:
    """Check types, properties and references against CloudFormation's schemas; warnings count."""
    files = _template_files(assembly)
    found = _answer(bench, "cfn-lint", ["--format", "json", *files])
    findings = [
        Finding(
            match["Rule"]["Id"],
            f"{Path(match['Filename']).name}:{'/'.join(str(part) for part in match['Location']['Path'] or [])}",
            match["Message"],
        )
        for match in found
    ]
    return Report("cfn-lint", f"{len(files)} templates", tuple(findings))


def checkov(bench: Bench, assembly: Path) -> Report:
    """Check against checkov's rules; suppressions are in the templates with their reasons."""
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    files = _template_files(assembly)
    report = _answer(bench, "checkov", [*options, "--file", *files])
    if isinstance(report, list) or "results" not in report or report["summary"]["parsing_errors"]:
        raise CheckerBrokenError(f"checkov could not read the templates: {json.dumps(report)[:2000]}")
    findings = [
        Finding(
            failed["check_id"], f"{Path(failed['file_path']).name}:{failed['resource']}", failed["check_name"]
        )
        for failed in report["results"]["failed_checks"]
    ]
    summary = report["summary"]
    looked_at = f"{summary['passed']} passed, {summary['skipped']} skipped with a reason"
    return Report("checkov", looked_at, tuple(findings))


def _template_files(assembly: Path) -> list[str]:
    files = [str(file) for _, file in templates_of(assembly)]
    if not files:
        raise CheckerBrokenError(f"{assembly} holds no template")
    return files


def _answer(bench: Bench, tool: str, arguments: Sequence[str]) -> Any:
    """Run a tool in its own folder, where it finds no configuration, and read what it prints."""
    done = subprocess.run(  # noqa: S603
        [bench.tool(tool), *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=bench.folder,
        env=bench.environment(),
        timeout=LONGEST_CHECK_S,
    )
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise CheckerBrokenError(
            f"{tool} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        ) from error
