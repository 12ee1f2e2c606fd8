"""What is to be drawn: records as nodes, what came from what as edges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_OF_A_KIND = 12
"""Of so many records of a kind a drawing is still one that people can read."""

Edge = tuple[str, str]
"""Keys of two nodes: the second came from the first, or rests on it."""


@dataclass(frozen=True, slots=True)
class Node:
    """One record, or several that are not drawn one by one.

    Attributes:
        key: different from that of every other node.
        kind: kind of the record, e.g. ``version``, ``grant``.
        heading: what it is, e.g. "Dataset version".
        label: which one.
        detail: what else a reader has to see, e.g. whose it is and its state; may be empty.
        link: path of its page; empty where it has none.
        is_subject: whether it is what the drawing is about.
    """

    key: str
    kind: str
    heading: str
    label: str
    detail: str = ""
    link: str = ""
    is_subject: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes with different keys, and different edges between two of them each."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def make_graph(nodes: Iterable[Node], edges: Iterable[Edge]) -> Graph:
    """A graph of the nodes; of the edges those that lead from one of them to another one, each once."""
    by_key = {node.key: node for node in nodes}
    wanted = [(begin, end) for begin, end in edges if begin in by_key and end in by_key and begin != end]
    return Graph(tuple(by_key.values()), tuple(dict.fromkeys(wanted)))
