"""What every checker answers with, so that one report can hold all of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class CheckerBrokenError(Exception):
    """A checker gave no answer; that must never pass for an answer without findings."""


@dataclass(frozen=True)
class Finding:
    """One thing that a checker holds to be wrong, and where."""

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.message}"


@dataclass(frozen=True)
class Report:
    """A checker's findings and what it looked at.

    A checker that looked at nothing finds nothing.
    """

    checker: str
    looked_at: str
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        verdict = f"{len(self.findings)} findings" if self.findings else "clean"
        return "\n".join([f"{self.checker}: {self.looked_at}: {verdict}", *(f"  {f}" for f in self.findings)])


@dataclass(frozen=True)
class Bench:
    """Where the checkers are installed, apart from the environment of the product."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter that has cfn-lint and checkov."""
        return self.folder / "venv" / "bin" / "python"

    def tool(self, name: str) -> Path:
        """A command that came with a Python package."""
        return self.folder / "venv" / "bin" / name

    @property
    def node_folder(self) -> Path:
        """Where the packages for node are."""
        return self.folder / "node"

    @property
    def asl_validator(self) -> Path:
        """The script of the validator of state machines."""
        return self.node_folder / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js"

    def environment(self) -> dict[str, str]:
        """Return an environment without the accounts, keys and settings of the caller's shell."""
        return {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
