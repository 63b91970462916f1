"""Makes a room that runs: `make new-function NAME=my_room`. One folder, and nothing to edit elsewhere in `infra/`."""

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

_HANDLER = '''\
"""{purpose}"""

from __future__ import annotations

from typing import Any

from stepward.runtime.entry import room
from stepward.runtime.http import answer, caller, http_app, routes

router = routes()
app = http_app(router)


@router.get("/{path}")
def show() -> Any:
    """Answer whose request it was."""
    return answer(200, {{"tenant": caller(router.current_event).tenant}})


@room("{path} request served")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Answer one request."""
    return app.resolve(event, context)
'''


def make_room(name: str, root: Path = ROOT) -> Path:
    """Write the folder and put the room under the import contract; an existing room is never touched."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,40}", name):
        raise ValueError(f"NAME={name!r}: use small letters, digits and underscores, as in NAME=order_export")
    folder = root / "functions" / name
    if folder.exists():
        raise ValueError(f"{folder.relative_to(root)} exists already; choose another NAME")
    folder.mkdir(parents=True)
    words = {"purpose": f"Serves {name.replace('_', ' ')}.", "path": name.replace("_", "-")}
    (folder / "function.toml").write_text(_MANIFEST.format(**words), encoding="utf-8")
    (folder / "handler.py").write_text(_HANDLER.format(**words), encoding="utf-8")
    add_to_contract(name, root / "pyproject.toml")
    return folder


def add_to_contract(name: str, pyproject: Path) -> None:
    """Rooms are independent of each other by import-linter's word, so a new one has to be named there."""
    text = pyproject.read_text(encoding="utf-8")
    anchor = 'type = "independence"\nmodules = [\n'
    pyproject.write_text(text.replace(anchor, f'{anchor}    "functions.{name}",\n'), encoding="utf-8")


def main() -> int:
    """Make one room and say what to do next."""
    try:
        folder = make_room(sys.argv[1] if len(sys.argv) > 1 else "")
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"Made {folder}. It is deployed with the next `make up`; its words: infra/README.md\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
