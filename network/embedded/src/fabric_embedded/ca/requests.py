"""Bodies of Fabric CA's requests to enrol, register and modify identities."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_embedded.ca import body as fields_of
from fabric_embedded.ca.attributes import Attribute
from fabric_embedded.ca.errors import MAX_ENROLLMENTS_INVALID, CaError, bad_body, not_supported
from fabric_embedded.ca.store import UNLIMITED


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
        fields = fields_of.read_object(body)
        if fields_of.text(fields, "profile"):
            raise not_supported("a signing profile")
        wanted = fields.get("attr_reqs")
        request = fields_of.text(fields, "certificate_request")
        if wanted is None:
            return cls(request, None)
        listed = fields_of.entries(wanted, "attr_reqs")
        return cls(request, tuple(_attribute_request(entry) for entry in listed))


@dataclass(frozen=True)
class RegisterRequest:
    """What `register` is asked.

    Parameters:
        id: enrolment id.
        type: "" means the registrar's.
        secret: "" asks for a random one.
        max_enrollments: -1 is no limit.
        attributes: what its certificates may carry.
        affiliation: "" means the registrar's, "." the root.
    """

    id: str
    type: str
    secret: str
    max_enrollments: int
    attributes: tuple[Attribute, ...]
    affiliation: str

    @classmethod
    def from_body(cls, body: bytes) -> RegisterRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one.
        """
        fields = fields_of.read_object(body)
        return cls(
            fields_of.enrolment_id(fields),
            fields_of.identity_type(fields),
            fields_of.text(fields, "secret"),
            _max_enrollments(fields_of.integer(fields, "max_enrollments")),
            fields_of.attributes(fields),
            fields_of.affiliation(fields),
        )


@dataclass(frozen=True)
class ModifyRequest:
    """How an identity is to be changed; what is empty stays.

    Parameters:
        max_enrollments: 0 stays, -1 is no limit, -2 no enrolment at all.
        attributes: an empty value removes an attribute.
        affiliation: "." is the root.
    """

    type: str
    secret: str
    max_enrollments: int
    attributes: tuple[Attribute, ...]
    affiliation: str

    @classmethod
    def from_body(cls, body: bytes) -> ModifyRequest:
        """Read a request's body.

        Raises:
            CaError: 400 for a body that is not one.
        """
        fields = fields_of.read_object(body)
        uses = fields_of.integer(fields, "max_enrollments")
        if uses < -2:
            raise bad_body("max_enrollments must be -2 or more")
        return cls(
            fields_of.identity_type(fields),
            fields_of.text(fields, "secret"),
            uses,
            fields_of.attributes(fields),
            fields_of.affiliation(fields),
        )


def ca_name(query: str, body: bytes) -> str:
    """The CA that a request names: query `ca`, else the body's `caname`, else none ("")."""
    if query or not body:
        return query
    return fields_of.text(fields_of.read_object(body), "caname")


def _attribute_request(entry: object) -> tuple[str, bool]:
    match entry:
        case {"name": str(name), **rest} if name and isinstance(rest.get("optional", False), bool):
            return name, bool(rest.get("optional", False))
    raise bad_body("each of attr_reqs must have a name, and optional as a boolean if at all")


def _max_enrollments(value: int) -> int:
    if value < UNLIMITED:
        message = f"Max enrollment in registration request may not be less than -1, but was {value}"
        raise CaError(400, MAX_ENROLLMENTS_INVALID, message)
    return value or UNLIMITED
