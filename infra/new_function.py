"""Make a function that runs: `make new-function NAME=order_export`. One folder, and nothing to edit elsewhere."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

_MANIFEST = """\
purpose = "{purpose}"
memory_mb = 256
timeout_s = 15
routes = ["GET /{path}"]
packages = ["aws-lambda-powertools", "boto3", "pydantic", "python-ulid", "tenacity"]
grants = []
"""

_README = """\
# {purpose}

| request | answer |
| --- | --- |
| `GET /{path}` | whose request it was |
"""

_HANDLER = '''\
"""{purpose}"""

from __future__ import annotations

from typing import Any

from stepward.runtime.entry import lambda_handler
from stepward.runtime.http import answer, caller, http_app, routes

router = routes()


@router.get("/{path}")
def show() -> Any:
    """Answer whose request it was."""
    return answer(200, {{"tenant": caller(router.current_event).tenant}})


# After its routes: the app takes those that the router has by now.
app = http_app(router)


@lambda_handler("{path} request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
'''


def make_function(name: str, root: Path = ROOT) -> Path:
    """Write the folder; what exists is never touched, and no other file names the function."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise ValueError(f"NAME={name!r}: use small letters, digits and underscores, as in NAME=order_export")
    folder = root / "functions" / name
    if folder.exists():
        raise ValueError(f"{folder.relative_to(root)} exists already; choose another NAME")
    folder.mkdir(parents=True)
    words = {"purpose": f"Serves {name.replace('_', ' ')}.", "path": name.replace("_", "-")}
    (folder / "function.toml").write_text(_MANIFEST.format(**words), encoding="utf-8")
    (folder / "handler.py").write_text(_HANDLER.format(**words), encoding="utf-8")
    (folder / "README.md").write_text(_README.format(**words), encoding="utf-8")
    return folder


def main() -> int:
    """Make one function and say what to do next."""
    try:
        folder = make_function(sys.argv[1] if len(sys.argv) > 1 else "")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Made {folder}. It is deployed with the next `make up`; its words: infra/README.md\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
