"""A Fabric channel in one process: SQLite ledger, ordering, endorsement, Gateway and CA services."""

from fabric_embedded.errors import EmbeddedError
from fabric_embedded.ledger import read_blocks, replace_block
from fabric_embedded.network import EmbeddedNetwork, NodeStatus

__all__ = ["EmbeddedError", "EmbeddedNetwork", "NodeStatus", "read_blocks", "replace_block"]
