"""One run of one chaincode for one transaction: what its requests act on, and the answer that it comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fabric_protos.peer import chaincode_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from fabric_embedded.errors import ChaincodeError

if TYPE_CHECKING:
    from fabric_embedded.chaincode.private_access import PrivateAccess
    from fabric_embedded.chaincode.puts import KnownPuts
    from fabric_embedded.storage.block_reader import BlockReader
    from fabric_protocol.proposals import Proposal
    from fabric_protocol.ranges import RangePages
    from fabric_protocol.simulation import Simulator

InvokeChaincode = Callable[["Execution", chaincode_pb2.ChaincodeSpec], Awaitable[ChaincodeMessage]]
"""Runs another chaincode within the transaction of an execution; answers COMPLETED or ERROR."""


@dataclass(eq=False)
class Execution:
    """The context of a running chaincode.

    Parameters:
        chaincode: name by which it was called; its namespace.
        proposal: what the client asked for.
        invocation: the message that starts the chaincode.
        simulator: shared by all chaincodes of one transaction.
        blocks: the snapshot's blocks, for histories.
        access: who may use which collection.
        invoke: how it calls other chaincodes.
        known_puts: shared by all endorsers.
    """

    chaincode: str
    proposal: Proposal
    invocation: ChaincodeMessage
    simulator: Simulator
    blocks: BlockReader
    access: PrivateAccess
    invoke: InvokeChaincode
    known_puts: KnownPuts
    iterators: dict[str, RangePages] = field(default_factory=dict)
    iterators_opened: int = 0
    is_waiting: bool = False
    _answer: asyncio.Future[ChaincodeMessage] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def key(self) -> tuple[str, str]:
        """What messages about this run carry: channel and transaction id."""
        return self.proposal.channel_id, self.proposal.transaction_id

    def finish(self, message: ChaincodeMessage) -> None:
        """The chaincode has come to an end: COMPLETED or ERROR."""
        if not self._answer.done():
            self._answer.set_result(message)

    def fail(self, code: str, message: str) -> None:
        """The run has come to an end without the chaincode saying so."""
        if not self._answer.done():
            self._answer.set_exception(ChaincodeError(code, message))

    async def answer(self, timeout_seconds: float) -> ChaincodeMessage:
        """What the chaincode answers.

        Raises:
            ChaincodeError: EXECUTION_TIMEOUT, STREAM_TERMINATED.
        """
        timer = asyncio.get_running_loop().call_later(
            timeout_seconds, self.fail, "EXECUTION_TIMEOUT", "timeout expired while executing transaction"
        )
        try:
            return await self._answer
        finally:
            timer.cancel()
            self.iterators.clear()
