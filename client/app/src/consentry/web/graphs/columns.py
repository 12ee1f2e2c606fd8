"""Nodes in columns: what came from others stands to the right of them, and few edges cross.

The steps are those of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures", IEEE Transactions on Systems, Man, and Cybernetics 11(2), 1981: edges that close a circle are
turned round, columns by the longest path, long edges cut at every column, order by the mean of neighbours.
No library is used: those under a permissive licence need a process of another language or are a year old,
and what is drawn here has a few dozen nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from consentry.web.graphs.graph import Edge, Graph

Slot = tuple[str, int]
"""A place in a column: a node's key and -1, or the number of an edge that passes and its column."""

_NODE = -1
_SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Columns:
    """Where everything stands.

    Attributes:
        slots: each column's places from top to bottom.
        routes: for each edge of the graph the places that it leads over, from its begin to its end.
    """

    slots: tuple[tuple[Slot, ...], ...]
    routes: tuple[tuple[Slot, ...], ...]


def node_slot(key: str) -> Slot:
    """A node's place."""
    return key, _NODE


def is_node(slot: Slot) -> bool:
    """Whether a place is a node's, not one that an edge passes."""
    return slot[1] == _NODE


def in_columns(graph: Graph) -> Columns:
    """Put a graph's nodes and edges into columns."""
    forward = _forward(graph)
    column = _columns(graph, forward)
    routes = [_route(number, edge, column) for number, edge in enumerate(forward)]
    slots: list[list[Slot]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for node in graph.nodes:
        slots[column[node.key]].append(node_slot(node.key))
    for edge, route in zip(forward, routes, strict=True):
        for offset, slot in enumerate(route[1:-1], 1):
            slots[column[edge[0]] + offset].append(slot)
    _order(slots, routes)
    turned = [
        route if edge == ahead else route[::-1]
        for edge, ahead, route in zip(graph.edges, forward, routes, strict=True)
    ]
    return Columns(tuple(map(tuple, slots)), tuple(map(tuple, turned)))


def _forward(graph: Graph) -> list[Edge]:
    """The edges, those that close a circle turned round."""
    after: dict[str, list[str]] = defaultdict(list)
    for begin, end in graph.edges:
        after[begin].append(end)
    finished: set[str] = set()
    back: set[Edge] = set()
    for node in graph.nodes:
        path: dict[str, Iterable[str]] = {}
        if node.key not in finished:
            path[node.key] = iter(after[node.key])
        while path:
            key, left = next(reversed(path.items()))
            step = next(iter(left), None)
            if step is None:
                finished.add(key)
                del path[key]
            elif step in path:
                back.add((key, step))
            elif step not in finished:
                path[step] = iter(after[step])
    return [edge[::-1] if edge in back else edge for edge in graph.edges]


def _columns(graph: Graph, forward: Sequence[Edge]) -> dict[str, int]:
    """Each node's column: the longest path to it; what rests on nothing stands beside what rests on it."""
    after, count = defaultdict(list), dict.fromkeys((node.key for node in graph.nodes), 0)
    for begin, end in forward:
        after[begin].append(end)
        count[end] += 1
    column = dict.fromkeys(count, 0)
    sources = [key for key, number in count.items() if not number]
    waiting = list(sources)
    for key in waiting:
        for step in after[key]:
            column[step] = max(column[step], column[key] + 1)
            count[step] -= 1
            if not count[step]:
                waiting.append(step)
    for key in sources:
        column[key] = min((column[step] - 1 for step in after[key]), default=0)
    return column


def _route(number: int, edge: Edge, column: Mapping[str, int]) -> list[Slot]:
    begin, end = edge
    passed = [(f"edge {number}", place) for place in range(column[begin] + 1, column[end])]
    return [node_slot(begin), *passed, node_slot(end)]


def _order(slots: list[list[Slot]], routes: Sequence[Sequence[Slot]]) -> None:
    """Sort each column by the mean place of its neighbours in the column before, then in the one after."""
    before: dict[Slot, list[Slot]] = defaultdict(list)
    after: dict[Slot, list[Slot]] = defaultdict(list)
    for route in routes:
        for left, right in pairwise(route):
            before[right].append(left)
            after[left].append(right)
    for _ in range(_SWEEPS):
        for index in range(1, len(slots)):
            _sort(slots[index], slots[index - 1], before)
        for index in range(len(slots) - 2, -1, -1):
            _sort(slots[index], slots[index + 1], after)


def _sort(column: list[Slot], beside: Sequence[Slot], neighbours: Mapping[Slot, Sequence[Slot]]) -> None:
    height = max(len(beside) - 1, 1)
    place = {slot: index / height for index, slot in enumerate(beside)}
    own = max(len(column) - 1, 1)
    weight: dict[Slot, float] = {}
    for index, slot in enumerate(column):
        near = [place[other] for other in neighbours.get(slot, ())]
        weight[slot] = sum(near) / len(near) if near else index / own
    column.sort(key=weight.__getitem__)
