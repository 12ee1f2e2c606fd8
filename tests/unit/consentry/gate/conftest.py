"""A gate of Northgate's over the contracts in memory; blocks of eight rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame
from support.gate_bench import COUNT, MONTH, NORTHGATE, PEOPLE, RIVERSIDE, TERMS, GateBench

from consentry.gate import row_blocks
from consentry.gate.places import GatePlaces
from consentry.gate.service import Gate


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"pseudonym": PEOPLE, "radius": np.linspace(10, 20, COUNT), "grade": ["low", None] * 18 + ["high"]}
    )


@pytest.fixture
def bench(
    gateway: Any, ledger_of: Any, frame: pd.DataFrame, tmp_path: Path, monkeypatch: Any
) -> Iterator[GateBench]:
    monkeypatch.setattr(row_blocks, "MAXIMUM_BLOCK_ROWS", 8)
    steward, service = ledger_of(NORTHGATE, "steward"), ledger_of(NORTHGATE, "service")
    researcher = ledger_of(RIVERSIDE, "researcher")
    steward.consents.import_frame(consent_frame(PEOPLE))
    version = steward.datasets.register_frame(frame, name="cells", **TERMS)
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    grant = steward.grants.grant(
        request.request_id, versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
    )
    gateway.memory.advance(timedelta(seconds=5))
    places = GatePlaces(tmp_path / "custody" / "gate", str(tmp_path / "storage"))
    rows = steward.datasets.registered_rows(version.version_id)
    places.store().put(version, [frame], rows, steward.datasets.secret("cells").secret)
    opened: list[Gate] = []

    def open_gate(isolation: Any = None) -> Gate:
        members = lambda: gateway.memory._channel.config.msps  # noqa: E731
        opened.append(Gate(service, places, lambda: gateway.memory.time, members, isolation))
        return opened[-1]

    bench = GateBench(gateway, places, steward, service, researcher, version, grant, open_gate(), open_gate)
    gateway.memory.advance(timedelta(seconds=1))
    yield bench
    for gate in opened:
        gate.close()
