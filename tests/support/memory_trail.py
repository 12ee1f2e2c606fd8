"""A trail over the in-memory ledger: consents and limits indexed as they stand, without blocks to prove."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Engine
from support.ledger_gateway import LedgerGateway

from consentry.index.consent_rows import store_limits
from consentry.index.interpretation import RecordWrite, TransactionRow
from consentry.index.record_kinds import RECORD_KINDS, read_record, split_key
from consentry.index.store import BlockWriter
from consentry.ledger_trail import LedgerTrail
from fabric_protocol.state import Version
from fabric_protocol.updates import PublicUpdate

_KINDS = ("consent", "settings")


class MemoryTrail(LedgerTrail):
    """Does with the state of `fabric_testing`'s ledger what `LedgerTrail` does with a peer's blocks."""

    def __init__(self, engine: Engine, gateway: LedgerGateway) -> None:
        super().__init__(engine, cast(Any, None), cast(Any, None), "", cast(Any, None))
        self._gateway = gateway
        self._block = 0

    def update(self) -> int:
        """Index the state as the next block."""
        self._block += 1
        state = self._gateway.memory.states()
        with self._engine.begin() as connection:
            writer = BlockWriter(connection, "consentry")
            writer.write_rows([], self._writes(state), lambda _write, _owner: True)
            version = Version(self._block, 0)
            updates = [PublicUpdate("consentry", key, value, b"", version) for key, value in state.items()]
            store_limits(connection, updates, "consentry")
        return self._block

    def _writes(self, state: dict[str, bytes]) -> list[RecordWrite]:
        empty = dict.fromkeys(TransactionRow.__dataclass_fields__, "")
        row = TransactionRow(**cast(Any, {**empty, "block": self._block, "position": 0, "code": 0}))
        found = []
        for key, value in state.items():
            named = split_key(key)
            if named is not None and named[0] in _KINDS:
                kind = RECORD_KINDS[named[0]]
                body = read_record(kind, named[1], value)
                found.append(RecordWrite(row, cast(Any, None), kind, named[1], body, value))
        return found
