"""What a data gate gives out a second on one core, and how soon it begins and stops on networks.

Alone: ``python -m benchmarks.gate``; the second half alone: ``python -m benchmarks.gate_on_networks``.
"""

from __future__ import annotations

import hashlib
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa

from benchmarks import gate_on_networks
from benchmarks.results import Measurement
from consentry.gate import row_blocks
from consentry.gate.consent_answers import ConsentAnswers
from consentry.gate.consented_pieces import ConsentedPieces
from consentry.gate.delivering import Delivery, Parts
from consentry.gate.journal import Journal, NotedDelivery
from consentry.gate.keyring import Keyring
from consentry.gate.permits import Outlook, Permit
from consentry.gate.pieces import Pieces
from consentry.gate.resume_tokens import ResumeTokens
from consentry.gate.serving import use_plain_memory
from consentry.gate.storage import Sealer, Storage
from consentry.gate.store import Index, StoredVersion
from consentry.manifests import ManifestRow
from consentry_records import merkle

NARROW, WIDE = 4, 60
BLOCKS = 64
_VERSION = "version-" + "0" * 32
_MEGABYTE = 1e6


def measure(directory: Path) -> Iterator[Measurement]:
    """Measure stored blocks without a network, then gates on networks in `directory`."""
    directory.mkdir(parents=True)
    use_plain_memory()
    rows, _, _ = _given_out(directory / "narrow", NARROW, BLOCKS)
    yield Measurement("gate: rows with consent filter and proofs", rows, "/s", 200_000)
    _, before, memory = _given_out(directory / "wide", WIDE, BLOCKS)
    yield Measurement("gate: stored rows decrypted, filtered, given out", before, "MB/s", 200)
    _, _, more = _given_out(directory / "more", WIDE, 4 * BLOCKS)
    yield Measurement("gate: memory for four times the data, more", more - memory, "MB", 50, False)
    yield from gate_on_networks.measure(directory / "networks")


def _given_out(directory: Path, columns: int, blocks: int) -> tuple[float, float, float]:
    """Rows a second, MB of Arrow data a second, and the process's greatest memory (MB) afterwards."""
    stored, size = _stored(directory, columns, blocks)
    delivery = _delivery(directory, stored)
    start = time.process_time()
    delivery.begin()
    while (block := delivery.next()) is not None:
        delivery.note(block)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return stored.index.rows / seconds, size / _MEGABYTE / seconds, peak


def _stored(directory: Path, columns: int, blocks: int) -> tuple[StoredVersion, int]:
    """A version of random numbers, one subject a row, written block by block."""
    random = np.random.default_rng(1)
    key = Keyring(directory / "keys").create(_VERSION)
    storage, sealer = Storage(str(directory / "storage")), Sealer(key, _VERSION)
    roots, lengths, size = [], [], 0
    with storage.writing(_VERSION, "blocks") as file:
        for number in range(blocks):
            batch = pa.RecordBatch.from_pydict(
                {f"column {n}": random.random(row_blocks.MAXIMUM_BLOCK_ROWS) for n in range(columns)}
            )
            size += batch.nbytes
            proved = row_blocks.with_proofs(batch, [_row(number, place) for place in range(batch.num_rows)])
            roots.append(merkle.root_of_hashes(proved.column(row_blocks.LEAF).to_pylist()))
            sealed = sealer.seal(number + 1, row_blocks.encode(proved))
            lengths.append(len(sealed))
            file.write(sealed)
    schema = [[f"column {n}", "number"] for n in range(columns)]
    rows = blocks * row_blocks.MAXIMUM_BLOCK_ROWS
    index = Index(rows, row_blocks.MAXIMUM_BLOCK_ROWS, schema, lengths, [root.hex() for root in roots])
    return StoredVersion(_VERSION, index, storage, sealer), size


def _row(block: int, place: int) -> ManifestRow:
    digest = hashlib.sha256(f"{block}/{place}".encode()).hexdigest()
    return ManifestRow(f"hmac-sha256:{digest}", f"hmac-sha256:{digest}", f"consent-{digest[:32]}")


class _Permits:
    """The ledger's part is not measured here: every permit holds."""

    def has_ended(self, permit: Permit) -> bool:
        return False

    def standing(self, permit: Permit) -> tuple[None, str]:
        return None, ""


class _Answers(ConsentAnswers):
    """Every tenth subject does not consent; the ledger is not asked."""

    def __init__(self) -> None:
        """Know nothing of a ledger."""

    def left_out(self, subjects: Any, epoch: str) -> list[str | None]:
        return [None if subject[0] % 10 else "ended" for subject in subjects]


def _delivery(directory: Path, stored: StoredVersion) -> Delivery:
    parts = Parts(
        _Permits(),  # type: ignore[arg-type]
        Journal(directory / "custody" / "journal.sqlite"),
        ResumeTokens(directory / "custody" / "resume.key"),
        lambda: datetime.now(UTC),
    )
    permit: Any = SimpleNamespace(attempt=SimpleNamespace(attempt_id="attempt-" + "0" * 32))
    outlook = Outlook(permit, None, "", (), 0.0)
    noted = NotedDelivery(permit.attempt.attempt_id, 1, _VERSION, 0, "2026-01-01T00:00:00.000Z", None, None)
    columns = [column[0] for column in stored.index.schema]
    pieces = ConsentedPieces(parts.permits, outlook, Pieces(stored, 0), cast(ConsentAnswers, _Answers()))
    return Delivery(parts, permit, pieces, b"s" * 32, "caller", noted, columns)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place) / "gate"):
            verdict = "reached" if measurement.holds else "missed"
            print(
                f"{measurement.what}: {measurement.measured:,.2f} {measurement.unit}; {verdict}", flush=True
            )
