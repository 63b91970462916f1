"""Lay a drawing out on a page: boxes within boxes, across or down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from stepward.workflows.planner.drawing import Drawing, Link
from stepward.workflows.planner.layered_layout import lay_out

CARD_WIDTH: Final = 220.0
CARD_HEIGHT: Final = 54.0
GAP_ALONG: Final = 52.0
GAP_ACROSS: Final = 20.0
BOX_HEAD: Final = 46.0
BOX_EDGE: Final = 18.0
PAGE_WIDTH: Final = 1_180.0
PAGE_HEIGHT: Final = 860.0
Point = tuple[float, float]


@dataclass
class Page:
    """Corners (x, y) and sizes (width, height) of nodes, and the points of each line."""

    is_wide: bool
    width: float = 0.0
    height: float = 0.0
    corners: dict[str, Point] = field(default_factory=dict)
    sizes: dict[str, Point] = field(default_factory=dict)
    lines: list[tuple[Link, list[Point]]] = field(default_factory=list)

    @property
    def excess(self) -> float:
        """How many pages it would fill, by its longer side; scrolling down counts less."""
        return max(self.width / PAGE_WIDTH, self.height / PAGE_HEIGHT * 0.6)


def lay_out_page(found: Drawing) -> Page:
    """Place everything both ways, and return the better page."""
    return min((_placed(found, is_wide) for is_wide in (True, False)), key=lambda page: page.excess)


def _placed(found: Drawing, is_wide: bool) -> Page:
    page = Page(is_wide)
    bends: dict[str, list[tuple[Link, list[Point]]]] = {}
    containers = [path for path in found.inside if path]
    for container in [*sorted(containers, key=lambda path: -path.count(".")), ""]:
        size, bends[container] = _inside(found, page, container)
        if container:
            width, height = size[0] + 2 * BOX_EDGE, size[1] + BOX_HEAD + BOX_EDGE
            page.sizes[container] = (max(width, CARD_WIDTH + 2 * BOX_EDGE), height)
        else:
            page.width, page.height = size
    for container in ["", *sorted(containers, key=lambda path: path.count("."))]:
        left, top = page.corners.get(container, (-BOX_EDGE, -BOX_HEAD))
        origin = (left + BOX_EDGE, top + BOX_HEAD)
        for path in found.inside[container]:
            page.corners[path] = _moved(page.corners[path], origin)
        for link, points in bends[container]:
            page.lines.append((link, [_moved(point, origin) for point in points]))
    page.lines = [(link, _line(page, link, points)) for link, points in page.lines]
    return page


def _inside(found: Drawing, page: Page, container: str) -> tuple[Point, list[tuple[Link, list[Point]]]]:
    """Place what is directly in a container, relative to its corner."""
    names = found.inside[container]
    place = {name: index for index, name in enumerate(names)}
    for name in names:
        page.sizes.setdefault(name, (CARD_WIDTH, CARD_HEIGHT))
    links = [link for link in found.links if link.container == container]
    pairs = [
        (
            place[found.child_of(container, link.start)],
            place[found.child_of(container, link.end)],
            _breadth(link, page.is_wide),
        )
        for link in links
    ]
    forward = [pair for link, pair in zip(links, pairs, strict=True) if not link.is_back]
    sizes = [_turned(page.sizes[name], page.is_wide) for name in names]
    laid = lay_out(sizes, forward, GAP_ALONG, GAP_ACROSS)
    for name, corner in zip(names, laid.corners, strict=True):
        page.corners[name] = _turned(corner, page.is_wide)
    ways = iter(laid.bends)
    bends = [
        (link, [] if link.is_back else [_turned(point, page.is_wide) for point in next(ways)])
        for link in links
    ]
    return _turned((laid.main, laid.cross), page.is_wide), bends


def _line(page: Page, link: Link, bends: list[Point]) -> list[Point]:
    """Route a line from the far side of its start to the near side of its end.

    A back edge goes along their sides.
    """
    (x, y), (width, height) = page.corners[link.start], page.sizes[link.start]
    (to_x, to_y), (to_width, to_height) = page.corners[link.end], page.sizes[link.end]
    if link.is_back and page.is_wide:
        return [(x + width * 0.5, y + height), (to_x + to_width * 0.5, to_y + to_height)]
    if link.is_back:
        return [(x + width, y + height * 0.5), (to_x + to_width, to_y + to_height * 0.5)]
    if page.is_wide:
        start, end = (x + width, y + height / 2), (to_x, to_y + to_height / 2)
        return [start, (bends[0][0], start[1]), *bends[1:-1], (bends[-1][0], end[1]), end]
    start, end = (x + width / 2, y + height), (to_x + to_width / 2, to_y)
    return [start, (start[0], bends[0][1]), *bends[1:-1], (end[0], bends[-1][1]), end]


def _breadth(link: Link, is_wide: bool) -> float:
    """Return the space that a line's label takes where the line passes other nodes."""
    return 0.0 if not link.label else 18.0 if is_wide else len(link.label) * 6.6


def _turned(pair: Point, is_wide: bool) -> Point:
    return pair if is_wide else (pair[1], pair[0])


def _moved(point: Point, by: Point) -> Point:
    return point[0] + by[0], point[1] + by[1]
