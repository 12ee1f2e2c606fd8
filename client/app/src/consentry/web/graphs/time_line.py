"""A number over time as bars: static SVG, made in a hundredth of the time that Matplotlib takes to start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from consentry.web.graphs.drawing import INK, LINE

_WIDTH, _HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 10, 26
_LABELS = 6
_COLOUR = "#1f4e79"

_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{key}-title {key}-description" '
    'viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="11" class="time-line">'
    '<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
    "{grid}{bars}{labels}</svg>"
)
_BAR = Markup(
    '<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
    "<title>{title}</title></rect>"
)
_GRID = Markup(
    '<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{line}" stroke-width="0.5"/>'
    '<text x="{text}" y="{below:.1f}" text-anchor="end" fill="{ink}">{number:,}</text>'
)
_LABEL = Markup('<text x="{x:.1f}" y="{y}" text-anchor="middle" fill="{ink}">{text}</text>')


@dataclass(frozen=True, slots=True)
class Interval:
    """One bar: how its interval is called, and the number."""

    name: str
    number: int


def draw_time_line(intervals: Sequence[Interval], *, key: str, title: str, description: str) -> Markup:
    """Numbers of intervals that follow one another as an SVG element.

    Args:
        intervals: at least one; numbers not below 0.
        key: begins the ids in it; different for each drawing of a page.
        title: what it shows.
        description: the same in a sentence, for whoever does not see it.
    """
    most = _round_up(max(entry.number for entry in intervals))
    step = (_WIDTH - _LEFT - _RIGHT) / max(len(intervals), _LABELS)
    return _SVG.format(
        key=key,
        title=title,
        description=description,
        width=_WIDTH,
        height=_HEIGHT,
        grid=Markup("").join(_grid(number, most) for number in sorted({0, most // 2, most})),
        bars=Markup("").join(_bar(index, entry, step, most) for index, entry in enumerate(intervals)),
        labels=Markup("").join(
            _LABEL.format(x=_LEFT + (index + 0.5) * step, y=_HEIGHT - 8, ink=INK, text=intervals[index].name)
            for index in range(0, len(intervals), -(-len(intervals) // _LABELS))
        ),
    )


def _y(number: int, most: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - number / most)


def _grid(number: int, most: int) -> Markup:
    y = _y(number, most)
    return _GRID.format(
        left=_LEFT, right=_WIDTH - _RIGHT, text=_LEFT - 6, y=y, below=y + 4, line=LINE, ink=INK, number=number
    )


def _bar(index: int, entry: Interval, step: float, most: int) -> Markup:
    top = _y(entry.number, most)
    return _BAR.format(
        x=_LEFT + (index + 0.1) * step,
        y=top,
        width=0.8 * step,
        height=_y(0, most) - top,
        colour=_COLOUR,
        title=f"{entry.name}: {entry.number:,}",
    )


def _round_up(number: int) -> int:
    """The next number with one figure that is not 0, and not less than 2."""
    power: int = 10 ** max(len(str(number)) - 1, 0)
    rounded: int = -(-number // power) * power
    return max(rounded, 2)
