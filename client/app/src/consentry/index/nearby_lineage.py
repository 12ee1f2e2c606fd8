"""Lineage as a drawing needs it: the newest records of each kind around some, and what links them.

`lineage` follows everything, for reports; here each kind is bounded, and what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from consentry.index.checkpoint import IndexFault
from consentry.index.nearby import Nearby, newest, pointed_to, pointing_to
from consentry.index.rows import get_record, linked_from, linking_to
from consentry.index.schema import accesses, links

MOST_FOLLOWED = 200
"""No more dataset versions, or versions of one model, are followed from one to the next."""

Place = tuple[str, str]
"""Kind and id of a record."""


@dataclass(frozen=True)
class NearbyLineage:
    """Records around some, each kind newest first.

    Attributes:
        versions: dataset versions.
        grants: grants on them, and those narrowed away from them that the sessions used before.
        sessions: training sessions that used them.
        model_versions: model versions that these made.
        edges: from a record to another one that was made from it, or rests on it; between records shown.
    """

    versions: Nearby
    grants: Nearby
    sessions: Nearby
    model_versions: Nearby
    edges: tuple[tuple[Place, Place], ...]


def lineage_of_versions(connection: Connection, versions: Sequence[str], most: int) -> NearbyLineage:
    """What dataset versions were made from, and what was made from them.

    Args:
        connection: the index.
        versions: their ids.
        most: records of each kind.
    """
    onwards = followed(connection, "version", versions, linking_to)
    sources = followed(connection, "version", versions, linked_from)
    return lineage_around(connection, [*onwards, *sources], most)


def lineage_around(connection: Connection, versions: Sequence[str], most: int) -> NearbyLineage:
    """Dataset versions, and what rests on these very ones.

    Args:
        connection: the index.
        versions: their ids, followed already.
        most: records of each kind.
    """
    sessions = pointing_to("version", versions, "session")
    permits = pointed_to("session", sessions, "attempt")
    used = select(accesses.c.grant_id).where(
        accesses.c.attempt_id.in_(permits), accesses.c.version_id.in_(versions)
    )
    grants = select(pointing_to("version", versions, "grant").union(used).subquery())
    return _around(
        connection,
        versions=newest(connection, "version", versions, most),
        grants=newest(connection, "grant", grants, most),
        sessions=newest(connection, "session", sessions, most),
        model_versions=newest(connection, "modelversion", _made_by(sessions), most),
    )


def lineage_of_model_version(connection: Connection, model_version_id: str, most: int) -> NearbyLineage:
    """What a model version and its ancestors were made from, and what was made from it at once.

    Args:
        connection: the index.
        model_version_id: its id.
        most: records of each kind.

    Raises:
        IndexFault: MODEL_VERSION_NOT_INDEXED.
    """
    if get_record(connection, "modelversion", model_version_id) is None:
        raise IndexFault(
            "MODEL_VERSION_NOT_INDEXED", f"The index has no model version {model_version_id}; check the id."
        )
    ancestry = followed(connection, "modelversion", [model_version_id], linked_from)
    sessions = pointed_to("modelversion", ancestry, "session")
    data = followed(
        connection,
        "version",
        list(connection.scalars(pointed_to("session", sessions, "version"))),
        linked_from,
    )
    permits = select(accesses.c.grant_id).where(
        accesses.c.attempt_id.in_(pointed_to("session", sessions, "attempt"))
    )
    children = connection.scalars(
        pointing_to("modelversion", [model_version_id], "modelversion").limit(MOST_FOLLOWED)
    )
    return _around(
        connection,
        versions=newest(connection, "version", data, most),
        grants=newest(connection, "grant", permits, most),
        sessions=newest(connection, "session", sessions, most),
        model_versions=newest(connection, "modelversion", [*ancestry, *children], most),
    )


def followed(
    connection: Connection,
    kind: str,
    start: Iterable[str],
    step: Callable[[Connection, str, Iterable[str], str], list[str]],
) -> list[str]:
    """Records reached from some by links within their kind, they included, the nearest first, bounded."""
    found = dict.fromkeys(start)
    frontier = list(found)
    while frontier and len(found) < MOST_FOLLOWED:
        frontier = [key for key in step(connection, kind, frontier, kind) if key not in found]
        found |= dict.fromkeys(frontier)
    return list(found)[: max(MOST_FOLLOWED, 1)]


def _made_by(sessions: Select[Any]) -> Select[Any]:
    """A query for the model versions that sessions made, and all that were made from these."""
    table, kind = links.c, "modelversion"
    first = select(table.from_id, table.from_kind).where(
        table.to_kind == "session", table.to_id.in_(sessions), table.from_kind == kind
    )
    made = first.cte("made", recursive=True)
    # The kind comes with each row: with constants SQLite would scan all links of it for each step.
    onwards = select(table.from_id, made.c.from_kind).join(
        made,
        and_(
            table.to_id == made.c.from_id,
            table.to_kind == made.c.from_kind,
            table.from_kind == made.c.from_kind,
        ),
    )
    return select(made.union(onwards).c.from_id)


def _around(
    connection: Connection, versions: Nearby, grants: Nearby, sessions: Nearby, model_versions: Nearby
) -> NearbyLineage:
    shown = {
        (row.kind, row.record_id)
        for group in (versions, grants, sessions, model_versions)
        for row in group.rows
    }
    under = _under_grants(connection, sessions, shown)
    covered = {(version, session) for version, _, session in under}
    edges = [edge for edge in _links(connection, shown) if edge not in covered]
    edges += [(grant, session) for _, grant, session in under]
    return NearbyLineage(versions, grants, sessions, model_versions, tuple(dict.fromkeys(edges)))


def _links(connection: Connection, shown: set[Place]) -> list[tuple[Place, Place]]:
    """What records shown rest on, turned round: from what was there first."""
    table, ids = links.c, sorted({record_id for _, record_id in shown})
    query = select(table.from_kind, table.from_id, table.to_kind, table.to_id).where(
        table.from_kind.in_(sorted({kind for kind, _ in shown})), table.from_id.in_(ids)
    )
    query = query.where(table.to_kind != "attempt").order_by(table.to_id, table.from_id)
    found = [((row.to_kind, row.to_id), (row.from_kind, row.from_id)) for row in connection.execute(query)]
    return [edge for edge in found if shown.issuperset(edge)]


def _under_grants(
    connection: Connection, sessions: Nearby, shown: set[Place]
) -> list[tuple[Place, Place, Place]]:
    """Version, grant and session of each permit that a session shown used, where the grant is shown."""
    table = accesses.c
    query = (
        select(table.version_id, table.grant_id, links.c.from_id)
        .join(links, (links.c.to_kind == "attempt") & (links.c.to_id == table.attempt_id))
        .where(links.c.from_kind == "session", links.c.from_id.in_([row.record_id for row in sessions.rows]))
        .order_by(table.grant_id, links.c.from_id)
    )
    found = [
        (("version", version), ("grant", grant), ("session", session))
        for version, grant, session in connection.execute(query)
    ]
    return [entry for entry in found if entry[1] in shown]
