"""Where nodes and edges are drawn, in pixels: boxes that never overlap, and a line for every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consentry.web.graphs.columns import Slot, in_columns, is_node
from consentry.web.graphs.graph import Edge, Graph, Node

BOX_WIDTH, BOX_HEIGHT = 208, 62
COLUMN_GAP, ROW_GAP = 56, 18
MARGIN = 8
_PASSAGE_HEIGHT = 10

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A node's box: its upper left corner; all have one size."""

    node: Node
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """An edge's points, from the border of its first box to that of its second."""

    edge: Edge
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing's size, boxes and lines."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def lay_out(graph: Graph) -> Layout:
    """Give every node a box and every edge a line."""
    columns = in_columns(graph)
    heights = [_height(column) for column in columns.slots]
    whole = max(heights, default=0)
    places: dict[Slot, Point] = {}
    for index, column in enumerate(columns.slots):
        x = MARGIN + index * (BOX_WIDTH + COLUMN_GAP)
        y = MARGIN + (whole - heights[index]) / 2
        for slot in column:
            places[slot] = (x, y)
            y += _slot_height(slot) + ROW_GAP
    nodes = {node.key: node for node in graph.nodes}
    count = len(columns.slots)
    return Layout(
        width=2 * MARGIN + count * BOX_WIDTH + max(count - 1, 0) * COLUMN_GAP,
        height=round(2 * MARGIN + whole),
        boxes=tuple(Box(nodes[slot[0]], *place) for slot, place in places.items() if is_node(slot)),
        lines=tuple(
            Line(edge, _points([(slot, *places[slot]) for slot in route]))
            for edge, route in zip(graph.edges, columns.routes, strict=True)
        ),
    )


def _slot_height(slot: Slot) -> int:
    return BOX_HEIGHT if is_node(slot) else _PASSAGE_HEIGHT


def _height(column: Sequence[Slot]) -> float:
    return sum(map(_slot_height, column)) + max(len(column) - 1, 0) * ROW_GAP


def _points(route: Sequence[tuple[Slot, float, float]]) -> tuple[Point, ...]:
    """From border to border; a passage is crossed on a level, so that no box is touched."""
    runs_right = route[0][1] <= route[-1][1]
    found: list[Point] = []
    for index, (slot, x, y) in enumerate(route):
        middle = y + _slot_height(slot) / 2
        sides = [(x, middle), (x + BOX_WIDTH, middle)]
        if not runs_right:
            sides.reverse()
        if index == 0:
            sides = sides[1:]
        elif index == len(route) - 1:
            sides = sides[:1]
        found += sides
    return tuple(found)
