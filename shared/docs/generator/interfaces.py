"""What others call: routes of the API, commands, functions behind them."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from docs.generator.tables import code, meaning, page, plain, section, table
from stepward.cli.exit_codes import EPILOG
from stepward.cli.main import app as cli

ROOT: Final = Path(__file__).resolve().parents[3]
EVERYWHERE: Final = {"help", "url", "key", "as_json"}
"""Options that nearly all commands have; they are told once."""
COMMON: Final = (
    "`--help` of each command says the same. Commands that ask a stage take `--url` and `--key` (without them the laptop "
    "that runs here, or `STEPWARD_URL` and `STEPWARD_API_KEY`), and `--json` for programs. " + EPILOG
)


def routes() -> str:
    """Write the page of the API's routes, each with what its resolver says."""
    parts = [
        "Guarded routes take `Authorization: Bearer KEY`; an answer that is a refusal is a problem document."
    ]
    for name, manifest in _manifests():
        guarded, opened = manifest.get("routes", []), manifest.get("open_routes", [])
        said = _resolvers(name) if guarded or opened else {}
        rows = [
            (code(route), said[_path_of(route)] + (" Needs no key." if route in opened else ""))
            for route in dict.fromkeys([*guarded, *opened])
            if route != "$default"
        ]
        if rows:
            parts += [f"## {name}", table(["route", "what it does"], rows)]
    return page("Routes of the HTTP API", *parts)


def functions() -> str:
    """Write the page of the Lambda functions with their sizes and grants."""
    parts = []
    for name, manifest in _manifests():
        rows = [
            ("memory", f"{manifest['memory_mb']} MB"),
            ("time", f"{manifest['timeout_s']} s"),
            ("schedule", code(manifest.get("schedule"))),
            ("packages", ", ".join(map(code, manifest.get("packages", [])))),
            ("grants", ", ".join(map(code, manifest.get("grants", [])))),
        ]
        shown = table(["setting", "value"], [row for row in rows if row[1]])
        parts += [f"## {name}", plain(manifest["purpose"]), shown]
    return page("Functions", "What a grant allows is in `infra/README.md`.", *parts)


def commands() -> str:
    """Write the page of the command line."""
    tree: Any = get_command(cli)
    parts = [
        part for name in sorted(tree.commands) for part in _command(tree.commands[name], f"stepward {name}")
    ]
    return page("Commands", COMMON, *parts)


def describes_itself(folder: Path) -> bool:
    """Return whether a function has a README of its own.

    Neither the reference nor a map names it then: a new function edits nothing outside its folder.

    Args:
        folder: The function's folder.
    """
    return (folder / "README.md").is_file()


def _manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((ROOT / "functions").glob("*/function.toml")):
        if not describes_itself(file.parent):
            yield file.parent.name, tomllib.loads(file.read_text(encoding="utf-8"))


def _resolvers(name: str) -> dict[str, str]:
    """Find summary, answer and refusals of each resolver, by method and path."""
    app: Any = importlib.import_module(f"functions.{name}.handler").app
    found = {}
    for route in app._static_routes + app._dynamic_routes:  # noqa: SLF001  the resolver lists its routes nowhere else
        for method in [route.method] if isinstance(route.method, str) else route.method:
            found[f"{method} {route.path}"] = _said(route.func)
    return found


def _said(resolver: Any) -> str:
    """Join a resolver's docstring: its work, its answer and its errors."""
    refusals = ", ".join(code(name) for name in re.findall(r"\b([A-Z]\w+): ", section(resolver, "Raises")))
    answer = f"{meaning(resolver)} *Answer:* {section(resolver, 'Returns')}"
    return f"{answer} *Refusals:* {refusals}." if refusals else answer


def _path_of(route: str) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{\w+\+\}", ".+", route))


def _command(command: Any, path: str) -> Iterator[str]:
    if command.hidden:
        return
    if hasattr(command, "commands"):
        yield f"## {path}"
        yield plain(command.help or "")
        for name in sorted(command.commands):
            yield from _command(command.commands[name], f"{path} {name}")
        return
    yield f"### {path}"
    yield _sentence(command.help or "")
    rows = [
        (code(_name(one)), plain(getattr(one, "help", None) or ""))
        for one in command.params
        if not getattr(one, "hidden", False) and one.name not in EVERYWHERE
    ]
    if rows:
        yield table(["argument or option", "what it says"], rows)


def _sentence(help_text: str) -> str:
    """Keep the sentences of a command's help, and set its examples as what is typed."""
    said, _, examples = help_text.partition("Examples:")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    typed = "\n\n```text\n" + "\n".join(lines) + "\n```" if lines else ""
    return "\n\n".join(plain(part) for part in said.split("\n\n") if part.strip()) + typed


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        shown = parameter.metavar or parameter.name.upper()
        return shown if parameter.required else f"[{shown.strip('[]')}]"
    takes = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return "/".join([*parameter.opts, *parameter.secondary_opts]) + takes
