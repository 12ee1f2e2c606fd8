"""A Gateway's stream of chaincode events.

Source: fabric-behaviour §3.3 (`internal/pkg/gateway/chaincodeevents.go`, `internal/pkg/gateway/event`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import chaincode_event_pb2

from fabric_embedded.gateway.requests import invalid
from fabric_embedded.ledger import Ledger


class ChaincodeEventReader:
    """Reads one chaincode's events off the ledger, from where a request says, without end.

    Parameters:
        ledger: the channel's ledger.
        request: a `ChaincodeEventsRequest`.

    Raises:
        ServiceError: INVALID_ARGUMENT for a start position that the Gateway does not take.
    """

    def __init__(self, ledger: Ledger, request: Any) -> None:
        self._ledger = ledger
        self._chaincode = request.chaincode_id
        self._after = request.after_transaction_id
        self._next = self._start(request)

    async def responses(self) -> AsyncIterator[Any]:
        """One `ChaincodeEventsResponse` for each block that holds events of the chaincode."""
        while True:
            await self._ledger.wait_for_block(self._next)
            events = self._of_block(self._next)
            if events:
                yield gateway_pb2.ChaincodeEventsResponse(events=events, block_number=self._next)
            self._next += 1

    def _start(self, request: Any) -> int:
        if self._after:
            known = self._ledger.transaction(self._after)
            if known is not None:
                return known.block_number
        kind = request.start_position.WhichOneof("Type") if request.HasField("start_position") else None
        if kind in (None, "next_commit"):
            return self._ledger.height
        if kind == "specified":
            return int(request.start_position.specified.number)
        # Fabric names the type in Go that stands for the kind.
        raise invalid(f"invalid start position type: *orderer.SeekPosition_{kind.capitalize()}")

    def _of_block(self, number: int) -> list[Any]:
        """Events of one block; until the awaited transaction's own event has passed, none."""
        events = self._ledger.events(number)
        if self._after:
            passed = [place for place, event in enumerate(events) if event.transaction_id == self._after]
            if not passed:
                return []
            events = events[passed[-1] + 1 :]
            self._after = ""
        return [_message(event) for event in events if event.chaincode == self._chaincode]


def _message(event: Any) -> Any:
    return chaincode_event_pb2.ChaincodeEvent(
        chaincode_id=event.chaincode,
        tx_id=event.transaction_id,
        event_name=event.name,
        payload=event.payload,
    )
