"""Draw a planned workflow as SVG, for light and dark backgrounds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from xml.sax.saxutils import escape

from stepward.domain.workflows import WorkflowDefinition
from stepward.tasks.catalog import find_type
from stepward.workflows.planner.drawing import STYLE, Drawing, Link, Node, drawing
from stepward.workflows.planner.page_layout import Page, Point, lay_out_page
from stepward.workflows.planner.plan import Plan
from stepward.workflows.planner.plan_text import duration, mermaid_text

EDGE: Final = 36.0
HEAD: Final = 92.0
LEGEND_ROW: Final = 30.0
LEGEND_WIDTH: Final = 118.0
TIP: Final = 7.0
NAME_PX: Final = 9.0
SAID_PX: Final = 7.2
"""Width of a letter in the broadest of the typefaces."""
_NARROW: Final = frozenset("ijlt.,:;'|!()[]{}If r-/")
_BROAD: Final = frozenset("mwMW@%")


def mermaid(definition: WorkflowDefinition, made: Plan) -> str:
    """Return a planned workflow as Mermaid text."""
    found = drawing(definition, made)
    title = f"{definition.name} {definition.version}"
    return mermaid_text(title, found, is_wide=len(made.levels) <= 6)


def svg(definition: WorkflowDefinition, made: Plan) -> str:
    """Return a planned workflow as SVG; the same plan gives the same bytes."""
    found = drawing(definition, made)
    page = lay_out_page(found)
    width = max(page.width, 560.0) + 2 * EDGE
    signs = _legend(found, width)
    height = HEAD + page.height + EDGE + signs[1]
    body = "\n".join(
        [*_head(definition, made), *_page(found, page, (width - page.width) / 2), *signs[0](height)]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sw" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-labelledby="t d">\n'
        f'<title id="t">{_safe(definition.name)}</title>\n<desc id="d">{_safe(_facts(made))}</desc>\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="paper" width="{_n(width)}" height="{_n(height)}"/>\n{body}\n</svg>\n'
    )


def _facts(made: Plan) -> str:
    return (
        f"{made.tasks:,} tasks, {made.states} states, about {duration(made.makespan_ms)} along the critical path, "
        f"{made.cost} a run"
    )


def _head(definition: WorkflowDefinition, made: Plan) -> Iterator[str]:
    title = _cut(f"{definition.name}  {definition.version}", 90)
    yield f'<text class="head" x="{_n(EDGE)}" y="42">{_safe(title)}</text>'
    yield f'<text class="note" x="{_n(EDGE)}" y="64">{_safe(_facts(made))}</text>'


def _page(found: Drawing, page: Page, left: float) -> Iterator[str]:
    yield f'<g transform="translate({_n(left)} {_n(HEAD)})">'
    for path, node in found.nodes.items():
        if node.is_box:
            yield _box(node, page.corners[path], page.sizes[path])
    # The critical path lies above the rest, so that nothing hides a part of it.
    for link, points in sorted(page.lines, key=lambda one: one[0].is_critical):
        yield _wire(link, points, page.is_wide)
    for path, node in found.nodes.items():
        if not node.is_box:
            yield _card(node, page.corners[path], page.sizes[path])
    for link, points in page.lines:
        if link.label:
            yield _tag(link, points)
    yield "</g>"


def _box(node: Node, corner: Point, size: Point) -> str:
    x, y = corner
    text_width = size[0] - 64
    return (
        f'<g><rect class="box{_marks(node)}" x="{_n(x)}" y="{_n(y)}" width="{_n(size[0])}" height="{_n(size[1])}" rx="16"/>'
        f"{_sign(node.type, x + 12, y + 10, 22)}"
        f'<text class="name" x="{_n(x + 42)}" y="{_n(y + 19)}">{_safe(_fitted(node.title, text_width, NAME_PX))}</text>'
        f'<text class="said" x="{_n(x + 42)}" y="{_n(y + 33)}">{_safe(_fitted(node.subtitle, text_width, SAID_PX))}</text></g>'
    )


def _card(node: Node, corner: Point, size: Point) -> str:
    x, y = corner
    text_width = size[0] - 64
    return (
        f"<g><title>{_safe(f'{node.path}: {node.subtitle}')}</title>"
        f'<rect class="card{_marks(node)}" x="{_n(x)}" y="{_n(y)}" width="{_n(size[0])}" height="{_n(size[1])}" rx="12"/>'
        f"{_sign(node.type, x + 11, y + 11, 32)}"
        f'<text class="name" x="{_n(x + 53)}" y="{_n(y + 24)}">{_safe(_fitted(node.title, text_width, NAME_PX))}</text>'
        f'<text class="said" x="{_n(x + 53)}" y="{_n(y + 40)}">{_safe(_fitted(node.subtitle, text_width, SAID_PX))}</text></g>'
    )


def _marks(node: Node) -> str:
    return (" hot" if node.is_critical else "") + (" maybe" if node.is_conditional else "")


def _sign(kind: str, x: float, y: float, size: float) -> str:
    scale = size / 32 * 0.8333
    inset, picture = size / 2 - 12 * scale, find_type(kind).picture
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(size)}" height="{_n(size)}" rx="{_n(size / 4)}" fill="{picture.color}"/>'
        f'<path class="sign" d="{picture.sign}" transform="translate({_n(x + inset)} {_n(y + inset)}) scale({scale:.3f})"/>'
    )


def _wire(link: Link, points: list[Point], is_wide: bool) -> str:
    marks = (" hot" if link.is_critical else "") + (" back" if link.is_back else "")
    if link.is_back:
        return _way_back(points, marks, is_wide)
    *before, (x, y) = points
    end = (x - TIP, y) if is_wide else (x, y - TIP)
    tip = (
        f"M{_p(x, y)}L{_p(x - 9, y - 5)}L{_p(x - 9, y + 5)}z"
        if is_wide
        else f"M{_p(x, y)}L{_p(x - 5, y - 9)}L{_p(x + 5, y - 9)}z"
    )
    return f'<path class="wire{marks}" d="{_curve([*before, end], is_wide)}"/><path class="tip{marks}" d="{tip}"/>'


def _curve(points: list[Point], is_wide: bool) -> str:
    drawn = f"M{_p(*points[0])}"
    for (x, y), (to_x, to_y) in pairwise(points):
        half = (to_x - x) / 2 if is_wide else (to_y - y) / 2
        if is_wide:
            drawn += f"C{_p(x + half, y)} {_p(to_x - half, to_y)} {_p(to_x, to_y)}"
        else:
            drawn += f"C{_p(x, y + half)} {_p(to_x, to_y - half)} {_p(to_x, to_y)}"
    return drawn


def _way_back(points: list[Point], marks: str, is_wide: bool) -> str:
    """Return an arc beside the nodes that it passes."""
    (x, y), (to_x, to_y) = points
    if is_wide:
        low = max(y, to_y) + 34
        way = f"M{_p(x, y)}C{_p(x, low)} {_p(to_x, low)} {_p(to_x, to_y + TIP)}"
        tip = f"M{_p(to_x, to_y)}L{_p(to_x - 5, to_y + 9)}L{_p(to_x + 5, to_y + 9)}z"
    else:
        far = max(x, to_x) + 46
        way = f"M{_p(x, y)}C{_p(far, y)} {_p(far, to_y)} {_p(to_x + TIP, to_y)}"
        tip = f"M{_p(to_x, to_y)}L{_p(to_x + 9, to_y - 5)}L{_p(to_x + 9, to_y + 5)}z"
    return f'<path class="wire{marks}" d="{way}"/><path class="tip{marks}" d="{tip}"/>'


def _tag(link: Link, points: list[Point]) -> str:
    """Return a label in the middle of its line, where no other line begins."""
    middle = len(points) // 2
    (x, y), (to_x, to_y) = points[middle - 1], points[middle]
    drop = 30.0 if link.is_back else 4.0
    return f'<text class="tag" x="{_n((x + to_x) / 2)}" y="{_n((y + to_y) / 2 + drop)}">{_safe(link.label)}</text>'


def _legend(found: Drawing, width: float) -> tuple[_Legend, float]:
    kinds = sorted({node.type for node in found.nodes.values()})
    across = max(1, int((width - 2 * EDGE) // LEGEND_WIDTH))
    notes = ["thick red: the critical path"]
    if any(node.is_conditional for node in found.nodes.values()):
        notes.append("dashed: may be skipped")
    if found.implied:
        notes.append(f"not drawn: {found.implied} that others imply")
    rows = -(-len(kinds) // across)
    return _Legend(kinds, across, " · ".join(notes)), rows * LEGEND_ROW + 40


class _Legend:
    """The task types' signs and names at the foot."""

    def __init__(self, kinds: list[str], across: int, note: str) -> None:
        self._kinds, self._across, self._note = kinds, across, note

    def __call__(self, bottom: float) -> Iterator[str]:
        rows = -(-len(self._kinds) // self._across)
        top = bottom - rows * LEGEND_ROW - 36
        for index, kind in enumerate(self._kinds):
            x, y = EDGE + index % self._across * LEGEND_WIDTH, top + index // self._across * LEGEND_ROW
            yield f'{_sign(kind, x, y, 20)}<text class="note" x="{_n(x + 28)}" y="{_n(y + 14)}">{kind}</text>'
        yield f'<text class="note" x="{_n(EDGE)}" y="{_n(bottom - 20)}">{_safe(self._note)}</text>'


def _fitted(text: str, text_width: float, per_char: float) -> str:
    """Cut a text to a width, by the width of letters in most typefaces."""
    used = 0.0
    for place, char in enumerate(text):
        used += per_char * (0.55 if char in _NARROW else 1.4 if char in _BROAD or ord(char) > 0x2E80 else 1)
        if used > text_width:
            return text[: max(1, place - 1)].rstrip() + "…"
    return text


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"


def _safe(text: str) -> str:
    """Escape a text for XML; characters that XML cannot hold become spaces."""
    return escape("".join(char if char.isprintable() else " " for char in text))


def _p(x: float, y: float) -> str:
    return f"{_n(x)} {_n(y)}"


def _n(number: float) -> str:
    return f"{number:.1f}".rstrip("0").rstrip(".")
