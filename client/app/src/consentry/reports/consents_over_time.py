"""Consents as they were when something happened, for reports with thousands of accesses."""

from __future__ import annotations

from consentry_records.consent import Consent
from consentry_records.consent_changes import consent_as_of


class ConsentOverTime:
    """One consent at any instant; each state that it ever had is put together once."""

    def __init__(self, consent: Consent) -> None:
        self._consent = consent
        self._times = [event.recorded_at for event in consent.events]
        self._states: dict[tuple[bool, ...], Consent | None] = {}

    def at(self, instant: str) -> Consent | None:
        """The consent as it was at an instant; see `consent_changes.consent_as_of`."""
        past = tuple(time <= instant for time in self._times)
        if past not in self._states:
            self._states[past] = consent_as_of(self._consent, instant)
        return self._states[past]
