"""A chaincode with private collections, and peers that hold them."""

from support.sample_channel import CHAINCODE, SampleLedger

from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.memory_state import MemoryPrivateState
from fabric_protocol.policies import application_policy, parse_policy
from fabric_protocol.private_updates import private_updates
from fabric_protocol.simulation import Simulator
from fabric_protocol.validation import ValidatedBlock

ALPHA_ONLY = "alpha-only"
SHARED = "shared"
EXPIRING = "expiring"


def collections() -> bytes:
    """M(CollectionConfigPackage): one with a policy of its own, one without, one that expires."""
    alpha = parse_policy("OR('AlphaMSP.member')")
    everybody = parse_policy("OR('AlphaMSP.member', 'BetaMSP.member')")
    package: bytes = collection_package(
        [
            Collection(ALPHA_ONLY, alpha, endorsement_policy=application_policy("OR('AlphaMSP.peer')")),
            Collection(SHARED, everybody),
            Collection(EXPIRING, alpha, block_to_live=3),
        ]
    ).SerializeToString()
    return package


class PrivateLedger(SampleLedger):
    """A ledger with one peer that holds every collection."""

    def __init__(self) -> None:
        super().__init__(collections=collections())
        self.held = MemoryPrivateState()

    def submit_private(self, *works: object, **options: object) -> ValidatedBlock:
        """Simulate each work with private data, and commit them as one block, private data too."""
        results = [self.simulate(work, private=self.held) for work in works]  # type: ignore[arg-type]
        block = self.block(*(self.envelope(result.public, **options) for result in results))  # type: ignore[arg-type]
        validated = self.validate(block)
        sets = {index: result.private for index, result in enumerate(results) if result.private}
        updates = private_updates(block.header.number, validated, sets, self.held)
        self.commit(block)
        self.held.apply(updates, validated.updates.purges)
        self.state.expire(block.header.number)
        self.held.expire(block.header.number, self.state)
        return validated


def put(collection: str, key: str, value: bytes):  # type: ignore[no-untyped-def]
    """Work that writes one private value."""

    def work(simulator: Simulator) -> None:
        simulator.put_private(CHAINCODE, collection, key, value)

    return work
