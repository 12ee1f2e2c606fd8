"""Typed access to the world state: what a transaction needs is read at once, for every read is a round trip
to the peer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from consentry_records import keys
from consentry_records.errors import LedgerError
from consentry_records.record import Record
from consentry_records.settings import Settings
from fabric_shim import Context, custodian_policy

R = TypeVar("R", bound=Record)


class Snapshot:
    """Committed values of a few keys; own writes never show, as in Fabric."""

    def __init__(self, values: Mapping[str, bytes | None]) -> None:
        self._values = values

    def settings(self) -> Settings:
        """The ledger's settings; raises LedgerError LEDGER_NOT_INITIALIZED."""
        return self.required(Settings, keys.SETTINGS, LedgerError("LEDGER_NOT_INITIALIZED"))

    def optional(self, record: type[R], key: str) -> R | None:
        """The record under a key that was read, None where there is none."""
        value = self._values[key]
        return None if value is None else record.from_bytes(value)

    def required(self, record: type[R], key: str, missing: LedgerError) -> R:
        """The record under a key that was read; raises `missing` where there is none."""
        found = self.optional(record, key)
        if found is None:
            raise missing
        return found

    def text(self, key: str) -> str | None:
        """The text under a key that was read, None where there is none."""
        value = self._values[key]
        return None if value is None else value.decode("utf-8")

    def check_absent(self, key: str, found: LedgerError) -> None:
        """Raise `found` if the key has a value."""
        if self._values[key] is not None:
            raise found


async def read(ctx: Context, *wanted: str) -> Snapshot:
    """Read keys in one request; a key named twice is read once, so that the read set stays the same."""
    distinct = list(dict.fromkeys(wanted))
    return Snapshot(dict(zip(distinct, await ctx.stub.get_states(distinct), strict=True)))


async def put(ctx: Context, key: str, record: Record) -> None:
    """Write a record as canonical JSON."""
    await ctx.stub.put_state(key, record.to_bytes())


async def put_owned(ctx: Context, key: str, record: Record, *, owner: str, settings: Settings) -> None:
    """Write a new record and put the key under its owner's key-level policy (DESIGN.md §9).

    The policy is AND(owner's peer, OutOf(⌊n/2⌋, peers of the others)), n the number of organizations: neither
    the owner alone nor all others without it can change the record.
    """
    await put(ctx, key, record)
    others = [msp_id for msp_id in settings.msp_ids if msp_id != owner]
    await ctx.stub.set_key_policy(key, custodian_policy(owner, others, len(settings.msp_ids) // 2))


async def advance_epoch(ctx: Context, custodian: str) -> None:
    """Write the custodian's epoch without reading it, which voids every decision of its own in flight
    (DESIGN.md §6).
    """
    await ctx.stub.put_state(keys.epoch(custodian), ctx.transaction_id.encode("ascii"))
