"""How task types look: a colour and a sign each, so that they can be told apart without reading, or without colours."""

from __future__ import annotations

from typing import Final

COLORS: Final[dict[str, str]] = {
    "agent": "#7c5cff",
    "condition": "#d6409f",
    "event": "#e5730f",
    "foreach": "#0f9d8a",
    "human": "#c98a00",
    "loop": "#0f9d8a",
    "parallel": "#7b8496",
    "subworkflow": "#3e63dd",
    "tool": "#1f87d9",
    "transform": "#5f6b7c",
    "wait": "#8a8f98",
    "webhook": "#2e9e5b",
}
SIGNS: Final[dict[str, str]] = {
    "agent": "M12 3.5l2 6.5 6.5 2-6.5 2-2 6.5-2-6.5-6.5-2 6.5-2z",
    "condition": "M12 4l8 8-8 8-8-8z",
    "event": "M13.5 3L6 13.5h5L10.5 21 18 10.5h-5z",
    "foreach": "M8 6.5h12M8 12h12M8 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01",
    "human": "M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6zM4.8 20c.6-4 3.4-5.6 7.2-5.6s6.6 1.6 7.2 5.6",
    "loop": "M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15",
    "parallel": "M6 5v14M12 5v14M18 5v14",
    "subworkflow": "M4 4h6.5v6.5H4zM13.5 13.5H20V20h-6.5zM10.5 7.25h3.25a3 3 0 0 1 3 3v3.25",
    "tool": "M14.8 5a4.6 4.6 0 0 0-5.9 5.9L4 15.8 8.2 20l4.9-4.9A4.6 4.6 0 0 0 19 9.2l-2.9 2.9-3.2-.8-.9-3.3z",
    "transform": "M4 8.5h14M14.5 5l3.5 3.5-3.5 3.5M20 16H6M9.5 12.5L6 16l3.5 3.5",
    "wait": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 7.5V12l3 2.2",
    "webhook": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c5 5 5 11 0 16M12 4c-5 5-5 11 0 16",
}
"""Paths in a square of 24."""
STYLE: Final = """
.sw{--paper:#fbfbfd;--ink:#1b1f29;--muted:#697386;--line:#d5d9e2;--wire:#9aa3b5;--card:#ffffff;--box:#7b849612;--hot:#e5484d;
font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}
@media(prefers-color-scheme:dark){.sw{--paper:#12151c;--ink:#eceef3;--muted:#98a2b5;--line:#343b4a;--wire:#5c6679;--card:#1b202b;
--box:#aab4c80d;--hot:#ff6b6f}}
.paper{fill:var(--paper)}.card{fill:var(--card);stroke:var(--line)}.box{fill:var(--box);stroke:var(--line)}
.hot{stroke:var(--hot);stroke-width:2}.maybe{stroke-dasharray:5 4}
.wire{fill:none;stroke:var(--wire);stroke-width:1.5}.wire.hot{stroke:var(--hot);stroke-width:2.5}.wire.back{stroke-dasharray:5 4}
.tip{fill:var(--wire)}.tip.hot{fill:var(--hot);stroke:none}
text{fill:var(--ink)}.name{font-size:13px;font-weight:600}.said{font-size:11px;fill:var(--muted)}
.head{font-size:19px;font-weight:650}.note{font-size:12px;fill:var(--muted)}
.tag{font-size:11px;fill:var(--muted);text-anchor:middle;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
.sign{fill:none;stroke:#fff;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
""".strip().replace("\n", "")
