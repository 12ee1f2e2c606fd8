"""A graph as static SVG: no script, no style, nothing fetched; its boxes are links, its words in a title.

Whoever does not see it has the same in a table beside it: the drawing alone tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from markupsafe import Markup

from consentry.web.graphs.layout import BOX_HEIGHT, BOX_WIDTH, Box, Layout, Line, Point

INK, PAPER, LINE = "#1b1f24", "#ffffff", "#57606a"
_COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "version": "#1f4e79",
        "grant": "#2e6b34",
        "session": "#8a4600",
        "modelversion": "#6a1b9a",
        "consent": "#9b1c1c",
    }
)
_LONGEST_TEXT = 29
_LONGEST_HEADING = 34

_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="{key}-title {key}-description" '
    'viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="13" class="lineage">'
    '<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
    '<defs><marker id="{key}-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{line}"/></marker></defs>{lines}{boxes}</svg>'
)
_LINE = Markup(
    '<path d="{path}" fill="none" stroke="{line}" stroke-width="1.5" marker-end="url(#{key}-arrow)"/>'
)
_BOX = Markup(
    '<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="4" fill="{paper}" stroke="{colour}" '
    'stroke-width="{stroke}"/><rect x="{x:g}" y="{y:g}" width="6" height="{height}" fill="{colour}"/>'
    '<text x="{text:g}" y="{first:g}" font-size="11" fill="{colour}">{heading}</text>'
    '<text x="{text:g}" y="{second:g}" font-weight="600" fill="{ink}">{label}</text>'
    '<text x="{text:g}" y="{third:g}" font-size="11" fill="{ink}">{detail}</text>'
)
_GROUP = Markup("<g><title>{title}</title>{box}</g>")
_ANCHOR = Markup('<a href="{link}"><title>{title}</title>{box}</a>')


def draw(layout: Layout, *, key: str, title: str, description: str) -> Markup:
    """A layout as an SVG element.

    Args:
        layout: the layout.
        key: begins the ids in it; different for each drawing of a page.
        title: what it shows.
        description: the same in a sentence or two, for whoever does not see it.
    """
    return _SVG.format(
        key=key,
        width=max(layout.width, 1),
        height=max(layout.height, 1),
        title=title,
        description=description,
        line=LINE,
        lines=Markup("").join(_line(line, key) for line in layout.lines),
        boxes=Markup("").join(map(_box, layout.boxes)),
    )


def _line(line: Line, key: str) -> Markup:
    return _LINE.format(path=_path(line.points), line=LINE, key=key)


def _path(points: Sequence[Point]) -> str:
    """Level where an edge leaves, passes and arrives, an S between columns."""
    (x, y), *rest = points
    parts = [f"M{x:g},{y:g}"]
    for index, (next_x, next_y) in enumerate(rest):
        if index % 2:
            parts.append(f"L{next_x:g},{next_y:g}")
        else:
            middle = (x + next_x) / 2
            parts.append(f"C{middle:g},{y:g} {middle:g},{next_y:g} {next_x:g},{next_y:g}")
        x, y = next_x, next_y
    return " ".join(parts)


def _box(box: Box) -> Markup:
    node = box.node
    drawn = _BOX.format(
        x=box.x,
        y=box.y,
        text=box.x + 16,
        first=box.y + 18,
        second=box.y + 35,
        third=box.y + 52,
        width=BOX_WIDTH,
        height=BOX_HEIGHT,
        stroke=3 if node.is_subject else 1,
        paper=PAPER,
        ink=INK,
        colour=_COLOURS.get(node.kind, LINE),
        heading=_cut(node.heading, _LONGEST_HEADING),
        label=_cut(node.label, _LONGEST_TEXT - 3),
        detail=_cut(node.detail, _LONGEST_HEADING),
    )
    title = " · ".join(filter(None, (node.heading, node.label, node.detail)))
    return (_ANCHOR if node.link else _GROUP).format(link=node.link, title=title, box=drawn)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
