"""A workflow as Mermaid text, which repositories, wikis and chats draw by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from stepward.workflow.planning.drawing import Drawing, Node
from stepward.workflow.planning.palette import COLORS

SHAPES: Final[dict[str, tuple[str, str]]] = {
    "agent": ("([", "])"),
    "condition": ("{", "}"),
    "human": ("[/", "/]"),
    "subworkflow": ("[[", "]]"),
    "wait": ("((", "))"),
    "event": (">", "]"),
    "webhook": ("{{", "}}"),
}
_HIDDEN: Final = {
    "&": "#amp;",
    "<": "#lt;",
    ">": "#gt;",
    '"': "#quot;",
    "#": "#35;",
    "`": "#96;",
    "\\": "#92;",
}


def mermaid_text(title: str, found: Drawing, *, is_wide: bool) -> str:
    """Write the flowchart; lines of the critical path are thick."""
    lines = ["---", f'title: "{title_text(title)}"', "---", f"flowchart {'LR' if is_wide else 'TB'}"]
    numbers = {path: f"n{index}" for index, path in enumerate(found.nodes)}
    lines += _nodes(found, "", numbers, 1)
    for link in found.links:
        arrow = "-.->" if link.is_back else "==>" if link.is_critical else "-->"
        label = f'|"{escaped(link.label)}"|' if link.label else ""
        lines.append(f"  {numbers[link.start]} {arrow}{label} {numbers[link.end]}")
    lines += _styles(found, numbers)
    return "\n".join(lines) + "\n"


def _nodes(found: Drawing, container: str, numbers: dict[str, str], depth: int) -> Iterator[str]:
    for path in found.inside.get(container, ()):
        node, indent = found.nodes[path], "  " * depth
        if node.is_box:
            yield f'{indent}subgraph {numbers[path]}["{_text(node)}"]'
            yield from _nodes(found, path, numbers, depth + 1)
            yield f"{indent}end"
        else:
            opening, closing = SHAPES.get(node.type, ("[", "]"))
            yield f'{indent}{numbers[path]}{opening}"{_text(node)}"{closing}'


def _text(node: Node) -> str:
    return f"{escaped(node.title)}<br/><small>{escaped(node.subtitle)}</small>"


def _styles(found: Drawing, numbers: dict[str, str]) -> Iterator[str]:
    by_type: dict[str, list[str]] = {}
    for path, node in found.nodes.items():
        if not node.is_box:
            by_type.setdefault(node.type, []).append(numbers[path])
    for kind, names in sorted(by_type.items()):
        yield f"  classDef {kind}_ fill:{COLORS[kind]}22,stroke:{COLORS[kind]}"
        yield f"  class {','.join(names)} {kind}_"
    critical = [numbers[path] for path, node in found.nodes.items() if node.is_critical]
    if critical:
        yield "  classDef critical_ stroke-width:3px"
        yield f"  class {','.join(critical)} critical_"


def escaped(text: str) -> str:
    """Write a text so that nothing in it is taken for Mermaid or HTML."""
    return "".join(_HIDDEN.get(char, char if char.isprintable() else " ") for char in text)


def title_text(text: str) -> str:
    """Write a text as a title, which is YAML."""
    return "".join(char if char.isprintable() and char not in '"\\' else " " for char in text)
