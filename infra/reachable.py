"""Finds the modules and data files that a function can load, for its asset.

Everything that a handler's folder imports is followed, inside functions too, and what only a type checker reads is not.
A module that is loaded by its name is found where the name occurs as a text: `"stepward.tools.calculate:Calculate"` names
one module, and a text that ends with a dot, or is followed by what is computed, names all modules beside each other there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path, PurePosixPath

from infra.bundling import PACKAGE, Checkout, function_files, package_files
from infra.config_errors import unknown_word
from infra.function_configs import FunctionConfig

_FOR_THE_CHECKER = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
_COMPUTED = re.compile(rf"(?P<package>{PACKAGE}(\.\w+)+)\.(\W|$)")
"""A name whose last part is not a text's."""


@dataclass(frozen=True)
class Module:
    """One file of Python as far as it names others."""

    name: str
    is_package: bool
    content: str

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every name that an import statement may load: modules, and members that may be modules."""
        return frozenset(name for node in self._nodes for name in self._imported(node))

    @cached_property
    def texts(self) -> frozenset[str]:
        """Every text, for one of them may be a module's or a file's name."""
        nodes = self._nodes
        return frozenset(
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )

    @property
    def package(self) -> str:
        """The package that relative imports begin at."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return list(_running(ast.parse(self.content)))

    def _imported(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        if not isinstance(node, ast.ImportFrom):
            return []
        base = self._absolute(node)
        # A star may load what the package lists as its modules, and every module is listed at most.
        return [base, *(f"{base}." if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names)]

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what only the type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in _FOR_THE_CHECKER:
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


class PackageFiles:
    """The one package, read once for all functions that are packed."""

    def __init__(self, checkout: Checkout) -> None:
        """List its files; a file is read when a function first reaches it."""
        self._checkout = checkout
        self._files = package_files(checkout)
        self._paths = {_module_name(path): path for path in self._files if path.suffix == ".py"}
        self._modules: dict[str, Module] = {}

    def reached_by(self, function: FunctionConfig) -> dict[PurePosixPath, Path]:
        """List what of the package a function's asset holds.

        Args:
            function: Its folder and the `modules` that it names besides.

        Returns:
            Files by their path inside the asset.

        Raises:
            DefinitionError: `modules` names one that the package does not have.
        """
        reached = self._follow(self._begin(function))
        paths = {self._paths[module.name] for module in reached if module.name in self._paths}
        paths |= set(self._data_of(reached))
        return {path: self._files[path] for path in sorted(paths)}

    def _begin(self, function: FunctionConfig) -> list[Module]:
        asked_in = self._checkout.functions / function.name / "function.toml"
        for name in function.modules:
            if name not in self._paths:
                raise unknown_word(asked_in, "module", name, self._paths)
        own = [
            _read(path, file)
            for path, file in function_files(self._checkout, function.name).items()
            if path.suffix == ".py"
        ]
        return [*own, *(self._module(name) for name in function.modules)]

    def _follow(self, waiting: list[Module]) -> list[Module]:
        reached: dict[str, Module] = {}
        while waiting:
            module = waiting.pop()
            if module.name in reached:
                continue
            reached[module.name] = module
            waiting += [self._module(name) for name in self._named_by(module)]
        return list(reached.values())

    def _named_by(self, module: Module) -> set[str]:
        texts = {_whole(text, module).partition(":")[0] for text in module.texts}
        named = module.imports | {text for text in texts if text.startswith(f"{PACKAGE}.")}
        computed = (_COMPUTED.match(text) for text in named)
        beside = {match["package"] for match in computed if match}
        named |= {name for name in self._paths if name.rpartition(".")[0] in beside}
        # To load a module is to load the packages that it lies in.
        return {name for one in named for name in _with_parents(one) if name in self._paths}

    def _module(self, name: str) -> Module:
        if name not in self._modules:
            path = self._paths[name]
            self._modules[name] = _read(path, self._files[path])
        return self._modules[name]

    def _data_of(self, reached: Iterable[Module]) -> Iterator[PurePosixPath]:
        """List data files: those that a module beside them names, or the folder they are in."""
        texts: dict[str, set[str]] = {}
        for module in reached:
            texts.setdefault(module.package, set()).update(module.texts)
        everywhere = set().union(*texts.values())
        for path in (path for path in self._files if path.suffix != ".py"):
            folders = [".".join(folder.parts) for folder in path.parents if folder.parts]
            below = list(takewhile(lambda name: name not in texts, folders))
            home = folders[len(below)] if len(below) < len(folders) else ""
            beside = path.parts[len(folders) - len(below)]
            named = {text.partition("/")[0] for text in texts.get(home, ())}
            if beside in named or everywhere & {*below}:
                yield path


def _read(path: PurePosixPath, file: Path) -> Module:
    return Module(_module_name(path), path.name == "__init__.py", file.read_text(encoding="utf-8"))


def _module_name(path: PurePosixPath) -> str:
    return ".".join((path.parent if path.name == "__init__.py" else path.with_suffix("")).parts)


def _whole(text: str, module: Module) -> str:
    """Resolve a relative module name from the module that has it."""
    return f"{module.package}{text}" if text.startswith(".") and text[1:].isidentifier() else text


def _with_parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]
