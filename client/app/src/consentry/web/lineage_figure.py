"""Lineage on a page: a drawing, and the same in a table for whoever does not see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from consentry.index.nearby import MOST_COUNTED, Nearby
from consentry.index.nearby_lineage import NearbyLineage, Place
from consentry.index.rows import RecordRow
from consentry.web.graphs import Edge, Graph, Node, draw, lay_out, make_graph
from consentry.web.links import record_path, short_id
from consentry.web.values import number
from consentry.web.views.records import grant_state

Words = Callable[..., str]
"""``text(key, **parameters)`` in somebody's language."""

_KINDS = ("version", "grant", "session", "modelversion")


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One record of the drawing: what it is, which one, whose and in which state, and what it came from."""

    heading: str
    label: str
    link: str
    detail: str
    comes_from: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineageFigure:
    """A drawing with the same as rows of a table, what comes first first."""

    drawing: Markup
    rows: tuple[LineageRow, ...]


def lineage_figure(
    lineage: NearbyLineage, subjects: Collection[Place], at: str, words: Words, *, key: str = "lineage"
) -> LineageFigure:
    """Draw a lineage.

    Args:
        lineage: what is drawn, already bounded.
        subjects: kind and id of the records that it is about.
        at: the instant at which grants are read.
        words: texts in the reader's language.
        key: begins the ids in the drawing; different for each one of a page.
    """
    graph = _graph(lineage, subjects, at, words)
    groups = _groups(lineage)
    drawing = draw(
        lay_out(graph),
        key=key,
        title=words("lineage.title"),
        description=words("lineage.description", **{kind: group.count for kind, group in groups.items()}),
    )
    return LineageFigure(drawing, tuple(_rows(graph)))


def _groups(lineage: NearbyLineage) -> Mapping[str, Nearby]:
    groups = (lineage.versions, lineage.grants, lineage.sessions, lineage.model_versions)
    return dict(zip(_KINDS, groups, strict=True))


def _graph(lineage: NearbyLineage, subjects: Collection[Place], at: str, words: Words) -> Graph:
    nodes: list[Node] = []
    edges: list[Edge] = [(_key(*begin), _key(*end)) for begin, end in lineage.edges]
    before = ""
    for kind, group in _groups(lineage).items():
        # Oldest first: so what came from it stands below it where the layout leaves a choice.
        nodes += [_node(row, (kind, row.record_id) in subjects, at, words) for row in reversed(group.rows)]
        if group.left_out:
            more = Node(f"rest/{kind}", f"rest/{kind}", words(f"lineage.{kind}"), _more(group, words))
            nodes.append(more)
            edges.append((before, more.key))
            before = more.key
        elif group.rows:
            before = _key(kind, group.rows[0].record_id)
    return make_graph(nodes, edges)


def _more(group: Nearby, words: Words) -> str:
    if group.count > MOST_COUNTED:
        return words("lineage.many", count=number(MOST_COUNTED))
    return words("lineage.more", count=number(group.left_out))


def _node(row: RecordRow, is_subject: bool, at: str, words: Words) -> Node:
    return Node(
        key=_key(row.kind, row.record_id),
        kind=row.kind,
        heading=words(f"lineage.{row.kind}"),
        label=_label(row, words),
        detail=_detail(row, at, words),
        link=record_path(row.kind, row.record_id),
        is_subject=is_subject,
    )


def _label(row: RecordRow, words: Words) -> str:
    if row.kind == "version" and row.body:
        return words("lineage.version_label", name=row.body["name"], number=row.body["number"])
    return short_id(row.record_id)


def _detail(row: RecordRow, at: str, words: Words) -> str:
    if not row.honoured:
        return words("record.forged_short")
    if row.kind == "grant":
        state = words(f"grant_states.{grant_state(row, at)}")
        return words("lineage.grant_detail", grantee=row.body.get("grantee", ""), state=state)
    if row.kind == "modelversion":
        return str(row.body.get("registered_at", ""))[:10]
    states = {"version": "version_states", "session": "session_states"}
    return f"{row.owner} · {words(f'{states[row.kind]}.{row.state}')}"


def _rows(graph: Graph) -> Iterator[LineageRow]:
    by_key = {node.key: node for node in graph.nodes}
    for node in graph.nodes:
        sources = [by_key[begin] for begin, end in graph.edges if end == node.key]
        comes_from = tuple(f"{source.heading} {source.label}" for source in sources)
        yield LineageRow(node.heading, node.label, node.link, node.detail, comes_from)


def _key(kind: str, record_id: str) -> str:
    return f"{kind}/{record_id}"
