"""A desk with its signers over the contracts in memory, and a grant to act upon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.gate_bench import MONTH, NORTHGATE, RIVERSIDE, TERMS
from support.ledger_gateway import LedgerGateway
from support.signing_bench import Shared, SigningBench


@pytest.fixture
def bench(gateway: LedgerGateway) -> SigningBench:
    return SigningBench(gateway)


@pytest.fixture
def shared(ledger_of: Any, gateway: LedgerGateway) -> Shared:
    steward, researcher = ledger_of(NORTHGATE, "steward"), ledger_of(RIVERSIDE, "researcher")
    people = pseudonyms(4)
    steward.consents.import_frame(consent_frame(people))
    frame = pd.DataFrame({"pseudonym": people, "radius": [1.0, 2.0, 3.0, 4.0]})
    version = steward.datasets.register_frame(frame, name="cells", **TERMS)
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    grant = steward.grants.grant(
        request.request_id, versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
    )
    gateway.memory.advance(timedelta(seconds=5))
    return Shared(steward, version.version_id, request.request_id, grant.grant_id)
