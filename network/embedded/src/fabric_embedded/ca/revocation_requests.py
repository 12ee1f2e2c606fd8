"""What `revoke`, `gencrl` and `certificates` are asked.

Source: Fabric CA v1.5 `api/client.go`, `lib/server/certificaterequest/certificaterequest.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fabric_embedded.ca import body as fields_of
from fabric_embedded.ca.certificate_store import CertificateFilter, hex_number
from fabric_embedded.ca.errors import (
    GETTING_CERTIFICATES,
    INVALID_EXPIRE_AFTER,
    INVALID_REVOKED_AFTER,
    CaError,
)

# RFC 5280 §5.3.1; a reason that is none of these counts as unspecified, as in Fabric CA.
_REASONS = {
    "keycompromise": 1,
    "cacompromise": 2,
    "affiliationchanged": 3,
    "superseded": 4,
    "cessationofoperation": 5,
    "certificatehold": 6,
    "removefromcrl": 8,
    "privilegewithdrawn": 9,
    "aacompromise": 10,
}
_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"", "0", "f", "false"})
_DURATION = re.compile(r"([+-])(?:(\d{1,6})d|(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?)")


@dataclass(frozen=True)
class RevokeRequest:
    """Revoke an identity with all of its certificates, or the one certificate of a serial number and issuer.

    Parameters:
        id: enrolment id; beside a serial number: whose certificate it is expected to be.
        serial: serial number, as `hex_number` writes it.
        aki: authority key identifier, as `hex_number` writes it.
        reason: code of RFC 5280 §5.3.1.
        with_list: whether the answer is to carry a new revocation list.
    """

    id: str
    serial: str
    aki: str
    reason: int
    with_list: bool

    @classmethod
    def from_body(cls, body: bytes) -> RevokeRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one.
        """
        fields = fields_of.read_object(body)
        return cls(
            fields_of.text(fields, "id"),
            hex_number(fields_of.text(fields, "serial")),
            hex_number(fields_of.text(fields, "aki")),
            _REASONS.get(fields_of.text(fields, "reason"), 0),
            fields_of.boolean(fields, "gencrl"),
        )


@dataclass(frozen=True)
class ListRequest:
    """Which revoked certificates a revocation list is to hold; both ends of a span are left out."""

    revoked_after: datetime | None = None
    revoked_before: datetime | None = None
    expire_after: datetime | None = None
    expire_before: datetime | None = None

    @classmethod
    def from_body(cls, body: bytes) -> ListRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one, or for a span that ends before it begins.
        """
        fields = fields_of.read_object(body)
        names = ("revokedafter", "revokedbefore", "expireafter", "expirebefore")
        request = cls(*(fields_of.instant(fields, name) for name in names))
        for code, first, last in (
            (INVALID_REVOKED_AFTER, *names[:2]),
            (INVALID_EXPIRE_AFTER, *names[2:]),
        ):
            after, before = fields_of.instant(fields, first), fields_of.instant(fields, last)
            if after and before and after > before:
                message = f"Invalid '{first}' value. It must not be a timestamp greater than '{last}'"
                raise CaError(400, code, message)
        return request

    def chooses(self, revoked_at: datetime, expiry: datetime) -> bool:
        """Whether a certificate that was revoked then and ends then is on the list."""
        return _between(revoked_at, self.revoked_after, self.revoked_before) and _between(
            expiry, self.expire_after, self.expire_before
        )


def certificate_filter(query: Mapping[str, str], time: datetime) -> CertificateFilter:
    """The filter that a query of `certificates` describes.

    Parameters:
        query: names and values.
        time: the CA's clock, for what is relative to it.

    Raises:
        CaError: 400, code 67.
    """
    spans = {
        name: _time(query.get(name, ""), time, name)
        for name in ("revoked_start", "revoked_end", "expired_start", "expired_end")
    }
    expires = (spans["expired_start"], spans["expired_end"])
    revoked = (spans["revoked_start"], spans["revoked_end"])
    valid_only, not_revoked = _flag(query, "notexpired"), _flag(query, "notrevoked")
    if valid_only and any(expires):
        raise _invalid("Can't specify expiration time filter and the 'notexpired' filter")
    if not_revoked and any(revoked):
        raise _invalid("Can't specify revocation time filter and the 'notrevoked' filter")
    return CertificateFilter(
        query.get("id", ""),
        hex_number(query.get("serial", "")),
        hex_number(query.get("aki", "")),
        (time, None) if valid_only else expires,
        revoked,
        False if not_revoked else None,
    )


def _between(time: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or time > after) and (before is None or time < before)


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "").lower()
    if value not in _TRUE | _FALSE:
        raise _invalid(f"Failed to correctly parse value of '{name}' query parameter")
    return value in _TRUE


def _time(value: str, current: datetime, name: str) -> datetime | None:
    """A date, a time in RFC 3339, or a distance from now such as -30d and +1h30m."""
    if not value:
        return None
    relative = _DURATION.fullmatch(value.lower())
    try:
        if relative and any(relative.groups()[1:]):
            sign, *counts = relative.groups()
            days, hours, minutes, seconds = (int(count or 0) for count in counts)
            distance = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
            return current - distance if sign == "-" else current + distance
        time = datetime.fromisoformat(value if "T" in value else f"{value}T00:00:00Z")
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid(f"Invalid '{name}' value") from error


def _invalid(message: str) -> CaError:
    return CaError(400, GETTING_CERTIFICATES, f"Invalid Request: {message}")
