"""What a data gate gives out a second on one core, and how soon it begins and stops on a real network."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.gate_in_thread import gate_in_thread
from benchmarks.results import Measurement
from consentry.data import DeliveryStopped
from consentry.demo.data import load_hospitals
from consentry.gate import row_blocks
from consentry.gate.address import GateAddress
from consentry.gate.consent_answers import ConsentAnswers
from consentry.gate.consented_pieces import ConsentedPieces
from consentry.gate.delivering import Delivery, Parts
from consentry.gate.journal import Journal, NotedDelivery
from consentry.gate.keyring import Keyring
from consentry.gate.permits import Permit
from consentry.gate.pieces import Pieces
from consentry.gate.places import GatePlaces
from consentry.gate.resume_tokens import ResumeTokens
from consentry.gate.storage import Sealer, Storage
from consentry.gate.store import Index, StoredVersion
from consentry.ledger import Ledger, connect
from consentry.manifests import ManifestRow
from consentry.network import bring_up, enroll_user, take_down
from consentry_records import merkle

NARROW, WIDE = 4, 60
BLOCKS = 64
_VERSION = "version-" + "0" * 32
_PURPOSE = "DUO:0000006"
_MEGABYTE = 1e6
_ATTEMPTS = 7


def measure(directory: Path) -> Iterator[Measurement]:
    """Measure stored blocks without a network, then a gate on an embedded network in `directory`."""
    directory.mkdir(parents=True)
    rows, _, _ = _given_out(directory / "narrow", NARROW, BLOCKS)
    yield Measurement("gate: rows with consent filter and proofs", rows, "/s", 200_000)
    _, before, memory = _given_out(directory / "wide", WIDE, BLOCKS)
    yield Measurement("gate: stored rows decrypted, filtered, given out", before, "MB/s", 200)
    _, _, more = _given_out(directory / "more", WIDE, 4 * BLOCKS)
    yield Measurement("gate: memory for four times the data, more", more - memory, "MB", 50, False)
    yield from _on_a_network(directory / "network")


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
    noted = NotedDelivery(permit.attempt.attempt_id, 1, _VERSION, 0, "2026-01-01T00:00:00.000Z", None, None)
    columns = [column[0] for column in stored.index.schema]
    pieces = ConsentedPieces(parts.permits, permit, Pieces(stored, 0), cast(ConsentAnswers, _Answers()))
    return Delivery(parts, permit, pieces, b"s" * 32, "caller", noted, columns)


def _on_a_network(directory: Path) -> Iterator[Measurement]:
    """First rows after the decision's commit, and how long a revoked stream goes on."""
    bring_up(directory, "consortium")
    try:
        people = {
            role: enroll_user(directory, organization, role, [role])
            for organization, role in (("northgate", "steward"), ("riverside", "researcher"))
        }
        with (
            connect(directory, people["steward"]) as steward,
            connect(directory, people["researcher"]) as researcher,
        ):
            version = _registered(steward, directory)
            with gate_in_thread(directory, "northgate") as committed:
                yield _first_rows(steward, researcher, version, committed)
            gate = _start_gate(directory)
            try:
                yield _revoked(steward, researcher, version)
            finally:
                gate.terminate()
                gate.wait()
    finally:
        take_down(directory)


def _registered(steward: Ledger, directory: Path) -> str:
    hospital = load_hospitals(1, datetime.now(UTC))[0]
    steward.consents.import_frame(hospital.consents)
    frame = pd.concat([hospital.rows] * 400, ignore_index=True)
    made = steward.datasets.register_frame(
        frame, name="cells", categories=["imaging"], legal_bases=["GDPR-9-2-j"], duo_terms=[_PURPOSE]
    )
    rows = steward.datasets.registered_rows(made.version_id)
    store = GatePlaces.of(steward.profile, "northgate").store()
    store.put(made, [frame], rows, steward.datasets.secret("cells").secret)
    return made.version_id


def _start_gate(directory: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "consentry", "--network", str(directory), "--as", "northgate/service"]
    with connect(directory, "northgate/service", environment={}) as ledger:
        GateAddress.file(ledger.profile, "northgate").unlink(missing_ok=True)
        process = subprocess.Popen([*command, "gate", "serve"])  # noqa: S603
        while not GateAddress.file(ledger.profile, "northgate").exists():
            time.sleep(0.01)
    return process


def _granted(steward: Ledger, researcher: Ledger, version: str) -> str:
    request = researcher.grants.request([version], purposes=[_PURPOSE], duration=timedelta(days=1))
    return steward.grants.grant(
        request.request_id, versions=[version], purposes=[_PURPOSE], duration=timedelta(days=1)
    ).grant_id


def _first_rows(steward: Ledger, researcher: Ledger, version: str, committed: list[float]) -> Measurement:
    """The median over some attempts of the time from the decision's commit to the first verified rows."""
    _granted(steward, researcher, version)
    more: list[float] = []
    while len(more) < _ATTEMPTS:
        committed.clear()
        with researcher.data.open(version, purpose=_PURPOSE) as stream:
            next(stream.batches())
            arrived = time.perf_counter()
        # The decision service may have been first: nobody here saw that commit.
        more.extend(arrived - at for at in committed)
        while not researcher.transactions.evaluate("deliveries:of_attempt", stream.attempt_id):
            time.sleep(0.1)
    what = "gate: first verified rows after the decision's commit"
    return Measurement(what, sorted(more)[_ATTEMPTS // 2] * 1000, "ms", 50, False)


def _revoked(steward: Ledger, researcher: Ledger, version: str) -> Measurement:
    """The stream is read as slowly as a batch a tenth of a second."""
    grant = _granted(steward, researcher, version)
    with researcher.data.open(version, purpose=_PURPOSE) as stream:
        batches = stream.batches()
        next(batches)
        steward.grants.revoke(grant)
        start = time.perf_counter()
        try:
            for _ in batches:
                time.sleep(0.1)
        except DeliveryStopped:
            pass
    return Measurement("gate: a revoked stream goes on for", time.perf_counter() - start, "s", 3, False)
