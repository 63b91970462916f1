"""Makes a folder of tools that agents can use: `make new-tools NAME=my_tools`. It runs, and has a test that passes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from infra.new_function import ROOT

_MANIFEST = """\
purpose = "Serves the tools of {name}."
memory_mb = 256
timeout_s = 60
tools = true
packages = ["aws-lambda-powertools", "pydantic"]
"""

_README = """\
# Tools of {name}

| tool | what it does |
| --- | --- |
| `{name}.count_words` | Counts the words of a text. |
"""

_HANDLER = '''\
"""Serves the tools of {name}; each function that agents may call is named here."""

from __future__ import annotations

from typing import Any

from functions.{name}.count_words import count_words
from stepward.runtime.entry import lambda_handler
from stepward.toolkit import serve_tools

served = serve_tools(count_words)


@lambda_handler("tool called")
def handle(event: dict[str, Any], context: Any) -> Any:
    """Describe the tools, or carry out one call."""
    del context
    return served(event)
'''

_TOOL = '''\
"""Counts words; take it as a pattern for your own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stepward.toolkit import tool


@tool(effect="none", timeout_s=5)
def count_words(text: Annotated[str, Field(max_length=100_000, description="The text to count in.")]) -> int:
    """Counts the words of a text."""
    return len(text.split())
'''

_TEST = '''\
"""The tools of {name}, as the platform calls them."""

from __future__ import annotations

from functions.{name}.handler import served


def test_a_call_is_answered() -> None:
    call = {{"function": "count_words", "arguments": {{"text": "two words"}}}}
    assert served({{**call, "tenant": "acme", "run": "r", "call_id": "r:c"}}) == {{"v": 1, "value": 2}}


def test_every_tool_is_described() -> None:
    assert [one["function"] for one in served({{"describe": True}})["tools"]] == ["count_words"]
'''


def make_tools(name: str, root: Path = ROOT) -> Path:
    """Write the folder and its test; what exists is never touched."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,37}", name):
        raise ValueError(f"NAME={name!r}: use small letters, digits and underscores, as in NAME=order_tools")
    folder, test = root / "functions" / name, root / "tests" / "unit" / "tools" / f"test_{name}.py"
    for path in (folder, test):
        if path.exists():
            raise ValueError(f"{path.relative_to(root)} exists already; choose another NAME")
    files = {
        folder / "function.toml": _MANIFEST.format(name=name),
        folder / "README.md": _README.format(name=name),
        folder / "handler.py": _HANDLER.format(name=name),
        folder / "count_words.py": _TOOL,
        test: _TEST.format(name=name),
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def main() -> int:
    """Make one folder and say what to do next."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        folder = make_tools(name)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(
        f"Made {folder} with one tool, and its test. Deployed with the next `make up` or deployment, "
        f"agents use it as `tool: {name}.count_words`; GET /tools shows it.\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
