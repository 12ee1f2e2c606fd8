"""Bodies of Fabric CA's requests, read with checks; fields that we do not use are ignored."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fabric_embedded.ca.attributes import Attribute
from fabric_embedded.ca.errors import EMPTY_BODY, MAX_ENROLLMENTS_INVALID, CaError, bad_body, not_supported
from fabric_embedded.ca.store import UNLIMITED

# RFC 5280 ub-common-name: an id becomes the common name of a certificate.
_ID = re.compile(r"[!-~]{1,64}")
_TYPE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_ATTRIBUTES, _MAX_ATTRIBUTE_LENGTH = 64, 1024


@dataclass(frozen=True)
class EnrollRequest:
    """What `enroll` and `reenroll` are asked.

    Parameters:
        certificate_request: PEM of a PKCS#10 request.
        attribute_requests: names with whether each is optional; None asks for the default ones.
    """

    certificate_request: str
    attribute_requests: tuple[tuple[str, bool], ...] | None

    @classmethod
    def from_body(cls, body: bytes) -> EnrollRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one, 501 for a profile.
        """
        fields = read_object(body)
        if _text(fields, "profile"):
            raise not_supported("a signing profile")
        wanted = fields.get("attr_reqs")
        request = _text(fields, "certificate_request")
        if wanted is None:
            return cls(request, None)
        return cls(request, tuple(_attribute_request(entry) for entry in _list(wanted, "attr_reqs")))


@dataclass(frozen=True)
class RegisterRequest:
    """What `register` is asked; no `secret` asks for a random one, no `type` means the registrar's."""

    id: str
    type: str
    secret: str
    max_enrollments: int
    attributes: tuple[Attribute, ...]

    @classmethod
    def from_body(cls, body: bytes) -> RegisterRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one, 501 for an affiliation.
        """
        fields = read_object(body)
        identity, kind = _text(fields, "id"), _text(fields, "type")
        if not _ID.fullmatch(identity):
            raise bad_body("id must be 1 to 64 printable ASCII characters without spaces")
        if kind and not _TYPE.fullmatch(kind):
            raise bad_body("type must be 1 to 64 letters, digits, dots, dashes or underscores")
        if _text(fields, "affiliation") not in ("", "."):
            raise not_supported("an affiliation")
        attributes = tuple(_attribute(entry) for entry in _list(_given(fields, "attrs"), "attrs"))
        if len({attribute.name for attribute in attributes}) != len(attributes):
            raise bad_body("an attribute is named twice")
        return cls(identity, kind, _text(fields, "secret"), _max_enrollments(fields), attributes)


def read_object(body: bytes) -> Mapping[str, object]:
    """Read a JSON object.

    Raises:
        CaError: 400, code 4 when the body is empty, code 5 when it is something else.
    """
    if not body:
        raise CaError(400, EMPTY_BODY, "Empty request body")
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_body("not JSON") from error
    if not isinstance(fields, dict):
        raise bad_body("expected a JSON object")
    return fields


def ca_name(query: str, body: bytes) -> str:
    """The CA that a request names: query `ca`, else the body's `caname`, else none ("")."""
    if query or not body:
        return query
    return _text(read_object(body), "caname")


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad_body(f"{name} must be a string")
    return value


def _given(fields: Mapping[str, object], name: str) -> object:
    return [] if fields.get(name) is None else fields[name]


def _list(value: object, name: str) -> list[object]:
    if not isinstance(value, list) or len(value) > _MAX_ATTRIBUTES:
        raise bad_body(f"{name} must be a list of at most {_MAX_ATTRIBUTES} entries")
    return value


def _attribute_request(entry: object) -> tuple[str, bool]:
    match entry:
        case {"name": str(name), **rest} if name and isinstance(rest.get("optional", False), bool):
            return name, bool(rest.get("optional", False))
    raise bad_body("each of attr_reqs must have a name, and optional as a boolean if at all")


def _attribute(entry: object) -> Attribute:
    match entry:
        case {"name": str(name), **rest} if 0 < len(name) <= _MAX_ATTRIBUTE_LENGTH:
            value, ecert = rest.get("value", ""), rest.get("ecert", False)
            if isinstance(value, str) and len(value) <= _MAX_ATTRIBUTE_LENGTH and isinstance(ecert, bool):
                return Attribute(name, value, ecert)
    raise bad_body("each of attrs must have a name, a value as a string, and ecert as a boolean if at all")


def _max_enrollments(fields: Mapping[str, object]) -> int:
    value = fields.get("max_enrollments", 0)
    if not isinstance(value, int) or isinstance(value, bool) or value >= 2**31:
        raise bad_body("max_enrollments must be an integer")
    if value < UNLIMITED:
        message = f"Max enrollment in registration request may not be less than -1, but was {value}"
        raise CaError(400, MAX_ENROLLMENTS_INVALID, message)
    return value or UNLIMITED
