"""Who may read and write which private collection through a chaincode (`core/common/privdata/store.go`)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from fabric_embedded.errors import ChaincodeError
from fabric_protocol.collections import IMPLICIT_PREFIX as _IMPLICIT_PREFIX
from fabric_protocol.collections import (
    Collection,
    implicit_collection,
    is_implicit,
    is_member,
    read_collections,
)

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
    from fabric_protocol.simulation import Simulator

read_collections_once = lru_cache(maxsize=256)(read_collections)
"""`read_collections`, remembered by its bytes: the same few packages are asked for all the time."""


class Permission(NamedTuple):
    """What a creator may do with a collection."""

    read: bool
    write: bool


def find_collection(package: bytes, name: str, config: ChannelConfig) -> Collection | None:
    """A collection of a chaincode definition, or an organization's implicit one.

    Parameters:
        package: M(CollectionConfigPackage) of the definition.
        name: of the collection.
        config: of the channel, which says whose implicit collections there are.
    """
    if is_implicit(name):
        msp_id = name.removeprefix(_IMPLICIT_PREFIX)
        return implicit_collection(msp_id) if msp_id in config.msps.msp_ids else None
    return next((found for found in read_collections_once(package) if found.name == name), None)


class PrivateAccess:
    """The permissions of one proposal's creator, found once for each collection.

    Parameters:
        creator: of the proposal, valid.
        simulator: of the transaction; asking about a collection reads the chaincode's definition.
        config: of the channel.
        is_init: whether the proposal calls its chaincode as init, where private data may not be used.
    """

    def __init__(
        self, creator: Identity, simulator: Simulator, config: ChannelConfig, *, is_init: bool
    ) -> None:
        self._creator = creator
        self._simulator = simulator
        self._config = config
        self._is_init = is_init
        self._found: dict[tuple[str, str], Permission] = {}

    def check_read(self, chaincode: str, collection: str) -> None:
        """Refuse unless the creator may read the collection.

        Raises:
            ChaincodeError: PRIVATE_READ_DENIED, COLLECTION_NOT_FOUND, PRIVATE_DATA_IN_INIT.
        """
        if not self._permission(chaincode, collection).read:
            raise _denied("read", chaincode, collection)

    def check_write(self, chaincode: str, collection: str) -> None:
        """Refuse unless the creator may write the collection.

        Raises:
            ChaincodeError: PRIVATE_WRITE_DENIED, COLLECTION_NOT_FOUND, PRIVATE_DATA_IN_INIT.
        """
        if not self._permission(chaincode, collection).write:
            raise _denied("write", chaincode, collection)

    def check_use(self) -> None:
        """Refuse private data in an init call.

        Raises:
            ChaincodeError: PRIVATE_DATA_IN_INIT.
        """
        if self._is_init:
            raise ChaincodeError(
                "PRIVATE_DATA_IN_INIT", "private data APIs are not allowed in chaincode Init()"
            )

    def _permission(self, chaincode: str, collection: str) -> Permission:
        self.check_use()
        name = (chaincode, collection)
        if name not in self._found:
            self._found[name] = self._find(chaincode, collection)
        return self._found[name]

    def _find(self, chaincode: str, collection: str) -> Permission:
        definition = self._simulator.definition(chaincode)
        found = find_collection(definition.collections if definition else b"", collection, self._config)
        if found is None:
            raise _not_found(self._config.channel_id, chaincode, collection)
        if not (found.member_only_read or found.member_only_write):
            return Permission(read=True, write=True)
        if is_member(found, self._creator, self._config.msps):
            return Permission(read=True, write=True)
        return Permission(read=not found.member_only_read, write=not found.member_only_write)


def _not_found(channel_id: str, chaincode: str, collection: str) -> ChaincodeError:
    text = f"collection {channel_id}/{chaincode}/{collection} could not be found"
    if is_implicit(collection):
        text = f"collection [{collection}] not defined in the collection config for chaincode [{chaincode}]"
    return ChaincodeError("COLLECTION_NOT_FOUND", text)


def _denied(action: str, chaincode: str, collection: str) -> ChaincodeError:
    return ChaincodeError(
        f"PRIVATE_{action.upper()}_DENIED",
        f"tx creator does not have {action} access permission on privatedata in "
        f"chaincodeName:{chaincode} collectionName: {collection}",
    )
