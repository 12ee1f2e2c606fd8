"""Drawings in reports: time lines as static SVG, the same bytes from the same data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from io import BytesIO
from math import ceil
from typing import Any

_COLOURS = ("#1f4e79", "#b85c00", "#5b5b5b", "#2e7d32", "#7b1fa2", "#9b1c1c")
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++")
_FEWEST_BARS, _MOST_BARS = 4, 60
_WIDEST_INCHES = 9.0
_INCHES_A_BAR, _INCHES_BESIDE = 0.45, 1.5
_INCHES_A_DAY = 0.9
"""What a day takes where it is written below its bar, with the space to the next one."""


@dataclass(frozen=True)
class Figure:
    """One drawing: bars over time, those of one interval upon one another.

    Attributes:
        key: stable name.
        title: what it shows.
        description: the same in words, for whoever does not see it.
        begins: first days of the intervals.
        heights: kind → one number an interval.
        unit: what the numbers are for, e.g. ``day``.
    """

    key: str
    title: str
    description: str
    begins: tuple[date, ...]
    heights: Mapping[str, tuple[int, ...]]
    unit: str = "day"


def time_line(key: str, title: str, events: Mapping[str, Iterable[str]]) -> Figure | None:
    """How many events of each kind there were, over time.

    Args:
        key: stable name.
        title: what it shows.
        events: kind → instants, in the order in which kinds are drawn.

    Returns:
        The drawing; None where there are no events.
    """
    counted = {kind: Counter(instant[:10] for instant in instants) for kind, instants in events.items()}
    return time_line_of_days(key, title, counted)


def time_line_of_days(key: str, title: str, counted: Mapping[str, Mapping[str, int]]) -> Figure | None:
    """The same of events that are counted already: kind → day (``YYYY-MM-DD``) → number."""
    days = {kind: found for kind, found in counted.items() if found}
    if not days:
        return None
    first, last = min(map(min, days.values())), max(map(max, days.values()))
    begins, width = _intervals(date.fromisoformat(first), date.fromisoformat(last))
    heights = {kind: _summed(found, begins, width) for kind, found in days.items()}
    totals = ", ".join(f"{sum(found.values())} {kind}" for kind, found in days.items())
    unit = "day" if width.days == 1 else f"{width.days} days"
    when = f"On {first}" if first == last else f"From {first} to {last}, a bar each {unit}"
    return Figure(key, title, f"{when}: {totals}.", begins, heights, unit)


def _intervals(first: date, last: date) -> tuple[tuple[date, ...], timedelta]:
    count = (last - first).days + 1
    width = timedelta(days=-(-count // _MOST_BARS))
    return tuple(first + index * width for index in range(-(-count // width.days))), width


def _summed(found: Mapping[str, int], begins: Sequence[date], width: timedelta) -> tuple[int, ...]:
    heights = [0] * len(begins)
    for day, number in found.items():
        heights[(date.fromisoformat(day) - begins[0]).days // width.days] += number
    return tuple(heights)


def draw(figure: Figure) -> str:
    """A figure as an SVG document without scripts and without references to other files.

    Returns:
        The document; empty where Matplotlib is not installed (``pip install consentry[reports]``): the
        description then has to do.
    """
    if find_spec("matplotlib") is None:
        return ""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Drawing
    from matplotlib.ticker import MaxNLocator

    settings = {
        "svg.hashsalt": "consentry",
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        # Few bars are as narrow as many, and so is the drawing.
        places = max(len(figure.begins), _FEWEST_BARS)
        width = min(_WIDEST_INCHES, _INCHES_BESIDE + _INCHES_A_BAR * places)
        drawing = Drawing(figsize=(width, 2.6), layout="constrained")
        axes = drawing.add_subplot()
        _add_bars(axes, figure)
        shown = range(0, len(figure.begins), ceil(_INCHES_A_DAY * places / (width - _INCHES_BESIDE)))
        axes.set_xticks(list(shown), [figure.begins[index].isoformat() for index in shown])
        axes.set_xlim(-0.6, places - 0.4)
        axes.set_ylabel(f"number each {figure.unit}")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        target = BytesIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        drawing.savefig(target, format="svg", metadata=nothing)
    text = target.getvalue().decode()
    return text[text.index("<svg") :]


def _add_bars(axes: Any, figure: Figure) -> None:
    below = [0] * len(figure.begins)
    for index, (kind, values) in enumerate(figure.heights.items()):
        style = index % len(_COLOURS)
        look = {"color": _COLOURS[style], "hatch": _HATCHES[style], "edgecolor": "white"}
        axes.bar(range(len(values)), values, 0.8, below, label=kind, **look)
        below = [low + value for low, value in zip(below, values, strict=True)]
