"""Which modules of ours a room can come to load, so that imports on first use are tried before production does it.

The composition root imports an adapter when one of its factories is called; of it only the factories that a room can
call are followed. A library that is imported inside a function, where it is called, is not followed: a room that never
calls it need not carry it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.bundling import Checkout

WIRING = "stepward.runtime.wiring"


@dataclass
class Reach:
    """A walk over our modules that starts at one room's handler."""

    checkout: Checkout
    modules: set[str] = field(default_factory=set)
    factories: set[str] = field(default_factory=set)

    def follow(self, module: str) -> None:
        file = self._file(module)
        if file is None or module in self.modules:
            return
        self.modules.add(module)
        if module == WIRING:
            # The factories of the composition root are not the room's own until it calls them.
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                self._follow_imports(node)
            return
        imports, factories = read(file)
        for name in imports:
            self.follow(name)
        for factory in factories:
            self._call(factory)

    def _call(self, factory: str) -> None:
        file = self._file(WIRING)
        if file is None or factory in self.factories:
            return
        self.factories.add(factory)
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for function in (node for node in body if isinstance(node, ast.FunctionDef) and node.name == factory):
            for node in running(function):
                self._follow_imports(node)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    self._call(node.func.id)

    def _follow_imports(self, node: ast.AST) -> None:
        for name in imported(node):
            self.follow(name)

    def _file(self, module: str) -> Path | None:
        top, *parts = module.split(".")
        folder = {"stepward": self.checkout.package, "functions": self.checkout.functions}.get(top)
        if folder is None or not parts:
            return None
        path = folder.joinpath(*parts)
        return next(
            (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
        )


def modules_reached(checkout: Checkout, room: str) -> list[str]:
    """Start at a room's handler and list every module of ours that it can load."""
    reach = Reach(checkout)
    reach.follow(f"functions.{room}.handler")
    return sorted(reach.modules)


@cache
def read(file: Path) -> tuple[list[str], list[str]]:
    """Give what a module imports, and the factories of the composition root that it calls."""
    nodes = list(running(ast.parse(file.read_text(encoding="utf-8"))))
    factories = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name | ast.Attribute)
        and ast.unparse(node.value) == "wiring"
    ]
    return [name for node in nodes for name in imported(node)], factories


def imported(node: ast.AST) -> list[str]:
    """Name what an import statement may load: a module, or members that may be modules themselves."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without the blocks that only the type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from running(child)
