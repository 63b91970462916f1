"""`python -m docs.generator` writes the reference and builds all pages, without a network."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.generator import maps, reference

SOURCES: Final = Path(__file__).resolve().parents[1]
BUILD: Final = SOURCES.parents[1] / ".build"
SHOWN: Final = ("*.md", "*.svg", "*.css")
_LOADED: Final = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preconnect|preload|icon))[^>]*\bhref=["']?(?:https?:)?//[^"'\s>]+""",
    re.IGNORECASE,
)
_ASKED_BY_STYLE: Final = re.compile(r"""(?:@import\s+|url\()["']?(?:https?:)?//[^"')\s]+""", re.IGNORECASE)


def build(sources: Path, out: Path, tool: Path) -> int:
    """Build the pages of a folder.

    A link that leads nowhere, or a page that asks another host, fails it.

    Args:
        sources: The folder with the pages and `zensical.toml`.
        out: Where the site goes; what was there is replaced if the build holds.
        tool: The program that builds.

    Returns:
        0, or the exit code of what failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shutil.copyfile(sources / "zensical.toml", work / "zensical.toml")
        for file in (file for form in SHOWN for file in sources.rglob(form)):
            copy = work / "pages" / file.relative_to(sources)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        environment = {"PATH": "/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"}
        built = subprocess.run([tool, "build", "--strict"], cwd=work, env=environment, check=False)  # noqa: S603
        if built.returncode:
            return built.returncode
        asking = list(requests_elsewhere(work / "site"))
        sys.stderr.writelines(f"{line}\n" for line in asking)
        if not asking:
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(work / "site", out)
        return 1 if asking else 0


def requests_elsewhere(site: Path) -> Iterator[str]:
    """Name what pages and styles would load from another host."""
    for pattern, form in (("*.html", _LOADED), ("*.css", _ASKED_BY_STYLE)):
        for file in sorted(site.rglob(pattern)):
            for found in form.findall(file.read_text(encoding="utf-8")):
                yield f"{file.relative_to(site)}: asks another host: {found}"


def main() -> int:
    """Write, build, say where it is."""
    parser = argparse.ArgumentParser(prog="python -m docs.generator", description="Build the documentation.")
    parser.add_argument("--out", type=Path, default=BUILD / "docs", help="where the site goes")
    parser.add_argument(
        "--tool", type=Path, default=BUILD / "docs-tools" / "bin" / "zensical", help="the program that builds"
    )
    options = parser.parse_args()
    reference.write()
    maps.write()
    code = build(SOURCES, options.out, options.tool)
    if code == 0:
        sys.stdout.write(f"The pages are in {options.out / 'index.html'}\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
