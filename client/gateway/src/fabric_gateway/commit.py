"""Step three: learn whether a submitted transaction is valid."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2

from fabric_gateway.errors import CommitStatusError
from fabric_gateway.timeouts import Timeouts
from fabric_gateway.transport import StatusFailure, Transport

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0
# After these the peer may answer later; any other status is an answer about the request itself.
_WORTH_ASKING_AGAIN = frozenset({"UNAVAILABLE", "UNKNOWN", "ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED"})


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """A transaction's validation code, by number and by Fabric's name, and the block that carries it."""

    transaction_id: str
    code: int
    name: str
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether the transaction is valid, so that its writes took effect."""
        return bool(self.code == transaction_pb2.TxValidationCode.VALID)


class Commit:
    """A submitted transaction whose status can be asked for, any number of times.

    The request is signed before the transaction is submitted, so that no fault of the signer can leave a
    submitted transaction without a way to learn its status.
    """

    def __init__(
        self,
        transport: Transport,
        request: gateway_pb2.SignedCommitStatusRequest,
        transaction_id: str,
        timeouts: Timeouts,
    ) -> None:
        self._transport = transport
        self._request = request
        self._timeouts = timeouts
        self.transaction_id = transaction_id

    def status(self, *, timeout: float | None = None) -> CommitStatus:
        """Wait until the transaction is on the ledger and return its validation code.

        `timeout` is in seconds (default: `Timeouts.commit_status`).

        Raises:
            CommitStatusError: the gateway did not tell; the transaction may be committed all the same.
        """
        seconds = self._timeouts.commit_status if timeout is None else timeout
        try:
            response = self._transport.commit_status(self._request, seconds)
        except StatusFailure as failure:
            raise failure.as_error(CommitStatusError, self.transaction_id) from failure
        return CommitStatus(
            self.transaction_id, response.result, _code_name(response.result), response.block_number
        )

    def resolve(self, *, timeout: float | None = None) -> CommitStatus:
        """Ask for the status until it is told, through broken connections and restarts of the peer.

        `timeout` is in seconds for all tries together (default: `Timeouts.commit_status`).

        Raises:
            CommitStatusError: the last failure, once the time is used up or asking again is pointless.
        """
        end = time.monotonic() + (self._timeouts.commit_status if timeout is None else timeout)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self.status(timeout=max(end - time.monotonic(), _FIRST_PAUSE_SECONDS))
            except CommitStatusError as error:
                if error.code not in _WORTH_ASKING_AGAIN or time.monotonic() + pause >= end:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _code_name(code: int) -> str:
    try:
        return str(transaction_pb2.TxValidationCode.Name(code))
    except ValueError:
        return f"UNKNOWN_CODE_{code}"
