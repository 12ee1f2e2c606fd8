"""Graphs of a size that people can read: of many nodes of one kind those nearest to what it is about."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace

from consentry.web.graphs.graph import Graph, Node, make_graph

MOST_OF_A_KIND = 12


def bounded(graph: Graph, more: Callable[[int], str], most: int = MOST_OF_A_KIND) -> Graph:
    """A graph with at most so many nodes of each kind; one node stands for all others of its kind.

    Args:
        graph: the graph; what it is about stays.
        more: how "… and 7 more" is said.
        most: of each kind.

    Returns:
        The graph; edges of nodes that are left out lead to the node that stands for them.
    """
    taken: Counter[str] = Counter()
    stand_in: dict[str, str] = {}
    left_out: dict[str, list[Node]] = {}
    for node in _nearest_first(graph):
        if taken[node.kind] < most:
            taken[node.kind] += 1
        else:
            left_out.setdefault(node.kind, []).append(node)
            stand_in[node.key] = f"more/{node.kind}"
    kept = [node for node in graph.nodes if node.key not in stand_in]
    others = [
        replace(nodes[0], key=f"more/{kind}", label=more(len(nodes)), detail="", link="", is_subject=False)
        for kind, nodes in left_out.items()
    ]
    edges = ((stand_in.get(begin, begin), stand_in.get(end, end)) for begin, end in graph.edges)
    return make_graph([*kept, *others], edges)


def _nearest_first(graph: Graph) -> list[Node]:
    """The nodes by how many edges they are away from what the graph is about, else in their order."""
    beside: dict[str, list[str]] = {node.key: [] for node in graph.nodes}
    for begin, end in graph.edges:
        beside[begin].append(end)
        beside[end].append(begin)
    distance = {node.key: 0 for node in graph.nodes if node.is_subject}
    waiting = deque(distance)
    while waiting:
        key = waiting.popleft()
        for other in beside[key]:
            if other not in distance:
                distance[other] = distance[key] + 1
                waiting.append(other)
    return sorted(graph.nodes, key=lambda node: distance.get(node.key, len(distance)))
