"""A running consortium that answers as `support.consortium.Consortium` does; its own services decide."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from support import ledger_examples as examples
from support.consortium import consent_batch, consent_ids, private_entries
from support.ledger_examples import NORTHGATE, identifier
from support.running_consortium import RunningConsortium

from consentry.errors import LedgerRefused
from consentry.ledger import Ledger
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant
from consentry_records.private_entries import encode_entries, private_batch
from consentry_records.record import Record
from fabric_shim import ContractError

_VALUES = "SELECT value FROM state WHERE namespace = 'consentry' AND key >= ? AND key < ?"


class LiveConsortium:
    """People of a running consortium on the embedded engine, by roles and organization."""

    def __init__(self, running: RunningConsortium) -> None:
        self._running = running
        self._ledgers: dict[tuple[str, str], Ledger] = {}
        self._state = running.directory / "ledger" / "ledger.sqlite"

    def close(self) -> None:
        """Close every connection."""
        for ledger in self._ledgers.values():
            ledger.close()

    def person(self, roles: str, msp_id: str = NORTHGATE) -> Ledger:
        """The connected ledger of somebody with these roles; the same person each time."""
        if (roles, msp_id) not in self._ledgers:
            organization = msp_id.removesuffix("MSP").lower()
            self._ledgers[roles, msp_id] = self._running.ledger(organization, roles)
        return self._ledgers[roles, msp_id]

    def instant(self, seconds: float = 0) -> str:
        """This machine's time, so many seconds later."""
        return format_instant(datetime.now(UTC) + timedelta(seconds=seconds))

    async def submit(self, caller: Ledger, function: str, *arguments: Any, **options: Any) -> None:
        """Submit, and wait until it is valid; raises ContractError."""
        try:
            await asyncio.to_thread(caller.transactions.submit, function, *arguments, **options)
        except LedgerRefused as refusal:
            raise ContractError(refusal.code, str(refusal)) from refusal

    async def evaluate(self, caller: Ledger, function: str, *arguments: Any) -> Any:
        """The decoded answer to a question."""
        return await asyncio.to_thread(caller.transactions.evaluate, function, *arguments)

    async def import_consents(self, subjects: Sequence[str], batch: int = 1, **terms: Any) -> list[str]:
        """Both transactions of an import at Northgate, one consent a subject; the consents' ids."""
        steward, entries = self.person("steward"), private_entries(subjects, batch)
        entry = private_batch(identifier("batch", batch), entries).to_bytes()
        transient = {"entries": encode_entries(entries), "batch": entry}
        own = {"transient": transient, "endorsers": (NORTHGATE,)}
        await self.submit(steward, "consents:store_private", **own)
        document = consent_batch(subjects, sha256_digest(entry), batch, **terms)
        await self.submit(steward, "consents:import_batch", document)
        return consent_ids(subjects, batch)

    async def register_version(self, which: int = 1, /) -> str:
        """A dataset version of Northgate's; its id."""
        await self.submit(self.person("steward"), "datasets:register", examples.new_version(which))
        return identifier("version", which)

    async def decide(self, attempt_id: str) -> Mapping[str, Any]:
        """Wait for the decision of Northgate's own service."""
        access = self.person("auditor").access
        return (await asyncio.to_thread(access.wait_for_decision, attempt_id)).to_dict()

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        await asyncio.sleep(seconds)

    def record(self, kind: type[Record], key: str) -> Any:
        """The committed record under a key."""
        (value,) = self._rows(key, key + "\x00")
        return kind.from_bytes(value)

    def taken_uses(self, grant_id: str) -> list[bytes]:
        """What stands under a grant's use keys, in any order."""
        return self._rows(f"use/{grant_id}/", f"use/{grant_id}0")

    def _rows(self, start: str, end: str) -> list[bytes]:
        # The engine's own file tells what is committed, whatever its services answer.
        with closing(sqlite3.connect(f"{self._state.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(_VALUES, (start.encode(), end.encode()))
            return [bytes(row[0]) for row in rows]
