"""When private data expires: a collection's block_to_live counts the blocks after the one that wrote a key.

Data written in block n expires with the commit of block n + block_to_live + 1, unless it is written again.
What expired is absent for later blocks, whether or not whoever keeps the state has removed it yet.

Source: Fabric ``core/ledger/pvtdatapolicy/btlpolicy.go``, ``core/ledger/kvledger/txmgmt/pvtstatepurgemgmt``.
"""

from collections.abc import Iterable, Mapping

from fabric_protocol.definitions import IMPLICIT_COLLECTION_PREFIX, LIFECYCLE_NAMESPACE, read_definition
from fabric_protocol.errors import EncodingError
from fabric_protocol.state import StateReader

_NEVER = 2**63 - 1


def expiring_block(written_in: int, block_to_live: int) -> int | None:
    """Number of the block with whose commit data expires; None for never.

    Parameters:
        written_in: number of the block that wrote it.
        block_to_live: of its collection; 0 keeps data for ever.
    """
    expires = written_in + block_to_live + 1
    return expires if block_to_live and expires <= _NEVER else None


class Lifetimes:
    """How long collections keep their data, by the definitions in force.

    Parameters:
        state: committed state; a collection's block_to_live never changes once it is defined.
    """

    def __init__(self, state: StateReader) -> None:
        self._state = state
        self._found: dict[str, Mapping[str, int]] = {}

    def block_to_live(self, namespace: str, collection: str) -> int:
        """Block_to_live of a chaincode's collection; 0, for ever, for implicit and unknown ones."""
        if namespace == LIFECYCLE_NAMESPACE or collection.startswith(IMPLICIT_COLLECTION_PREFIX):
            return 0
        if namespace not in self._found:
            self._found[namespace] = self._read(namespace)
        return self._found[namespace].get(collection, 0)

    def of(self, collections: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Block_to_live of those among some (namespace, collection) whose data expires."""
        found = {name: self.block_to_live(*name) for name in set(collections)}
        return {name: blocks for name, blocks in found.items() if blocks}

    def has_expired(self, namespace: str, collection: str, written_in: int, before: int) -> bool:
        """Whether what a block wrote expired with the commit of a block before block `before`."""
        expires = expiring_block(written_in, self.block_to_live(namespace, collection))
        return expires is not None and expires < before

    def _read(self, namespace: str) -> Mapping[str, int]:
        try:
            definition = read_definition(self._state, namespace)
            return definition.blocks_to_live if definition else {}
        except EncodingError:
            return {}
