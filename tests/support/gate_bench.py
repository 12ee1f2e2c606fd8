"""A data gate over the contracts in memory, with its people, called without HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
from support.consent_frames import RESEARCH, pseudonyms

from consentry.gate import row_blocks
from consentry.gate.arrival import Arrival
from consentry.gate.delivering import Delivery
from consentry.gate.places import GatePlaces
from consentry.gate.service import Gate
from consentry.gate.wire import END
from consentry.ledger import Ledger
from consentry.request_signatures import SignedRequest, signed_headers

NORTHGATE, RIVERSIDE = "NorthgateMSP", "RiversideMSP"
MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
COUNT = 37
PEOPLE = pseudonyms(COUNT)


@dataclass
class GateBench:
    """The gate with its people and one version, and a recipient without a network between them."""

    gateway: Any
    places: GatePlaces
    steward: Ledger
    service: Ledger
    researcher: Ledger
    version: Any
    grant: Any
    gate: Gate
    open_gate: Callable[..., Gate]

    def attempt(self, ledger: Ledger | None = None, **options: Any) -> str:
        """An attempt of the researcher's, committed."""
        by = ledger or self.researcher
        return by.access.attempt(self.version.version_id, **{"purpose": RESEARCH, **options})

    def request(self, attempt_id: str, ledger: Ledger | None = None, **changes: Any) -> SignedRequest:
        """A signed request for an attempt's rows."""
        body = json.dumps({"token": None}).encode()
        path = f"/v1/attempts/{attempt_id}/rows"
        created = int(self.gateway.memory.time.timestamp()) + changes.pop("seconds", 0)
        identity = (ledger or self.researcher).identity
        headers = signed_headers(identity, NORTHGATE, "POST", path, body, created)
        return SignedRequest(**{"method": "POST", "path": path, "headers": headers, "body": body, **changes})

    def deliver(self, attempt_id: str, *, token: str | None = None) -> Delivery:
        """The delivery that the gate allows."""
        caller = self.gate.caller(self.request(attempt_id))
        return self.gate.deliver(attempt_id, token, caller)

    def receive(
        self, data: bytes, first_row: int = 0, columns: Sequence[str] = ()
    ) -> tuple[pd.DataFrame, Arrival, dict[str, Any] | None]:
        """What a recipient makes of the bytes: the verified rows, the checks, the gate's last word."""
        with pa.ipc.open_stream(data) as reader:
            arrival = Arrival(self.version, dict(reader.schema.metadata), first_row, columns)
            batches, end = [], None
            while end is None:
                try:
                    batch, metadata = reader.read_next_batch_with_custom_metadata()
                except StopIteration:
                    break
                if END in metadata:
                    end = json.loads(metadata[END])
                else:
                    arrival.check(batch, dict(metadata))
                    batches.append(row_blocks.data_columns(batch).to_pandas())
        return pd.concat(batches, ignore_index=True) if batches else pd.DataFrame(), arrival, end


def all_bytes(delivery: Delivery, blocks: int | None = None) -> bytes:
    """The bytes of a delivery, all or those of some pieces, as a server would send them."""
    data = delivery.begin()
    while blocks is None or blocks > 0:
        block = delivery.next()
        if block is None:
            break
        delivery.note(block)
        data += block.data
        blocks = None if blocks is None else blocks - 1
    return data
