"""The contracts on an in-memory ledger: three hospitals, a regulator, people with roles, records in few
words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.ledger_examples import HOSPITALS, NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_contracts import contracts
from consentry_records import (
    ConsentBatch,
    ConsentChange,
    ConsentChangeBatch,
    Grant,
    NewAccessAttempt,
    NewModel,
    NewTrainingSession,
    keys,
)
from consentry_records.digest import sha256_digest
from consentry_records.error_catalogue import CATALOGUE
from consentry_records.identifiers import consent_identifiers
from consentry_records.instants import format_instant
from consentry_records.private_entries import encode_entries, entry_key, private_batch, private_value
from consentry_records.record import Record
from fabric_protocol.topology import CollectionDefinition
from fabric_shim import ContractError
from fabric_testing import Ledger, Signatory, TestResult

SHIM_CODES = ("ARGUMENT_INVALID", "FUNCTION_NOT_FOUND")
START = datetime(2026, 3, 10, 12, 0, 0, tzinfo=UTC)


def collection(msp_id: str) -> CollectionDefinition:
    """A hospital's own collection, as the presets define it."""
    return CollectionDefinition(
        name=keys.collection(msp_id),
        members=f"OR('{msp_id}.member')",
        member_only_read=True,
        member_only_write=True,
        endorsement=f"OR('{msp_id}.peer')",
    )


class Consortium:
    """A ledger with its settings written, and its people by role."""

    def __init__(self, *others: str) -> None:
        """`others` are members of the channel that the settings do not name."""
        self.ledger = Ledger(
            contracts=contracts(),
            organizations=[*HOSPITALS, REGULATOR, *others],
            collections=[collection(msp_id) for msp_id in HOSPITALS],
            chaincode="consentry",
            channel="consentry",
        )
        self.ledger.time = START
        self._people: dict[tuple[str, str], Signatory] = {}
        self._names: dict[tuple[str, str], str] = {}

    @classmethod
    async def initialized(cls, *others: str) -> Consortium:
        """A consortium whose regulator has written the settings."""
        made = cls(*others)
        await made.submit(made.person("regulator", REGULATOR), "ledger:initialize", examples.settings())
        return made

    def person(self, roles: str, msp_id: str = NORTHGATE) -> Signatory:
        """Somebody with these roles; the same person each time."""
        if (roles, msp_id) not in self._people:
            name = self._names[roles, msp_id] = f"{msp_id}-{len(self._people)}"
            attributes = {"consentry.role": roles} if roles else {}
            self._people[roles, msp_id] = self.ledger.caller(msp_id, attributes=attributes, common_name=name)
        return self._people[roles, msp_id]

    def name(self, roles: str, msp_id: str = NORTHGATE) -> str:
        """The enrolment id of the person with these roles."""
        self.person(roles, msp_id)
        return self._names[roles, msp_id]

    def instant(self, seconds: float = 0) -> str:
        """The ledger's time, so many seconds later."""
        return format_instant(self.ledger.time + timedelta(seconds=seconds))

    async def submit(self, caller: Signatory, function: str, *arguments: Any, **options: Any) -> TestResult:
        """Submit; the transaction has to be valid. The clocks move on by ten milliseconds."""
        result = await self.ledger.submit(caller, function, *arguments, **options)
        self.ledger.advance(timedelta(milliseconds=10))
        return result.require_valid()

    async def evaluate(self, caller: Signatory, function: str, *arguments: Any, **options: Any) -> Any:
        """Evaluate; the decoded result."""
        result = await self.ledger.evaluate(caller, function, *arguments, **options)
        return json.loads(result.payload) if result.payload else None

    def record(self, kind: type[Record], key: str) -> Any:
        """The committed record under a key, None where there is none."""
        value = self.ledger.state(key)
        return None if value is None else kind.from_bytes(value)

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self.ledger.advance(timedelta(seconds=seconds))

    def taken_uses(self, grant_id: str) -> list[bytes]:
        """What stands under a grant's use keys, in any order."""
        return [value for key, value in self.ledger.states().items() if key.startswith(f"use/{grant_id}/")]

    async def store_private(self, subjects: Sequence[str], batch: int = 1, **options: Any) -> str:
        """Store an entry for each consent of a batch of Northgate's; the digest of the batch entry."""
        entries = private_entries(subjects, batch)
        entry = private_batch(identifier("batch", batch), entries)
        transient = {"entries": encode_entries(entries), "batch": entry.to_bytes()}
        caller = options.pop("caller", self.person("steward"))
        await self.submit(caller, "consents:store_private", transient=transient, **options)
        return sha256_digest(entry.to_bytes())

    async def import_consents(
        self, subjects: Sequence[str], batch: int = 1, msp_id: str = NORTHGATE, **changes: Any
    ) -> list[str]:
        """Both transactions of an import, one consent a subject (by any name); the consents' ids."""
        caller = self.person("steward", msp_id)
        stored = await self.store_private(subjects, batch, caller=caller)
        document = consent_batch(subjects, stored, batch, custodian=msp_id, **changes)
        await self.submit(caller, "consents:import_batch", document)
        return consent_ids(subjects, batch)

    async def register_version(self, which: int = 1, msp_id: str = NORTHGATE, /, **changes: Any) -> str:
        """A dataset version; its id."""
        await self.submit(
            self.person("steward", msp_id), "datasets:register", examples.new_version(which, **changes)
        )
        return identifier("version", which)

    async def grant(self, number: int = 1, *, seconds: float = 3600, **changes: Any) -> str:
        """A request of Riverside's and Northgate's grant on it, from now; the grant's id."""
        versions = changes.pop("versions", (identifier("version", 1),))
        purposes = changes.pop("purposes", ("DUO:0000006",))
        request = examples.new_request(number, versions=versions, purposes=purposes)
        await self.submit(self.person("researcher", RIVERSIDE), "grants:request", request)
        fields = {
            "request_id": request.request_id,
            "versions": versions,
            "purposes": purposes,
            "not_before": self.instant(-1),
            "not_after": self.instant(seconds),
        }
        await self.submit(
            self.person("dpo"), "grants:grant", examples.new_grant(number, **{**fields, **changes})
        )
        self.ledger.advance(timedelta(seconds=2))
        return identifier("grant", number)

    async def attempt(self, number: int = 1, caller: Signatory | None = None, **changes: Any) -> str:
        """An attempt by Riverside's researcher; its id."""
        attempt: NewAccessAttempt = examples.new_attempt(number, **changes)
        await self.submit(caller or self.person("researcher", RIVERSIDE), "access:attempt", attempt)
        return attempt.attempt_id

    async def decide(self, attempt_id: str) -> Mapping[str, Any]:
        """Northgate's service decides; the decision as JSON."""
        await self.submit(self.person("service"), "access:decide", attempt_id)
        found = await self.evaluate(self.person(""), "access:get", attempt_id)
        decision: Mapping[str, Any] = found["decision"]
        return decision

    async def permitted_attempt(self, number: int = 1, **changes: Any) -> str:
        """An attempt that is permitted; its id."""
        attempt_id = await self.attempt(number, **changes)
        assert (await self.decide(attempt_id))["outcome"] == "permit"
        return attempt_id

    async def model(self, number: int = 1, msp_id: str = RIVERSIDE) -> str:
        """A model; its id."""
        model = NewModel(model_id=identifier("model", number), name=f"model-{number}")
        await self.submit(self.person("researcher", msp_id), "models:register", model)
        return model.model_id

    def end_of_grant(self, grant_id: str) -> str:
        """When the committed grant ends."""
        end: str = self.record(Grant, keys.grant(grant_id)).not_after
        return end

    async def refusal(self, call: Awaitable[Any]) -> str:
        """The code with which the contracts refuse a call; nothing may be written by it."""
        before = state_digest(self)
        with pytest.raises(ContractError) as caught:
            await call
        assert state_digest(self) == before
        assert caught.value.code in CATALOGUE or caught.value.code in SHIM_CODES
        return caught.value.code


def consent_ids(subjects: Sequence[str], batch: int = 1) -> list[str]:
    """The ids of a batch's consents."""
    return consent_identifiers(identifier("batch", batch), len(subjects))


def private_entries(subjects: Sequence[str], batch: int = 1, value: bytes = b"encrypted") -> dict[str, str]:
    """The private entries of a batch, one a subject: base64 by key."""
    return {
        entry_key(examples.commitment(subject), consent_id, identifier("batch", batch)): private_value(value)
        for subject, consent_id in zip(subjects, consent_ids(subjects, batch), strict=True)
    }


def consent_batch(
    subjects: Sequence[str],
    private_entry_digest: str,
    batch: int = 1,
    *,
    custodian: str = NORTHGATE,
    claimed_at: str | None = None,
    **changes: Any,
) -> ConsentBatch:
    """The public part of an import, one consent a subject, all under the same terms."""
    return ConsentBatch(
        batch_id=identifier("batch", batch),
        custodian=custodian,
        private_entry_digest=private_entry_digest,
        terms=(examples.terms(**changes),),
        subjects=tuple(examples.commitment(subject) for subject in subjects),
        chosen=(0,) * len(subjects),
        claimed_at=() if claimed_at is None else (claimed_at,) * len(subjects),
    )


def change(consent_id: str, what: str = "withdrawn", **fields: Any) -> ConsentChange:
    """One change of a consent."""
    defaults: dict[str, Any] = {"claimed_at": None, "terms": None}
    return ConsentChange(consent_id=consent_id, change=what, **{**defaults, **fields})


def change_batch(changes: Sequence[ConsentChange], batch: int = 100, **fields: Any) -> ConsentChangeBatch:
    """A batch of changes by Northgate."""
    defaults: dict[str, Any] = {"custodian": NORTHGATE, "private_entry_digest": None}
    return ConsentChangeBatch(
        batch_id=identifier("batch", batch), changes=tuple(changes), **{**defaults, **fields}
    )


def new_session(number: int = 1, **changes: Any) -> NewTrainingSession:
    """A session of model 1 under attempt 1."""
    fields: dict[str, Any] = {
        "session_id": identifier("session", number),
        "model_id": identifier("model", 1),
        "purpose": "DUO:0000006",
        "commercial": False,
        "attempts": (identifier("attempt", 1),),
        "code_digest": examples.digest("code"),
        "environment_digest": examples.digest("environment"),
        "hyperparameters_digest": examples.digest("hyperparameters"),
    }
    return NewTrainingSession(**{**fields, **changes})


def state_digest(consortium: Consortium) -> str:
    """SHA-256 over all committed keys and values."""
    digest = hashlib.sha256()
    for key, value in consortium.ledger.states().items():
        digest.update(f"{len(key)}:{key}{len(value)}:".encode() + value)
    return digest.hexdigest()
