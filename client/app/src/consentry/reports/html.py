"""A report as one HTML file: printable, readable by screen readers, nothing fetched from anywhere."""

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from consentry.reports.column_widths import column_shares
from consentry.reports.figures import Figure, draw
from consentry.reports.report import Report
from consentry.reports.values import Unavailable, lines

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2}T)(\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)")
_BETWEEN_WORDS = re.compile(r"(?<=[A-Z])_(?=[A-Z])")


def render(report: Report) -> str:
    """The report as the text of an HTML document.

    Args:
        report: the report.

    Returns:
        HTML5 in UTF-8 without scripts and without references to other files; every text is escaped.
    """
    environment = Environment(
        loader=PackageLoader("consentry.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["lines"] = lines
    environment.filters["shares"] = column_shares
    environment.filters["breakable"] = _breakable
    environment.filters["drawing"] = _drawing
    environment.tests["unavailable"] = _is_unavailable
    return environment.get_template("report.html.j2").render(report=report)


def _breakable(text: str) -> Markup:
    """A text whose instants break between day and time and nowhere else, and codes between their words."""
    parts = r'<span class="whole">\1</span><wbr><span class="whole">\2</span>'
    instants = _INSTANT.sub(parts, str(escape(text)))
    return Markup(_BETWEEN_WORDS.sub("_<wbr>", instants))  # noqa: S704 - escaped before


def _is_unavailable(value: object) -> bool:
    return isinstance(value, Unavailable)


def _drawing(figure: Figure) -> Markup:
    """The drawing itself; what it says is in its description, for it is hidden from screen readers."""
    # Inside HTML the namespaces are known; naming them would look like references to other places.
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", draw(figure)).replace("xlink:href", "href")
    return Markup(svg.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704 - our own drawing
