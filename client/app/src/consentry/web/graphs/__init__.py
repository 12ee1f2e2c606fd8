"""Drawings on pages: graphs and time lines as static SVG."""

from consentry.web.graphs.drawing import draw
from consentry.web.graphs.graph import MOST_OF_A_KIND, Edge, Graph, Node, make_graph
from consentry.web.graphs.layout import Layout, lay_out
from consentry.web.graphs.time_line import Interval, draw_time_line

__all__ = [
    "MOST_OF_A_KIND",
    "Edge",
    "Graph",
    "Interval",
    "Layout",
    "Node",
    "draw",
    "draw_time_line",
    "lay_out",
    "make_graph",
]
