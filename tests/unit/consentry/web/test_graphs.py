"""Drawings of lineage: whatever the graph, nothing overlaps, every edge is drawn, and the size is bounded."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentry.web.graphs import (
    Graph,
    Interval,
    Node,
    draw,
    draw_time_line,
    lay_out,
    make_graph,
)
from consentry.web.graphs.layout import BOX_HEIGHT, BOX_WIDTH, Box, Layout, Point

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("version", "grant", "session", "modelversion")
HOSTILE = "</title><script>alert(1)</script>\"' &\n{0}{key}"


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own drawing


def node(number: int, kind: str = "version", **changes: object) -> Node:
    fields: dict[str, object] = {"heading": "Dataset version", "label": f"label {number}"}
    return Node(key=f"{kind}-{number}", kind=kind, **(fields | changes))  # type: ignore[arg-type]


@st.composite
def graphs(draw_from: st.DrawFn) -> Graph:
    count = draw_from(st.integers(0, 30))
    nodes = [
        node(number, draw_from(st.sampled_from(KINDS)), is_subject=number == 0) for number in range(count)
    ]
    keys = [entry.key for entry in nodes]
    if not keys:
        return make_graph([], [])
    ends = st.tuples(st.sampled_from(keys), st.sampled_from(keys))
    return make_graph(nodes, draw_from(st.lists(ends, max_size=60)))


def overlap(one: Box, other: Box) -> bool:
    return abs(one.x - other.x) < BOX_WIDTH and abs(one.y - other.y) < BOX_HEIGHT


def on_border(box: Box, point: Point) -> bool:
    return point[0] in (box.x, box.x + BOX_WIDTH) and box.y <= point[1] <= box.y + BOX_HEIGHT


def check(graph: Graph, layout: Layout) -> None:
    boxes = {box.node.key: box for box in layout.boxes}
    assert len(boxes) == len(layout.boxes) == len(graph.nodes)
    for index, box in enumerate(layout.boxes):
        assert 0 <= box.x <= layout.width - BOX_WIDTH
        assert 0 <= box.y <= layout.height - BOX_HEIGHT
        assert not any(overlap(box, other) for other in layout.boxes[index + 1 :])
    assert [line.edge for line in layout.lines] == list(graph.edges)
    for line in layout.lines:
        begin, end = (boxes[key] for key in line.edge)
        assert on_border(begin, line.points[0])
        assert on_border(end, line.points[-1])
        # A long edge passes columns on a level of its own: between its points there is no box.
        for left, right in zip(line.points[1:-1:2], line.points[2:-1:2], strict=True):
            assert left[1] == right[1]
            assert not any(
                box.x == min(left[0], right[0]) and abs(box.y + BOX_HEIGHT / 2 - left[1]) < BOX_HEIGHT / 2
                for box in layout.boxes
            )


@given(graphs())
@settings(deadline=None, max_examples=200)
def test_nothing_overlaps_and_every_edge_is_drawn(graph: Graph) -> None:
    check(graph, lay_out(graph))


def test_what_came_from_others_stands_to_the_right_of_them() -> None:
    layout = lay_out(
        make_graph(
            [node(1), node(2, "grant"), node(3, "session"), node(4, "modelversion")],
            [("version-1", "grant-2"), ("grant-2", "session-3"), ("session-3", "modelversion-4")],
        )
    )
    by_key = {box.node.key: box.x for box in layout.boxes}
    assert by_key["version-1"] < by_key["grant-2"] < by_key["session-3"] < by_key["modelversion-4"]


def test_a_circle_is_drawn_whole() -> None:
    graph = make_graph(
        [node(1), node(2), node(3)],
        [("version-1", "version-2"), ("version-2", "version-3"), ("version-3", "version-1")],
    )
    check(graph, lay_out(graph))


def test_order_does_without_crossings_where_none_is_needed() -> None:
    nodes = [node(number) for number in range(4)] + [node(number, "grant") for number in range(4)]
    edges = [(f"version-{number}", f"grant-{3 - number}") for number in range(4)]
    layout = lay_out(make_graph(nodes, edges))
    by_key = {box.node.key: box.y for box in layout.boxes}
    assert all(by_key[begin] == by_key[end] for begin, end in edges)


def test_the_drawing_has_words_links_and_nothing_that_a_strict_policy_forbids() -> None:
    graph = make_graph(
        [node(1, link="/datasets/x", is_subject=True, detail="NorthgateMSP"), node(2)],
        [("version-1", "version-2")],
    )
    svg = draw(lay_out(graph), key="lineage", title="Lineage of biopsies", description="Two versions.")
    root = parsed(svg)
    assert root.get("aria-labelledby") == "lineage-title lineage-description"
    assert root.findtext(f"{SVG}title") == "Lineage of biopsies"
    assert root.findtext(f"{SVG}desc") == "Two versions."
    (link,) = root.iter(f"{SVG}a")
    assert link.get("href") == "/datasets/x"
    assert link.findtext(f"{SVG}title") == "Dataset version · label 1 · NorthgateMSP"
    assert len(list(root.iter(f"{SVG}marker"))) == 1
    for element in root.iter():
        assert element.tag != f"{SVG}script"
        assert not {"style", "onclick", "onload"} & set(element.attrib)


@pytest.mark.parametrize("text", [HOSTILE, "\u202egnp.exe", "x" * 10_000, ""])
def test_hostile_words_stay_words(text: str) -> None:
    graph = make_graph([node(1, heading=text, label=text, detail=text, link="/x?" + text)], [])
    svg = draw(lay_out(graph), key="lineage", title=text, description=text)
    root = parsed(svg)
    assert root.findtext(f"{SVG}title") == text
    assert not list(root.iter(f"{SVG}script"))
    assert all(len(element.text or "") <= 40 for element in root.iter(f"{SVG}text"))


def test_an_empty_graph_is_drawn_as_nothing() -> None:
    root = parsed(draw(lay_out(make_graph([], [])), key="lineage", title="t", description="d"))
    assert not list(root.iter(f"{SVG}rect"))


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
@settings(deadline=None)
def test_bars_are_as_high_as_their_numbers(numbers: list[int]) -> None:
    svg = draw_time_line(
        [Interval(f"{index}", number) for index, number in enumerate(numbers)],
        key="time",
        title="Consents",
        description="d",
    )
    root = parsed(svg)
    bars = list(root.iter(f"{SVG}rect"))
    assert len(bars) == len(numbers)
    heights = [float(bar.get("height", "")) for bar in bars]
    assert all(0 <= height <= 164.1 for height in heights)
    largest = max(range(len(numbers)), key=numbers.__getitem__)
    assert heights[largest] == max(heights)
    assert max(heights) > 18 or max(numbers) == 0
