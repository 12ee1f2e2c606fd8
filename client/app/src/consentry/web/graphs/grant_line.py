"""A grant over time as static SVG: when it holds, when it was suspended, and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from consentry.web.graphs.drawing import INK, LINE
from consentry_records.instants import milliseconds_between

_WIDTH, _HEIGHT = 720, 96
_LEFT, _RIGHT, _TOP, _BAR = 16, 16, 30, 22
_COLOURS = {"holds": "#1f4e79", "suspended": "#b85c00"}
_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="grant-title grant-description" '
    'viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-size="11">'
    '<title id="grant-title">{title}</title><desc id="grant-description">{description}</desc>'
    '<line x1="{left}" x2="{right}" y1="{axis}" y2="{axis}" stroke="{line}"/>{spans}{marks}</svg>'
)
_SPAN = Markup(
    '<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" fill="{colour}">'
    "<title>{title}</title></rect>"
)
_MARK = Markup(
    '<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{ink}" stroke-width="1.5"/>'
    '<text x="{x:.1f}" y="{text_y}" text-anchor="{anchor}" fill="{ink}">{text}</text>'
)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time: ``holds`` or ``suspended``, its words, begin and end (instants)."""

    kind: str
    title: str
    begin: str
    end: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant, in a word."""

    text: str
    at: str


def draw_grant(spans: Sequence[Span], marks: Sequence[Mark], *, title: str, description: str) -> Markup:
    """A grant's time as an SVG element.

    Args:
        spans: at least one; later ones lie upon earlier ones.
        marks: what is written beside the line, above and below in turn.
        title: what it shows.
        description: the same in a sentence, for whoever does not see it.
    """
    instants = [instant for span in spans for instant in (span.begin, span.end)] + [m.at for m in marks]
    first, last = min(instants), max(instants)
    whole = max(milliseconds_between(first, last), 1)

    def x(instant: str) -> float:
        share = milliseconds_between(first, instant) / whole
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * share

    return _SVG.format(
        width=_WIDTH,
        height=_HEIGHT,
        title=title,
        description=description,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        axis=_TOP + _BAR,
        line=LINE,
        spans=Markup("").join(_span(span, x(span.begin), x(span.end)) for span in spans),
        marks=Markup("").join(_mark(mark, x(mark.at), index) for index, mark in enumerate(marks)),
    )


def _span(span: Span, begin: float, end: float) -> Markup:
    lower = span.kind == "suspended"
    return _SPAN.format(
        x=begin,
        y=_TOP + (_BAR // 2 if lower else 0),
        width=max(end - begin, 1),
        height=_BAR // 2 if lower else _BAR,
        colour=_COLOURS[span.kind],
        title=span.title,
    )


def _mark(mark: Mark, x: float, index: int) -> Markup:
    """Words alternate above and below, so that neighbours do not cover each other."""
    above = index % 2 == 0
    anchor = "start" if x < _WIDTH / 3 else "end" if x > 2 * _WIDTH / 3 else "middle"
    return _MARK.format(
        x=x,
        top=_TOP - 8 if above else _TOP,
        bottom=_TOP + _BAR if above else _TOP + _BAR + 10,
        text_y=_TOP - 14 if above else _TOP + _BAR + 24,
        anchor=anchor,
        ink=INK,
        text=mark.text,
    )
