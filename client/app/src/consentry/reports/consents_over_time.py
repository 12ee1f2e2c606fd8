"""Consents as they were when something happened, for reports with thousands of accesses."""

from __future__ import annotations

from consentry_records.consent import Consent
from consentry_records.consent_changes import consent_as_of
from consentry_records.grant_rules import Use
from consentry_records.rules import consent_permits


class ConsentOverTime:
    """One consent at any instant; each state that it ever had is put together once."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._times = [event.recorded_at for event in consent.events]
        self._states: dict[tuple[bool, ...], Consent | None] = {}
        self._allowed: dict[tuple[tuple[bool, ...], Use, str, str | None], bool] = {}

    def at(self, instant: str) -> Consent | None:
        """The consent as it was at an instant; see `consent_changes.consent_as_of`."""
        return self._at(self._past(instant), instant)

    def permits(self, use: Use, *, recipient: str, recipient_kind: str | None, at: str) -> bool:
        """Whether it allowed a use at an instant; see `rules.consent_permits`."""
        past = self._past(at)
        then = self._at(past, at)
        if then is None or not then.not_before <= at < then.not_after:
            return False
        # Of what it says between two events only its period depends on the time.
        key = (past, use, recipient, recipient_kind)
        if key not in self._allowed:
            self._allowed[key] = consent_permits(
                then, use, recipient=recipient, recipient_kind=recipient_kind, at=then.not_before
            )
        return self._allowed[key]

    def _past(self, instant: str) -> tuple[bool, ...]:
        return tuple([time <= instant for time in self._times])

    def _at(self, past: tuple[bool, ...], instant: str) -> Consent | None:
        if past not in self._states:
            self._states[past] = consent_as_of(self._consent, instant)
        return self._states[past]
