"""Changes of consents by their custodian: renewal, narrowing, withdrawal, expiry, error; and opt-outs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from consentry.errors import InputRejected
from consentry.identifiers import new_identifier
from consentry.private_values import seal
from consentry.subjects import SubjectRegister
from consentry.transactions import CONFLICT_TRIES, Transactions, checked
from consentry_records.consent import (
    ENTERED_IN_ERROR,
    EXPIRED,
    MAXIMUM_QUERY,
    NARROWED,
    RENEWED,
    WITHDRAWN,
    Consent,
    ConsentTerms,
)
from consentry_records.consent_changes import ConsentChange, ConsentChangeBatch
from consentry_records.digest import sha256_digest
from consentry_records.private_consent import SUBJECT, PrivateChange
from consentry_records.private_entries import encode_entries, entry_key, private_batch, private_value
from consentry_records.record import field_names
from consentry_records.subject import MAXIMUM_OPT_OUTS, OptOut, OptOutBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """How a change was declared: kept in the custodian's collection, but for `claimed_at`.

    `method` is how (a letter, a portal), `declared_by` who: subject, guardian or proxy, the latter two with a
    `mandate_digest`; `claimed_at` when, as an instant, if that was earlier than now.
    """

    method: str
    evidence_digest: str | None = None
    declared_by: str = SUBJECT
    mandate_digest: str | None = None
    claimed_at: str | None = None

    def document(self) -> bytes:
        """Return the canonical JSON of the PrivateChange."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "claimed_at"}
        return checked(lambda: PrivateChange(**fields)).to_bytes()


class ConsentChanges:
    """What a custodian does to consents on record; each call is one transaction for every 400 consents.

    All methods raise LedgerRefused (CONSENT_NOT_FOUND, NOT_CUSTODIAN, CONSENT_STATE_WRONG, CONSENT_WIDENED,
    ROLE_REQUIRED, …) and InputRejected for malformed values; a batch is recorded as a whole or not at all.
    """

    def __init__(
        self, transactions: Transactions, msp_id: str, register: Callable[[], SubjectRegister]
    ) -> None:
        self._transactions = transactions
        self._msp_id = msp_id
        self._register = register

    def withdraw_many(self, consent_ids: Sequence[str], declaration: Declaration | None = None) -> None:
        """Withdraw consents; they permit nothing from the next decision on."""
        self._change(WITHDRAWN, consent_ids, declaration)
        for consent_id in consent_ids:
            self._register().mark_withdrawn(consent_id)

    def renew(
        self,
        consent_ids: Sequence[str],
        *,
        not_after: str,
        notice_digest: str | None = None,
        declaration: Declaration | None = None,
    ) -> None:
        """Let consents in force end later (an instant), perhaps on a newer notice."""
        changes: dict[str, Any] = {"not_after": not_after}
        if notice_digest is not None:
            changes["notice_digest"] = notice_digest
        self._change(RENEWED, consent_ids, declaration, changes)

    def narrow(
        self, consent_ids: Sequence[str], *, declaration: Declaration | None = None, **changes: Any
    ) -> None:
        """Let consents allow less: fields of `ConsentTerms` with their new values."""
        self._change(NARROWED, consent_ids, declaration, changes)

    def enter_in_error(self, consent_ids: Sequence[str], declaration: Declaration | None = None) -> None:
        """Mark consents as never given; they permit nothing and stay on record."""
        self._change(ENTERED_IN_ERROR, consent_ids, declaration)

    def record_expiry(self, consent_ids: Sequence[str]) -> None:
        """Record that the period of consents is over."""
        self._change(EXPIRED, consent_ids, None)

    def opt_out(
        self, pseudonyms: Iterable[str], *, opted_out: bool = True, claimed_at: str | None = None
    ) -> int:
        """Record who opted out of secondary use (EHDS Art. 71), or in again; return how many.

        People who are not in the register yet are added to it.
        """
        subjects = list(self._register().ensure(pseudonyms).values())
        for start in range(0, len(subjects), MAXIMUM_OPT_OUTS):
            part = subjects[start : start + MAXIMUM_OPT_OUTS]
            self._submit_opt_outs([subject.commitment for subject in part], opted_out, claimed_at)
        return len(subjects)

    def _submit_opt_outs(self, commitments: list[str], opted_out: bool, claimed_at: str | None) -> None:
        batch = checked(
            lambda: OptOutBatch(
                batch_id=new_identifier("batch"),
                custodian=self._msp_id,
                entries=tuple(
                    OptOut(subject=commitment, opted_out=opted_out, claimed_at=claimed_at)
                    for commitment in commitments
                ),
            )
        )
        self._transactions.submit("subjects:opt_out", batch, tries=CONFLICT_TRIES)

    def _change(
        self,
        change: str,
        consent_ids: Sequence[str],
        declaration: Declaration | None,
        terms: Mapping[str, Any] | None = None,
    ) -> None:
        for start in range(0, len(consent_ids), MAXIMUM_QUERY):
            part = list(consent_ids[start : start + MAXIMUM_QUERY])
            needed = terms is not None or declaration is not None
            consents = self._read(part) if needed else {}
            claimed_at = declaration.claimed_at if declaration is not None else None
            changes = [
                checked(partial(_one_change, consent_id, change, claimed_at, consents, terms))
                for consent_id in part
            ]
            self._submit(changes, consents, declaration)

    def _submit(
        self,
        changes: Sequence[ConsentChange],
        consents: Mapping[str, Consent],
        declaration: Declaration | None,
    ) -> None:
        batch_id, digest = new_identifier("batch"), None
        if declaration is not None:
            digest = self._store(batch_id, consents, declaration)
        batch = checked(
            lambda: ConsentChangeBatch(
                batch_id=batch_id,
                custodian=self._msp_id,
                private_entry_digest=digest,
                changes=tuple(changes),
            )
        )
        self._transactions.submit("consents:change", batch, tries=CONFLICT_TRIES)

    def _store(self, batch_id: str, consents: Mapping[str, Consent], declaration: Declaration) -> str:
        """Store how the changes were declared in the own collection; return the batch entry's digest."""
        document, entries = declaration.document(), {}
        for consent in consents.values():
            subject = self._register().by_commitment(consent.subject)
            if subject is None:
                raise InputRejected("SUBJECT_UNKNOWN", "the subject's key is not in this register")
            key = entry_key(consent.subject, consent.consent_id, batch_id)
            entries[key] = private_value(seal(subject.key, key, document))
        private = private_batch(batch_id, entries)
        self._transactions.submit(
            "consents:store_private",
            transient={"entries": encode_entries(entries), "batch": private.to_bytes()},
            endorsers=(self._msp_id,),
        )
        return sha256_digest(private.to_bytes())

    def _read(self, consent_ids: list[str]) -> dict[str, Consent]:
        found = self._transactions.evaluate("consents:get", consent_ids)
        return {entry["consent_id"]: Consent.from_dict(entry) for entry in found}


def _one_change(
    consent_id: str,
    change: str,
    claimed_at: str | None,
    consents: Mapping[str, Consent],
    terms: Mapping[str, Any] | None,
) -> ConsentChange:
    changed = _changed(consents[consent_id], terms) if terms is not None else None
    return ConsentChange(consent_id=consent_id, change=change, claimed_at=claimed_at, terms=changed)


def _changed(consent: Consent, changes: Mapping[str, Any]) -> ConsentTerms:
    unknown = next((name for name in changes if name not in field_names(ConsentTerms)), None)
    if unknown is not None:
        raise InputRejected("TERMS_UNKNOWN", f"a consent's terms have no field {unknown}")
    return replace(consent.terms, **changes)
