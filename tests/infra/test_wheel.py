"""The wheel is whole: installed into an empty environment, without a network, its SDK and its command work."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.source_tree import ROOT, tracked

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


@dataclass(frozen=True)
class Installed:
    """An environment of its own with the wheel in it, and a folder that holds what the wheel says it needs."""

    home: Path
    wheel: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        program = self.home / "bin" / command[0]
        return subprocess.run(
            [program, *command[1:]],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.home,
            env={"HOME": "/"},
        )

    @property
    def packages(self) -> Path:
        return next((self.home / "lib").glob("python*/site-packages"))

    def give(self, extra: str = "") -> None:
        """Link the distributions that the wheel's own metadata names, as an index would have brought them."""
        for name in self._needed(extra):
            found = distribution(name)
            for top in {Path(str(file)).parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
                target, link = Path(str(found.locate_file(top))), self.packages / top
                if target.exists() and not link.exists():
                    link.symlink_to(target)

    def _needed(self, extra: str) -> set[str]:
        metadata = next(name for name in zipfile.ZipFile(self.wheel).namelist() if name.endswith("/METADATA"))
        said = Parser().parsestr(zipfile.ZipFile(self.wheel).read(metadata).decode())
        ahead, seen = [*said.get_all("Requires-Dist", [])], set[str]()
        while ahead:
            one = Requirement(ahead.pop())
            if one.name in seen or (one.marker and not one.marker.evaluate({"extra": extra})):
                continue
            try:
                ahead += distribution(one.name).requires or []
            except PackageNotFoundError:
                continue  # an optional part of a dependency that this machine has not got either
            seen.add(one.name)
        return seen


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it of a copy of what git tracks, so that nothing left over is in it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for file in [
        *tracked("shared/stepward/*"),
        *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")),
    ]:
        if file.is_file():
            (source / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, source / file.relative_to(ROOT))
    words = [
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        ".",
    ]
    done = subprocess.run([*PIP, *words], check=False, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Iterator[Installed]:
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    words = [
        "--python",
        str(home / "bin" / "python"),
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        str(wheel),
    ]
    done = subprocess.run([*PIP, *words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    yield Installed(home, wheel)


def test_the_sdk_and_the_version_need_no_extra(installed: Installed) -> None:
    installed.give()
    sdk = "from stepward.sdk import Flow, Stepward, jsonata; Stepward('http://127.0.0.1:9', api_key='sw_x').close()"
    done = installed.run("python", "-I", "-W", "error", "-c", f"{sdk}; import stepward.toolkit")
    assert (done.returncode, done.stderr) == (0, "")
    done = installed.run("stepward", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "stepward 0.1.0\n", "")


@pytest.mark.parametrize("words", [[], ["agents", "ls"], ["--help"]])
def test_a_missing_extra_is_named_in_one_line(installed: Installed, words: list[str]) -> None:
    installed.give()
    done = installed.run("stepward", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stepward needs the module typer: pip install 'stepward[cli]'\n"


def test_with_its_extra_the_command_works(installed: Installed) -> None:
    installed.give()
    installed.give("cli")
    assert installed.run("stepward", "--version").stdout == "stepward 0.1.0\n"
    listed = installed.run("stepward", "init", "--list")
    assert (listed.returncode, "refund-approval" in listed.stdout) == (0, True), listed.stderr


def test_what_it_carries(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    assert {
        "stepward/py.typed",
        "stepward/templates/batch/workflow.yaml",
        "stepward/models/data/anthropic.json",
    } <= set(names)
    assert all(name.startswith(("stepward/", "stepward-")) for name in names)


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
