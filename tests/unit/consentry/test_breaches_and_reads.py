"""The client's register of breaches and its record of reads, over the real contracts in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from consentry.errors import InputRejected, LedgerRefused
from consentry.ledger import Ledger

AWARE = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_breach_is_recorded_and_carried_on(ledger_of: Callable[..., Ledger]) -> None:
    officer = ledger_of("NorthgateMSP", "dpo")
    made = officer.breaches.record(
        aware_at=AWARE,
        natures=["integrity"],
        categories=["imaging"],
        subject_count=3,
        record_count=9,
        facts=b"what happened",
    )
    officer.breaches.advance(made.breach_id, "authority-notified", happened_at=AWARE, document=b"letter")
    found = officer.breaches.get(made.breach_id)
    assert [event.event for event in found.events] == ["recorded", "authority-notified"]
    assert found.events[1].document_digest is not None
    with pytest.raises(LedgerRefused, match="BREACH_STEP_INVALID"):
        officer.breaches.advance(made.breach_id, "closed", happened_at=AWARE)
    with pytest.raises(InputRejected):
        officer.breaches.advance(made.breach_id, "forgotten", happened_at=AWARE)
    with pytest.raises(InputRejected):
        officer.breaches.record(
            aware_at=AWARE, natures=["gossip"], categories=["imaging"], subject_count=1, record_count=1
        )


def test_a_read_is_recorded_once_under_a_chosen_id(ledger_of: Callable[..., Ledger]) -> None:
    officer = ledger_of("NorthgateMSP", "auditor")
    read = officer.trail_reads.record("dataset", concerned=["biopsies"], row_count=3, last_block=7)
    with pytest.raises(LedgerRefused, match="TRAIL_READ_EXISTS"):
        officer.trail_reads.record(
            "dataset", concerned=[], row_count=3, last_block=7, trail_read_id=read.trail_read_id
        )
    with pytest.raises(InputRejected):
        officer.trail_reads.record("dataset", concerned=["Jane Doe"], row_count=3, last_block=7)
