"""One transaction from its message to its answer; whatever happens in between, it gets one and frees all."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from fabric_protos.peer import chaincode_pb2
from google.protobuf.message import DecodeError

from fabric_shim.errors import ContractError, PeerError
from fabric_shim.exchange import Exchange
from fabric_shim.messages import MOST_PAYLOAD_BYTES, completed
from fabric_shim.outcomes import Outcome, describe_error, peer_failure
from fabric_shim.peer_stub import PeerStub
from fabric_shim.proposals import SignedProposal

if TYPE_CHECKING:
    from fabric_shim.conversation import Conversation

_log = logging.getLogger("fabric_shim")


def refusal(code: str, text: str, status: int = 500) -> Outcome:
    """An error outcome of the service itself."""
    return Outcome(status, ContractError(code, text, status=status).to_wire(), b"")


class Run:
    """One run of one transaction.

    Args:
        conversation: the stream that it came on.
        message: the ``TRANSACTION`` or ``INIT``.
    """

    __slots__ = ("_cancelled", "_conversation", "_message", "_started", "exchange", "key", "task")

    def __init__(self, conversation: Conversation, message: Any) -> None:
        self.key: tuple[str, str] = (message.channel_id, message.txid)
        self.exchange = Exchange(*self.key, conversation.ask, conversation.late_answer(self.key))
        self.task: asyncio.Task[None] | None = None
        self._conversation = conversation
        self._message = message
        self._cancelled = False
        self._started = False

    def cancel(self) -> None:
        """End the run without an answer."""
        self._cancelled = True
        if self.task is not None:
            self.task.cancel()
        if not self._started:
            # A task that is cancelled before its first step never reaches the end of ``execute``.
            self._conversation.finished(self)

    async def execute(self) -> None:
        """Run the transaction and post its answer, unless it is cancelled."""
        self._started = True
        metrics, began = self._conversation.metrics, time.monotonic()
        metrics.started()
        stub: PeerStub | None = None
        outcome: Outcome | None = None
        try:
            async with asyncio.timeout(self._conversation.limits.execute_timeout_seconds):
                stub = self._stub()
                outcome = await self._conversation.chaincode.invoke(stub)
                if outcome.status < 400:
                    await stub.flush()
                if len(outcome.payload) > MOST_PAYLOAD_BYTES:
                    outcome = refusal("RESULT_TOO_LARGE", "the result is larger than any peer takes", 400)
        except TimeoutError:
            outcome = refusal("TRANSACTION_TIMEOUT", "the function took longer than the service allows")
        except ContractError as error:
            outcome = Outcome(error.status, error.to_wire(), b"")
        except PeerError as error:
            outcome = peer_failure(error)
        except Exception as error:
            place = describe_error(error)
            _log.error(
                "transaction %s failed outside its contract (%s)", self.key[1], place, extra=self._named
            )
            outcome = refusal("INTERNAL_ERROR", "the chaincode failed; the endorser's log names the place")
        finally:
            self.exchange.close()
            self._conversation.finished(self)
            answered = outcome is not None and not self._cancelled
            metrics.ended(outcome.status if outcome and answered else None, time.monotonic() - began)
        if not self._cancelled:
            self._answer(outcome, stub.event if stub is not None and outcome.status < 400 else None)

    @property
    def _named(self) -> dict[str, str]:
        return {"transaction_id": self.key[1]}

    def _answer(self, outcome: Outcome, event: tuple[str, bytes] | None) -> None:
        channel_id, transaction_id = self.key
        self._conversation.post(
            completed(
                channel_id,
                transaction_id,
                status=outcome.status,
                message=outcome.message,
                payload=outcome.payload,
                event=event,
            )
        )

    def _stub(self) -> PeerStub:
        proposal = SignedProposal(self._message.proposal)
        self._guard_time(proposal)
        try:
            chaincode_input = chaincode_pb2.ChaincodeInput.FromString(self._message.payload)
        except DecodeError:
            raise ContractError("PROPOSAL_INVALID", "the call's arguments cannot be read") from None
        return PeerStub(self.exchange, chaincode_input, proposal, self._conversation.negotiated)

    def _guard_time(self, proposal: SignedProposal) -> None:
        # A proposal's time is its maker's claim; what a permit is worth rests on it (DESIGN §7).
        window = self._conversation.limits.time_window_seconds
        if abs(self._conversation.clock() - proposal.proposal_seconds) > window:
            self._conversation.metrics.refused("PROPOSAL_TIME_REFUSED")
            _log.warning("refused transaction %s: PROPOSAL_TIME_REFUSED", self.key[1], extra=self._named)
            raise ContractError(
                "PROPOSAL_TIME_REFUSED",
                "the proposal's time is too far from the endorser's clock; set the clock and try again",
                {"window_seconds": int(window)},
            )
