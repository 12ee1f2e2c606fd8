"""What lies around some data: the records that rest on it, as rows of tables and as edges of a drawing."""

from __future__ import annotations

from dataclasses import dataclass

from consentry.index.nearby_lineage import NearbyLineage
from consentry.web.views.records import (
    GrantEntry,
    ModelVersionEntry,
    SessionEntry,
    VersionEntry,
    grant_entry,
    model_version_entry,
    session_entry,
    version_entry,
)


@dataclass(frozen=True, slots=True)
class Around:
    """Records around some data, each kind newest first and bounded.

    Attributes:
        lineage: the records, how many there are of each kind, and what links them.
        data: dataset versions among them.
        grants: grants among them, as they stand at an instant.
        sessions: training sessions among them.
        model_versions: model versions among them.
    """

    lineage: NearbyLineage
    data: tuple[VersionEntry, ...]
    grants: tuple[GrantEntry, ...]
    sessions: tuple[SessionEntry, ...]
    model_versions: tuple[ModelVersionEntry, ...]

    @property
    def count(self) -> int:
        """How many records there are, shown or not."""
        found = self.lineage
        groups = (found.versions, found.grants, found.sessions, found.model_versions)
        return sum(group.count for group in groups)


def around(lineage: NearbyLineage, at: str) -> Around:
    """The records of a lineage as rows; grants as they stand at an instant."""
    return Around(
        lineage=lineage,
        data=tuple(map(version_entry, lineage.versions.rows)),
        grants=tuple(grant_entry(row, at) for row in lineage.grants.rows),
        sessions=tuple(map(session_entry, lineage.sessions.rows)),
        model_versions=tuple(map(model_version_entry, lineage.model_versions.rows)),
    )
