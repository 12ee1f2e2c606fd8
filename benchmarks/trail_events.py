"""Fills a trail index with the events of a busy consortium: seeded, so that every run has the same.

The rows are made by the index's own code from records of the ledger's own types; proving is left out, which
`benchmarks.embedded` measures by itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, func, select

from consentry.index.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from consentry.index.database import refresh_statistics
from consentry.index.interpretation import RecordWrite, TransactionRow
from consentry.index.record_kinds import RECORD_KINDS, record_identifier
from consentry.index.schema import transactions
from consentry.index.store import BlockWriter
from consentry.verification import Position
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.consent import Consent, ConsentEvent
from consentry_records.dataset import Dataset, DatasetVersion
from consentry_records.grant import Grant
from consentry_records.instants import format_instant
from consentry_records.model import Model, ModelVersion
from consentry_records.reasons import Reason
from consentry_records.record import Record
from consentry_records.training import TrainingSession

EVENTS = int(os.environ.get("CONSENTRY_BENCH_EVENTS", "100000"))
"""How many; 0 leaves out what is measured over them. The bars are for 1000000: some minutes, 4 GB of disk."""

KEPT = os.environ.get("CONSENTRY_BENCH_INDEX", "")
"""SQLite file that keeps the index from run to run, for what takes minutes to fill; a run that breaks off is
gone on with.
"""

HOSPITALS = ("NorthgateMSP", "RiversideMSP", "LakesideMSP")
PURPOSE = "DUO:0000006"
DATASETS, MODELS = 60, 40
TRANSACTIONS_A_BLOCK = 500
_RECORDS_A_WRITE = 20 * TRANSACTIONS_A_BLOCK
_DIGEST = "sha256:" + "d" * 64
_START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Filling:
    """What was filled in, for questions to ask.

    Attributes:
        events: how many records were written.
        subjects: commitments, each with one consent.
        consents: consent ids, one a subject.
        datasets: dataset ids, each with one version.
        models: model ids.
        model_versions: model version ids.
    """

    events: int = 0
    subjects: list[str] = field(default_factory=list)
    consents: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    model_versions: list[str] = field(default_factory=list)


def index_file(directory: Path) -> Path:
    """Where the index is: the one that is kept, or one in a directory."""
    return Path(KEPT) if KEPT else directory / "index.sqlite"


def fill(
    engine: Engine, events: int, seed: int = 1, progress: Callable[[int], None] | None = None
) -> Filling:
    """Write events into an index that is empty, or that an earlier run with the same arguments began to fill.

    Args:
        engine: from `open_database`.
        events: how many, about.
        seed: another one gives other events.
        progress: called with the number written so far.

    Returns:
        What is there.
    """
    made = Consortium(random.Random(seed), events)
    write_records(engine, made.records(), lambda: progress(made.filling.events) if progress else None)
    return made.filling


def write_records(
    engine: Engine,
    records: Iterable[tuple[str, Record]],
    written: Callable[[], object] = lambda: None,
) -> None:
    """Write records, each with its kind, into an index; `written` is called after every 10,000.

    What is there from an earlier run is passed over.
    """
    number, there = 0, _blocks_there(engine)
    for batch in _batches(records):
        count = -(-len(batch) // TRANSACTIONS_A_BLOCK)
        if number >= there:
            _write(engine, batch, number)
            written()
        number += count
    position = Position(number, b"h" * 32, b"c" * 32, b"g" * 32, b"", 0)
    with engine.begin() as connection:
        if read_checkpoint(connection) is None:
            write_checkpoint(connection, Checkpoint("consentry", position, True), 0)
    refresh_statistics(engine)


def _blocks_there(engine: Engine) -> int:
    with engine.connect() as connection:
        last = connection.scalar(select(func.max(transactions.c.block)))
    return 0 if last is None else int(last) + 1


def _batches(records: Iterable[tuple[str, Record]]) -> Iterator[list[tuple[str, Record]]]:
    left = iter(records)
    while batch := list(islice(left, _RECORDS_A_WRITE)):
        yield batch


def _write(engine: Engine, batch: list[tuple[str, Record]], number: int) -> None:
    """Write records as blocks from a number on."""
    rows, writes = [], []
    for index, (kind, record) in enumerate(batch):
        block, position = divmod(index, TRANSACTIONS_A_BLOCK)
        body = record.to_dict()
        row = _row(number + block, position, kind)
        rows.append(row)
        identifier = identifier_of(kind, body)
        value = record.to_bytes()
        writes.append(RecordWrite(row, cast(Any, None), RECORD_KINDS[kind], identifier, body, value))
    with engine.begin() as connection:
        BlockWriter(connection, "consentry").write_rows(rows, writes, lambda _write, _owner: True)


def identifier_of(kind: str, body: Mapping[str, Any]) -> str:
    """The id under which a record is kept."""
    return record_identifier(kind, body) or ""


def _row(block: int, position: int, kind: str) -> TransactionRow:
    return TransactionRow(
        block=block,
        position=position,
        transaction_id=f"{block:032x}{position:032x}",
        code=0,
        code_name="VALID",
        chaincode="consentry",
        function=f"{kind}s:write",
        creator_msp=HOSPITALS[0],
        creator="someone",
        endorsers=",".join(sorted(HOSPITALS)),
        event="",
        proposal_time=format_instant(_START + timedelta(minutes=block)),
    )


class Consortium:
    """Makes records in an order in which a ledger could have them.

    Attributes:
        filling: what was made so far.

    Args:
        chance: where they differ.
        events: how many, about.
        hospitals: MSP ids of the custodians, two at least.
    """

    def __init__(self, chance: random.Random, events: int, hospitals: Sequence[str] = HOSPITALS) -> None:
        self._chance = chance
        self._events = events
        self._hospitals = tuple(hospitals)
        self._minutes = 0
        self.filling = Filling()
        self._grants: dict[str, Grant] = {}

    def records(self) -> Iterator[tuple[str, Record]]:
        """Datasets, grants and models, then consents, attempts with decisions, and training, mixed."""
        for kind, record in self._mixed():
            self.filling.events += 1
            yield kind, record

    def _mixed(self) -> Iterator[tuple[str, Record]]:
        yield from self._datasets()
        for _ in range(MODELS):
            model_id = self._identifier("model")
            model = Model(
                model_id=model_id,
                name=f"model-{model_id[-8:]}",
                owner=self._hospitals[1],
                registered_at=self._now(),
            )
            self.filling.models.append(model_id)
            yield "model", model
        while self.filling.events < self._events:
            drawn = self._chance.random()
            if drawn < 0.3:
                yield "consent", self._consent()
            elif drawn < 0.97:
                yield from self._access()
            else:
                yield from self._training()

    def _datasets(self) -> Iterator[tuple[str, Record]]:
        for index in range(DATASETS):
            custodian = self._hospitals[index % len(self._hospitals)]
            dataset_id, name = self._identifier("dataset"), f"dataset-{index}"
            yield "dataset", Dataset(dataset_id=dataset_id, name=name, custodian=custodian)
            version = self._version(dataset_id, name, custodian)
            grantee = self._hospitals[(index + 1) % len(self._hospitals)]
            grant = self._grant(version.version_id, custodian, grantee)
            self.filling.datasets.append(dataset_id)
            self._grants[version.version_id] = grant
            yield "version", version
            yield "grant", grant

    def _consent(self) -> Consent:
        subject = f"hmac-sha256:{self._chance.getrandbits(256):064x}"
        now = self._now()
        consent_id = self._identifier("consent")
        self.filling.subjects.append(subject)
        self.filling.consents.append(consent_id)
        given = ConsentEvent(
            event="given",
            recorded_at=now,
            recorded_by="steward",
            claimed_at=None,
            batch_id=None,
            replaced=None,
        )
        return Consent(
            consent_id=consent_id,
            subject=subject,
            custodian=self._chance.choice(self._hospitals),
            controller=self._hospitals[0],
            purposes=(PURPOSE, "TREAT"),
            restrictions=(),
            categories=("imaging",),
            recipients=("ANY_MEMBER",),
            not_before=now,
            not_after="2035-01-01T00:00:00.000Z",
            notice_digest=_DIGEST,
            state="given",
            events=(given,),
        )

    def _access(self) -> Iterator[tuple[str, Record]]:
        version_id = self._chance.choice(list(self._grants))
        grant, now = self._grants[version_id], self._now()
        attempt = AccessAttempt(
            attempt_id=self._identifier("attempt"),
            version_id=version_id,
            custodian=grant.custodian,
            requester_msp=grant.grantee,
            requester=f"researcher-{self._chance.randrange(200)}",
            roles=("researcher",),
            purpose=PURPOSE,
            commercial=False,
            proposal_time=now,
        )
        yield "attempt", attempt
        permits = self._chance.random() < 0.9
        missing = Reason(code="NO_GRANT", parameters={"msp_id": grant.grantee, "version_id": version_id})
        yield (
            "decision",
            AccessDecision(
                attempt_id=attempt.attempt_id,
                custodian=grant.custodian,
                outcome="permit" if permits else "deny",
                rules=("requester/1", "grant/1"),
                reasons=() if permits else (missing,),
                grant_id=grant.grant_id if permits else None,
                epoch="",
                decided_at=now,
                permit_not_after=grant.not_after if permits else None,
            ),
        )

    def _training(self) -> Iterator[tuple[str, Record]]:
        access = list(self._access())
        yield from access
        attempt = cast(AccessAttempt, access[0][1])
        session_id, model_id = self._identifier("session"), self._chance.choice(self.filling.models)
        yield (
            "session",
            TrainingSession(
                session_id=session_id,
                model_id=model_id,
                purpose=PURPOSE,
                commercial=False,
                attempts=(attempt.attempt_id,),
                versions=(attempt.version_id,),
                code_digest=_DIGEST,
                environment_digest=_DIGEST,
                hyperparameters_digest=_DIGEST,
                msp=attempt.requester_msp,
                trainer=attempt.requester,
                started_at=self._now(),
                state="completed",
                ended_at=self._now(),
            ),
        )
        version_id = self._identifier("modelversion")
        self.filling.model_versions.append(version_id)
        yield (
            "modelversion",
            ModelVersion(
                model_version_id=version_id,
                model_id=model_id,
                weights_digest=_DIGEST,
                architecture_digest=_DIGEST,
                parent=None,
                sessions=(session_id,),
                metrics={"auc": "0.9"},
                test_set_digest=None,
                registered_at=self._now(),
                registered_by=attempt.requester,
            ),
        )

    def _version(self, dataset_id: str, name: str, custodian: str) -> DatasetVersion:
        return DatasetVersion(
            version_id=self._identifier("version"),
            dataset_id=dataset_id,
            name=name,
            number=1,
            custodian=custodian,
            content_digest=f"hmac-{_DIGEST}",
            schema_digest=_DIGEST,
            row_count=1000,
            categories=("imaging",),
            legal_bases=("GDPR-9-2-j",),
            duo_terms=(PURPOSE,),
            merkle_root=_DIGEST,
            derived_from=(),
            transformation=None,
            supersedes=None,
            removed_count=0,
            removed_root=None,
            registered_at=self._now(),
            state="active",
            retirement=None,
        )

    def _grant(self, version_id: str, custodian: str, grantee: str) -> Grant:
        return Grant(
            grant_id=self._identifier("grant"),
            request_id=self._identifier("request"),
            custodian=custodian,
            grantee=grantee,
            versions=(version_id,),
            purposes=(PURPOSE,),
            restrictions=(),
            not_before=self._now(),
            not_after="2035-01-01T00:00:00.000Z",
            ethics_approval_digest=None,
            state="active",
            revision=1,
        )

    def _identifier(self, kind: str) -> str:
        return f"{kind}-{self._chance.getrandbits(128):032x}"

    def _now(self) -> str:
        self._minutes += 1
        return format_instant(_START + timedelta(seconds=30 * self._minutes))
