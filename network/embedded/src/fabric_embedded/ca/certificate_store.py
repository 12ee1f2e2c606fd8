"""The certificates that a CA issued, and which of them are revoked.

Source: Fabric CA v1.5 `lib/certdbaccessor.go`. Serial numbers and authority key identifiers are lower-case
hex without leading zeros; times are whole seconds since 1970 (UTC).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fabric_embedded.ca.affiliations import below

UNSPECIFIED, AFFILIATION_CHANGED, CESSATION_OF_OPERATION = 0, 3, 5
"""Reasons of a revocation (RFC 5280 §5.3.1)."""


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate as it is stored.

    Parameters:
        serial: serial number in hex.
        aki: authority key identifier in hex.
        id: enrolment id of its subject.
        pem: the certificate.
        expiry: its end.
        revoked_at: when it was revoked; None if it was not.
    """

    serial: str
    aki: str
    id: str
    pem: bytes
    expiry: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class CertificateFilter:
    """Which certificates are asked for; what is None or empty does not choose.

    Parameters:
        id: enrolment id.
        serial: serial number, as `hex_number` writes it.
        aki: authority key identifier, as `hex_number` writes it.
        expires: first and last instant of the end.
        revoked: first and last instant of the revocation; either chooses revoked ones only.
        status: True for revoked ones only, False for others only.
    """

    id: str = ""
    serial: str = ""
    aki: str = ""
    expires: tuple[datetime | None, datetime | None] = (None, None)
    revoked: tuple[datetime | None, datetime | None] = (None, None)
    status: bool | None = None


class CertificateStore:
    """Issued certificates; whoever changes several things at once opens the transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, certificate: IssuedCertificate) -> None:
        """Note a certificate that was issued."""
        self._database.execute(
            "INSERT INTO certificates (serial, aki, id, pem, expiry) VALUES (?, ?, ?, ?, ?)",
            (
                certificate.serial,
                certificate.aki,
                certificate.id,
                certificate.pem,
                _seconds(certificate.expiry),
            ),
        )

    def get(self, serial: str, aki: str) -> IssuedCertificate | None:
        """The certificate of this serial number and authority key identifier, if this CA issued it."""
        found = self.find(CertificateFilter(serial=serial, aki=aki))
        return found[0] if found else None

    def find(self, wanted: CertificateFilter, affiliation: str = "") -> list[IssuedCertificate]:
        """The certificates that a filter chooses, in the order in which they were issued.

        Parameters:
            wanted: the filter.
            affiliation: only those of identities of this affiliation and below; "" is the root: all.
        """
        conditions, values = _conditions(wanted)
        columns = "serial, aki, certificates.id, pem, expiry, revoked_at"
        rows = self._database.execute(
            f"SELECT {columns}, identities.affiliation FROM certificates "  # noqa: S608
            f"LEFT JOIN identities ON identities.id = certificates.id "
            f"WHERE {' AND '.join(['1', *conditions])} ORDER BY certificates.rowid",
            values,
        )
        return [_certificate(row[:6]) for row in rows if below(row[6] or "", affiliation)]

    def revoke(self, certificates: Iterable[IssuedCertificate], reason: int, time: datetime) -> None:
        """Mark certificates as revoked, once."""
        self._database.executemany(
            "UPDATE certificates SET revoked_at = ?, reason = ? "
            "WHERE serial = ? AND aki = ? AND revoked_at IS NULL",
            [(_seconds(time), reason, item.serial, item.aki) for item in certificates],
        )

    def revoke_all_of(self, identity: str, reason: int, time: datetime) -> list[IssuedCertificate]:
        """Revoke every certificate of an identity; those that this revoked."""
        revoked = self.find(CertificateFilter(id=identity, status=False))
        self.revoke(revoked, reason, time)
        return revoked


def hex_number(text: str) -> str:
    """A serial number or key identifier as it is stored, from hex in any case, with colons or zeros first."""
    return text.replace(":", "").lower().lstrip("0")


def _conditions(wanted: CertificateFilter) -> tuple[list[str], list[object]]:
    earliest, latest = wanted.expires
    revoked_from, revoked_to = wanted.revoked
    table: Sequence[tuple[str, object]] = (
        ("certificates.id = ?", wanted.id or None),
        ("serial = ?", wanted.serial or None),
        ("aki = ?", wanted.aki or None),
        ("expiry >= ?", _seconds(earliest) if earliest else None),
        ("expiry <= ?", _seconds(latest) if latest else None),
        ("revoked_at >= ?", _seconds(revoked_from) if revoked_from else None),
        ("revoked_at <= ?", _seconds(revoked_to) if revoked_to else None),
        ("(revoked_at IS NOT NULL) = ?", None if wanted.status is None else int(wanted.status)),
    )
    chosen = [(condition, value) for condition, value in table if value is not None]
    return [condition for condition, _ in chosen], [value for _, value in chosen]


def _seconds(time: datetime) -> int:
    return int(time.timestamp())


def _certificate(row: tuple[str, str, str, bytes, int, int | None]) -> IssuedCertificate:
    serial, aki, identity, pem, expiry, revoked_at = row
    revoked = None if revoked_at is None else datetime.fromtimestamp(revoked_at, UTC)
    return IssuedCertificate(serial, aki, identity, bytes(pem), datetime.fromtimestamp(expiry, UTC), revoked)
