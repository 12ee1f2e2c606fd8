"""What simulations of one transaction came to, so that the same is not put together for each endorser."""

from collections import OrderedDict
from collections.abc import Set
from typing import TYPE_CHECKING, Final

from fabric_protocol.rwset_builder import ReadWriteSetBuilder

if TYPE_CHECKING:
    from fabric_protocol.simulation import SimulationResults

# More than are in flight: what the first endorser collected is to be there when the second one has.
_MOST: Final = 512
_MOST_BYTES: Final = 16 * 2**20
_Private = Set[tuple[str, str]]
_Known = tuple[ReadWriteSetBuilder, _Private, "SimulationResults"]


class KnownResults:
    """The last results on one state; a node that simulates for several organizations has one for each state.

    Encoding a large read-write set takes longer than collecting it, and honest organizations collect the
    same. Whether they did is compared entry by entry: each still runs the chaincode itself.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._bytes = 0

    def find(
        self, transaction_id: str, collected: ReadWriteSetBuilder, private_reads: _Private
    ) -> "SimulationResults | None":
        """The results of an earlier simulation that collected exactly the same; None without one."""
        known = self._known.get(transaction_id)
        if known is None or known[0] != collected or known[1] != private_reads:
            return None
        return known[2]

    def remember(
        self,
        transaction_id: str,
        collected: ReadWriteSetBuilder,
        private_reads: _Private,
        results: "SimulationResults",
    ) -> None:
        """Keep what a simulation collected, which must not change any more, and what it came to."""
        size = len(results.public) + len(results.private or b"")
        if size > _MOST_BYTES or transaction_id in self._known:
            return
        self._known[transaction_id] = (collected, private_reads, results)
        self._bytes += size
        while len(self._known) > _MOST or self._bytes > _MOST_BYTES:
            _, (_, _, dropped) = self._known.popitem(last=False)
            self._bytes -= len(dropped.public) + len(dropped.private or b"")

    def forget(self) -> None:
        """The state has changed."""
        self._known.clear()
        self._bytes = 0
