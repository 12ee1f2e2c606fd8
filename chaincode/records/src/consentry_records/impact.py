"""What one asks of lineage on the ledger: forwards from a withdrawal, backwards from a model version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .dataset import DatasetVersion
from .grant import Grant
from .kinds import FLAG, Choice, Many, identifier
from .model import ModelVersion
from .record import Nested, Record
from .training import TrainingSession

MAXIMUM_FOUND = 2000
MAXIMUM_NAMED = 256
NAMED = "named versions"
CUSTODIAN_AND_TIME = "custodian and time"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactQuery(Record):
    """Argument of `impact:of_consent`: the consent, and the versions with rows under it.

    Only its custodian knows those, from its row manifests; without any, all that the custodian registered
    while the consent held are taken.
    """

    consent_id: Annotated[str, identifier("consent")]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 0, MAXIMUM_NAMED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact(Record):
    """What rests on a consent: versions and those made of them or superseding them, and what used these.

    `complete` is false where more than 2000 records were found and the search ended.
    """

    consent_id: Annotated[str, identifier("consent")]
    basis: Annotated[str, Choice((NAMED, CUSTODIAN_AND_TIME))]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 0, MAXIMUM_FOUND)]
    grants: Annotated[tuple[str, ...], Many(identifier("grant"), 0, MAXIMUM_FOUND)]
    sessions: Annotated[tuple[str, ...], Many(identifier("session"), 0, MAXIMUM_FOUND)]
    model_versions: Annotated[tuple[str, ...], Many(identifier("modelversion"), 0, MAXIMUM_FOUND)]
    complete: Annotated[bool, FLAG]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin(Record):
    """What a model version comes from, whole records: parents, sessions, grants, dataset versions.

    Each dataset version has its Merkle root, under which every row is tied to its consent. `complete` is as
    in `Impact`.
    """

    model_versions: Annotated[tuple[ModelVersion, ...], Many(Nested(ModelVersion), 1, MAXIMUM_FOUND)]
    sessions: Annotated[tuple[TrainingSession, ...], Many(Nested(TrainingSession), 0, MAXIMUM_FOUND)]
    grants: Annotated[tuple[Grant, ...], Many(Nested(Grant), 0, MAXIMUM_FOUND)]
    versions: Annotated[tuple[DatasetVersion, ...], Many(Nested(DatasetVersion), 0, MAXIMUM_FOUND)]
    complete: Annotated[bool, FLAG]
