"""Which modules of ours a function can come to load, so that imports on first use are tried before production does it.

The container imports a builder when one of its sections is used, and a builder imports what a member of it needs when
that member is used; so of both only the members that a function can reach are followed. A library that is imported
inside a function, where it is called, is not followed: a function that never calls it need not carry it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from infra.bundling import Checkout

CONTAINER = "stepward.runtime.container"
BUILDERS = "stepward.runtime.builders."
HOLDERS = {"container", "_container"}
"""What a container is called where it is used."""
FIELDS = {"_container", "_ports", "_settings"}
"""What builders were made with."""


@dataclass
class Reach:
    """A walk over our modules that starts at one function's handler."""

    checkout: Checkout
    modules: set[str] = field(default_factory=set)
    members: set[tuple[str, str]] = field(default_factory=set)

    def follow(self, module: str) -> None:
        file = self._file(module)
        if file is None or module in self.modules:
            return
        self.modules.add(module)
        tree = parsed(file)
        if module == CONTAINER or module in self._builders:
            # What the classes import is not the function's own until it uses their members.
            tree = ast.Module([node for node in tree.body if not isinstance(node, ast.ClassDef)], [])
        self._run(tree, uses=module.startswith(("functions.", "stepward.runtime.")))

    def _run(self, tree: ast.AST, own: str = "", *, uses: bool = True) -> None:
        """Follow what code imports and which members of the container it uses; `own` is the section that it is in."""
        for node in running(tree):
            for name in imported(node):
                self.follow(name)
            if uses and isinstance(node, ast.Attribute) and (member := self._member(node, own)):
                self._use(*member)

    def _member(self, node: ast.Attribute, own: str) -> tuple[str, str] | None:
        """Read `container.section.member`, and of a builder `self._ports.member` and `self.member`."""
        holder = last_name(node.value)
        if holder in HOLDERS:
            return ("", node.attr)
        if isinstance(node.value, ast.Attribute) and last_name(node.value.value) in HOLDERS:
            return (str(holder), node.attr)
        if own and holder == "_ports":
            return ("ports", node.attr)
        return (own, node.attr) if own and holder == "self" else None

    def _use(self, section: str, member: str) -> None:
        if (section, member) in self.members or member in FIELDS or section not in self._sections:
            return
        self.members.add((section, member))
        module, name = self._sections[section]
        self.follow(module)
        self._run(self._definition(module, name, member), section)

    def _definition(self, module: str, name: str, member: str) -> ast.AST:
        """Find what defines a member of a class, or of the classes that it is made of."""
        file = self._file(module)
        assert file is not None
        tree = parsed(file)
        (made,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
        for node in made.body:
            if isinstance(node, ast.FunctionDef) and node.name == member:
                return node
        for base in made.bases:
            return self._definition(origin(tree, ast.unparse(base)), ast.unparse(base), member)
        raise AssertionError(f"{module}.{name} has no {member}: what a function loads cannot be told")

    @property
    def _builders(self) -> set[str]:
        modules = {module for module, _ in self._sections.values()}
        return modules | {f"{BUILDERS}stores"}

    @property
    def _sections(self) -> dict[str, tuple[str, str]]:
        """The sections of the container, with the module and the class that make each."""
        file = self._file(CONTAINER)
        return sections(file) if file else {}

    def _file(self, module: str) -> Path | None:
        top, *parts = module.split(".")
        folder = {"stepward": self.checkout.package, "functions": self.checkout.functions}.get(top)
        if folder is None or not parts:
            return None
        path = folder.joinpath(*parts)
        return next(
            (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None
        )


def modules_reached(checkout: Checkout, function: str) -> list[str]:
    """Start at a function's handler and list every module of ours that it can load."""
    reach = Reach(checkout)
    reach.follow(f"functions.{function}.handler")
    return sorted(reach.modules)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def sections(file: Path) -> dict[str, tuple[str, str]]:
    """Read from the container which class makes each section; the container itself has no name."""
    found = {"": (CONTAINER, "Container")}
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.FunctionDef):
            made = [one for one in node.body if isinstance(one, ast.ImportFrom)]
            if made and str(made[0].module).startswith(BUILDERS):
                found[node.name] = (str(made[0].module), made[0].names[0].name)
    return found


def origin(tree: ast.Module, name: str) -> str:
    """Say from which module a name comes."""
    return next(
        str(node.module)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]
    )


def last_name(node: ast.AST) -> str | None:
    """Read the last name of a chain: `ports` of `container.ports`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


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
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield child
        yield from running(child)
