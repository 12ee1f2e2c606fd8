"""Who may use which collection (fabric-behaviour §5.5)."""

from __future__ import annotations

from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.collections import (
    IMPLICIT_PREFIX,
    Collection,
    implicit_collection,
    is_implicit,
    is_member,
    read_collections,
)
from fabric_protocol.definitions import Definition
from fabric_protocol.errors import SimulationError
from fabric_protocol.identities import Identity


def collection_of(definition: Definition, name: str, channel_id: str) -> Collection:
    """A chaincode's collection, explicit or implicit.

    Raises:
        SimulationError: ``COLLECTION_NOT_FOUND``.
    """
    if is_implicit(name):
        return implicit_collection(name.removeprefix(IMPLICIT_PREFIX))
    for collection in read_collections(definition.collections):
        if collection.name == name:
            return collection
    place = f"{channel_id}/{definition.name}/{name}"
    raise SimulationError("COLLECTION_NOT_FOUND", f"collection {place} could not be found")


class PrivateAccess:
    """What the creator of one proposal may do with collections.

    Args:
        creator: who proposed.
        config: of the channel.
    """

    def __init__(self, creator: Identity, config: ChannelConfig) -> None:
        self._creator = creator
        self._config = config

    def check_read(self, definition: Definition, name: str) -> None:
        """Refuse a read by a non-member where the collection is member-only.

        Raises:
            SimulationError: ``ACCESS_DENIED`` or ``COLLECTION_NOT_FOUND``.
        """
        collection = collection_of(definition, name, self._config.channel_id)
        if collection.member_only_read and not is_member(collection, self._creator, self._config.msps):
            raise _denied("read", definition, name)

    def check_write(self, definition: Definition, name: str) -> None:
        """Refuse a write by a non-member where the collection is member-only; raises as ``check_read``."""
        collection = collection_of(definition, name, self._config.channel_id)
        if collection.member_only_write and not is_member(collection, self._creator, self._config.msps):
            raise _denied("write", definition, name)


def _denied(what: str, definition: Definition, name: str) -> SimulationError:
    return SimulationError(
        "ACCESS_DENIED",
        f"tx creator does not have {what} access permission on privatedata in "
        f"chaincodeName:{definition.name} collectionName: {name}",
    )
