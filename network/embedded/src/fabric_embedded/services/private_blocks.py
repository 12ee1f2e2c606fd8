"""Blocks with the private data in them that the asker may see (`core/peer/deliverevents.go`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from fabric_protos.peer.lifecycle import db_pb2

from fabric_embedded.chaincode.private_access import find_collection
from fabric_embedded.services.handlers import ServiceError
from fabric_embedded.services.status import StatusCode
from fabric_protocol.collections import Collection
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, field_key
from fabric_protocol.policies import SignaturePolicy, SignedData
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.transactions import Transaction

if TYPE_CHECKING:
    from fabric_embedded.engine import Engine
    from fabric_embedded.storage.block_reader import BlockReader
    from fabric_protocol.channel_config import ChannelConfig


class PrivateBlocks:
    """Private data of blocks as one organization's peer holds it.

    Parameters:
        engine: of the channel.
        msp_id: of the organization.
    """

    def __init__(self, engine: Engine, msp_id: str) -> None:
        self._engine = engine
        self._msp_id = msp_id

    async def response(self, block: bytes, shown: bytes, signed: SignedData) -> Any:
        """The `DeliverResponse` with a block and its private data.

        Parameters:
            block: M(Block) as stored.
            shown: M(Block) as it is to be sent.
            signed: the request, whose signer decides what is shown.

        Raises:
            ServiceError: UNKNOWN with Fabric's text, where a collection was not defined before the block.
        """
        number = common_pb2.Block.FromString(block).header.number
        answer = events_pb2.DeliverResponse()
        content = answer.block_and_private_data
        content.block.ParseFromString(shown)
        async with self._engine.snapshot() as snapshot:
            is_visible = _visibility(snapshot.blocks, number, self._engine.config, signed)
            for kept in snapshot.private[self._msp_id].write_sets(number):
                if not is_visible(kept.namespace, kept.collection):
                    continue
                entries = content.private_data_map[kept.position].ns_pvt_rwset
                if not entries or entries[-1].namespace != kept.namespace:
                    entries.add(namespace=kept.namespace)
                entries[-1].collection_pvt_rwset.add(collection_name=kept.collection, rwset=kept.data)
        return answer


def _visibility(
    blocks: BlockReader, number: int, config: ChannelConfig, signed: SignedData
) -> Callable[[str, str], bool]:
    found: dict[tuple[str, str], bool] = {}

    def is_visible(chaincode: str, name: str) -> bool:
        if (chaincode, name) not in found:
            collection = find_collection(collections_below(blocks, chaincode, number), name, config)
            if collection is None:
                raise ServiceError(
                    StatusCode.UNKNOWN,
                    f"no collection config was found for collection {name} for chaincode {chaincode}",
                )
            found[chaincode, name] = _may_read(collection, config, signed)
        return found[chaincode, name]

    return is_visible


def _may_read(collection: Collection, config: ChannelConfig, signed: SignedData) -> bool:
    if not collection.member_only_read:
        return True
    return SignaturePolicy(collection.member_orgs_policy, config.msps).evaluate([signed])


def collections_below(blocks: BlockReader, chaincode: str, number: int) -> bytes:
    """M(CollectionConfigPackage) of the newest definition with collections that was committed before a block.

    Parameters:
        blocks: the ledger's.
        chaincode: whose definition.
        number: of the block.

    Returns:
        The package; empty where there was none.
    """
    key = field_key(chaincode, "Collections")
    for block, position in blocks.history(LIFECYCLE_NAMESPACE, key):
        if block < number:
            collections = _written(blocks.block(block) or b"", position, key)
            if collections:
                return collections
    return b""


def _written(block: bytes, position: int, key: str) -> bytes:
    envelope = common_pb2.Block.FromString(block).data.data[position]
    rwset = decode_rwset(Transaction.from_envelope(envelope).results)
    for namespace in rwset.namespaces:
        for write in namespace.writes:
            if namespace.namespace == LIFECYCLE_NAMESPACE and write.key == key:
                return bytes(db_pb2.StateData.FromString(write.value).Bytes)
    return b""
