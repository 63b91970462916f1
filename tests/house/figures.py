"""Counts what can be counted of the code's shape: `python -m tests.house.figures [--json] [--list FIGURE]`.

Each figure has an aim. A figure is a place to look, not a verdict: `--list` names what it counts.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.house.source_tree import ROOT, name, product_files, tree_of
from tests.house.task_type_names import spelt_out_types

SMALL_LINES = 40
PRIVATE_WORDS = re.compile(
    r"(^|_)(rooms?|gallery|nudges?|shop|shelf|standing|looked|told|settle|heed|mend|mending|spell|spelling|spellings|"
    r"spelled|neighbours|neighbourhood|undoing|foretelling|foretell|scene|wires|in_line|serve_line|deeds?|harmless)(_|$)|^line$"
)
"""Words of the first release that name something for which the field has a word."""
LONGEST_SUMMARY_CHARS = 88
PRIVATE_PROSE = re.compile(
    r"\b(whoever|nobody|told|stands|heeds?|anew|mends?|spell(?:s|ed)?|gallery|rooms?|nudges?)\b",
    re.IGNORECASE,
)
"""Words of prose that readers of other projects do not meet."""


@dataclass(frozen=True)
class Figure:
    """One figure: what was counted, what is aimed at, and the places that make it up."""

    title: str
    value: float
    aim: str
    places: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the figure as one line of a table."""
        return f"{self.title:<58}{self.value:>10g}   {self.aim}"


def module_of(path: Path) -> str:
    """Return the dotted name by which the code imports a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[1:] if parts[0] == "shared" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def code_lines(path: Path) -> int:
    """Count a file's lines without blank ones, comments and docstrings."""
    skipped = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    with_code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type not in skipped:
            with_code |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree_of(path)):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            with_code -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(with_code)


def _imports(path: Path) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Import | ast.ImportFrom))


def importers() -> dict[str, set[str]]:
    """Map each module of the product package to the modules that import it."""
    modules = {module_of(path): path for path in product_files()}
    found: dict[str, set[str]] = {module: set() for module in modules if module.startswith("stepward.")}
    for module, path in modules.items():
        for node in _imports(path):
            names = [alias.name for alias in node.names]
            base = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for target in {base, *(f"{base}.{one}" if base else one for one in names)} & found.keys():
                found[target].add(module)
    return {module: users - {module} for module, users in found.items()}


def _any_per_thousand(paths: list[Path]) -> float:
    """Count uses of `Any`, aliases of it and of `dict[str, Any]` included, per 1,000 lines of code."""
    uses = sum(_uses_of_any(path) for path in paths)
    return round(1000 * uses / sum(code_lines(path) for path in paths), 1)


def _uses_of_any(path: Path) -> int:
    tree = tree_of(path)
    aliases = {"Any"}
    for node in ast.walk(tree):
        value, targets = (
            getattr(node, "value", None),
            getattr(node, "targets", [getattr(node, "target", None)]),
        )
        if (
            isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(value, ast.Subscript)
            and _names_any(value)
        ):
            aliases |= {target.id for target in targets if isinstance(target, ast.Name)}
    return sum(isinstance(node, ast.Name) and node.id in aliases for node in ast.walk(tree))


def _names_any(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id == "Any" for inner in ast.walk(node))


def private_names() -> list[str]:
    """List the files, classes and functions whose names hold a private word."""
    found = []
    for path in product_files():
        if PRIVATE_WORDS.search(path.stem):
            found.append(name(path))
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
                if PRIVATE_WORDS.search(words):
                    found.append(f"{name(path)}:{node.name}")
    return found


def _docstring_sections() -> tuple[int, int]:
    documented = with_sections = 0
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
                doc := ast.get_docstring(node)
            ):
                documented += 1
                with_sections += bool(
                    re.search(r"^(Args|Returns|Raises|Yields|Attributes):$", doc, re.MULTILINE)
                )
    return documented, with_sections


def long_summaries() -> list[str]:
    """List the docstrings whose summary is not one line of at most 88 characters."""
    found = []
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                summary = (ast.get_docstring(node) or "").partition("\n\n")[0]
                if "\n" in summary or len(summary) > LONGEST_SUMMARY_CHARS:
                    found.append(f"{name(path)}:{node.name}")
    return found


def private_prose() -> tuple[list[str], int]:
    """List docstrings with a private word, and count the words of all docstrings."""
    found, words = [], 0
    for path in product_files():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                said = ast.get_docstring(node) or ""
                words += len(said.split())
                label = getattr(node, "name", "the module")
                found += [f"{name(path)}:{label}: {word}" for word in PRIVATE_PROSE.findall(said)]
    return found, words


def figures() -> list[Figure]:
    """Measure every figure of the tree as it stands.

    Returns:
        One figure a row, in the order in which they are printed.
    """
    paths = list(product_files())
    lines = {path: len(path.read_text().splitlines()) for path in paths}
    small = [
        name(path) for path in paths if lines[path] < SMALL_LINES and path.stem not in ("__init__", "handler")
    ]
    lonely = sorted(module for module, users in importers().items() if len(users) == 1)
    imports = sum((node.end_lineno or 0) - node.lineno + 1 for path in paths for node in _imports(path))
    product = [path for path in paths if not name(path).startswith("infra/")]
    laptop = [path for path in paths if name(path).startswith("infra/local/")]
    private, spelt = private_names(), spelt_out_types()
    documented, with_sections = _docstring_sections()
    long, (prose, words) = long_summaries(), private_prose()
    return [
        Figure("files of functions, shared, infra", len(paths), "about 430", tuple(map(name, paths))),
        Figure(
            "lines of code without blanks, comments, docstrings", sum(map(code_lines, paths)), "10 % fewer"
        ),
        Figure(
            f"modules under {SMALL_LINES} lines (no handler, no package)",
            len(small),
            "extension points only",
            tuple(small),
        ),
        Figure("modules of stepward with one importer", len(lonely), "under 40", tuple(lonely)),
        Figure("import lines in 100 lines", round(100 * imports / sum(lines.values()), 1), "under 7"),
        Figure("Any in 1,000 lines of code, product", _any_per_thousand(product), "under 15"),
        Figure("Any in 1,000 lines of code, infra/local", _any_per_thousand(laptop), "under 30"),
        Figure("names with a private word", len(private), "0", tuple(private)),
        Figure("names of task types outside stepward.tasks", len(spelt), "under 15", tuple(spelt)),
        Figure("docstrings", documented, ""),
        Figure("docstrings with Args, Returns, Raises", with_sections, "all that is public"),
        Figure("summaries over one line of 88 characters", len(long), "0", tuple(long)),
        Figure(
            "private words in 1,000 of docstrings",
            round(1000 * len(prose) / words, 1),
            "under 1.1",
            tuple(prose),
        ),
    ]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main(arguments: list[str]) -> None:
    """Print the figures as a table, as JSON, or the places of the one that `--list` names a part of."""
    measured = figures()
    if "--list" in arguments:
        wanted = arguments[arguments.index("--list") + 1]
        _say("\n".join(place for figure in measured if wanted in figure.title for place in figure.places))
    elif "--json" in arguments:
        _say(
            json.dumps(
                {figure.title: {"value": figure.value, "aim": figure.aim} for figure in measured}, indent=2
            )
        )
    else:
        _say("\n".join(figure.line() for figure in measured))


if __name__ == "__main__":
    main(sys.argv[1:])
