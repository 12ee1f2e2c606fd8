"""Point reads: one key a request, or many where the peer can (``GET_STATE_MULTIPLE``)."""

from __future__ import annotations

from collections.abc import Sequence

from fabric_protos.peer import chaincode_shim_pb2

from fabric_shim.errors import PeerError
from fabric_shim.exchange import Exchange
from fabric_shim.messages import GET_STATE, GET_STATE_MULTIPLE, operation_name, read_answer


class _Wanted:
    """A read that waits for its turn, and its value once another read has fetched it along."""

    __slots__ = ("fetched", "key", "value")

    def __init__(self, key: str) -> None:
        self.key = key
        self.fetched = False
        self.value: bytes | None = None


class Reads:
    """Reads of one transaction's public state.

    Reads that a contract makes at once (``asyncio.gather``) wait for one another; those that wait are fetched
    together in one request.

    Args:
        exchange: the transaction's requests.
        get_multiple: most keys in one request; 0 where the peer takes one only.
    """

    __slots__ = ("_exchange", "_get_multiple", "_waiting")

    def __init__(self, exchange: Exchange, get_multiple: int) -> None:
        self._exchange = exchange
        self._get_multiple = get_multiple
        self._waiting: list[_Wanted] = []

    async def get(self, key: str) -> bytes | None:
        """Committed value of one key."""
        if not self._get_multiple or not self._exchange.busy:
            return await get_one(self._exchange, "", key)
        wanted = _Wanted(key)
        self._waiting.append(wanted)
        try:
            async with self._exchange:
                return wanted.value if wanted.fetched else await self._fetch_along(wanted)
        finally:
            if wanted in self._waiting:
                self._waiting.remove(wanted)

    async def _fetch_along(self, wanted: _Wanted) -> bytes | None:
        others = [other for other in self._waiting if other is not wanted][: self._get_multiple - 1]
        if others:
            try:
                values = await self._fetch([wanted.key, *(other.key for other in others)])
            except PeerError:
                # Which key is to blame is not said: each read asks again for itself.
                self._waiting.clear()
            else:
                taken = {id(other) for other in others}
                self._waiting = [other for other in self._waiting if id(other) not in taken]
                for other, value in zip([wanted, *others], values, strict=True):
                    other.fetched, other.value = True, value
                return wanted.value
        payload = chaincode_shim_pb2.GetState(key=wanted.key).SerializeToString()
        try:
            return await self._exchange.request_in_turn(GET_STATE, payload) or None
        except PeerError as error:
            raise error.at("", wanted.key) from None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """Committed values in the order of ``keys``."""
        if len(keys) < 2 or not self._get_multiple:
            return [await get_one(self._exchange, "", key) for key in keys]
        values: list[bytes | None] = []
        async with self._exchange:
            for start in range(0, len(keys), self._get_multiple):
                values += await self._fetch(keys[start : start + self._get_multiple])
        return values

    async def _fetch(self, keys: Sequence[str]) -> list[bytes | None]:
        payload = chaincode_shim_pb2.GetStateMultiple(keys=keys).SerializeToString()
        answer = await self._exchange.request_in_turn(GET_STATE_MULTIPLE, payload)
        operation = operation_name(GET_STATE_MULTIPLE)
        values = read_answer(chaincode_shim_pb2.GetStateMultipleResult, answer, operation).values
        if len(values) != len(keys):
            raise PeerError(operation, f"got {len(values)} values for {len(keys)} keys")
        return [value or None for value in values]


async def get_one(exchange: Exchange, collection: str, key: str) -> bytes | None:
    """Committed value of one key, public (``collection`` ``""``) or private; empty is absent."""
    return await request_about(exchange, GET_STATE, collection, key) or None


async def request_about(exchange: Exchange, message_type: int, collection: str, key: str) -> bytes:
    """Send a ``GetState`` under a message type that takes one; errors name collection and key."""
    payload = chaincode_shim_pb2.GetState(key=key, collection=collection).SerializeToString()
    try:
        return await exchange.request(message_type, payload)
    except PeerError as error:
        raise error.at(collection, key) from None
