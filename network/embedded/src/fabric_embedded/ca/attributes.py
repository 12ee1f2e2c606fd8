"""Who may register whom, and which attributes get into a certificate. Pure.

Source: Fabric CA v1.5 `lib/attr/attribute.go`, `lib/attrmgr/attrmgr.go`,
`lib/serverrequestcontext.go · CanActOnType`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fabric_embedded.ca.errors import CaError, authorization_failure

ROLES = "hf.Registrar.Roles"
REVOKER = "hf.Revoker"
GENERATE_LIST = "hf.GenCRL"
AFFILIATION_MANAGER = "hf.AffiliationMgr"
DELEGATE_ROLES = "hf.Registrar.DelegateRoles"
REGISTRAR_ATTRIBUTES = "hf.Registrar.Attributes"

_BOOLEAN = frozenset({REVOKER, "hf.IntermediateCA", GENERATE_LIST, AFFILIATION_MANAGER})
_LIST = frozenset({ROLES, DELEGATE_ROLES, REGISTRAR_ATTRIBUTES})
_FIXED = frozenset({"hf.EnrollmentID", "hf.Type", "hf.Affiliation"})
# What Go's strconv.ParseBool takes for true and for false.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True)
class Attribute:
    """A named text of an identity; `ecert` puts it into every certificate by default."""

    name: str
    value: str
    ecert: bool = False

    def to_dict(self) -> dict[str, object]:
        """As Fabric CA's REST interface writes it."""
        return {"name": self.name, "value": self.value} | ({"ecert": True} if self.ecert else {})


REGISTRAR = (
    Attribute(ROLES, "*"),
    Attribute(DELEGATE_ROLES, "*"),
    Attribute(REGISTRAR_ATTRIBUTES, "*"),
    Attribute(REVOKER, "true"),
    Attribute(GENERATE_LIST, "true"),
    Attribute("hf.IntermediateCA", "true"),
    Attribute(AFFILIATION_MANAGER, "true"),
)
"""Attributes of a CA's bootstrap registrar, who may do everything."""


def check_registration(registrar: Mapping[str, str], kind: str, attributes: Sequence[Attribute]) -> None:
    """Refuse a registration that the registrar's attributes do not allow.

    Parameters:
        registrar: names and values of the registrar's attributes.
        kind: type of the new identity (client, peer, orderer, admin, …).
        attributes: attributes that the new identity is to have.

    Raises:
        CaError: authorization failure.
    """
    check_acts_on_type(registrar, kind)
    check_attributes(registrar, attributes, {})


def check_attributes(
    registrar: Mapping[str, str], attributes: Sequence[Attribute], owned: Mapping[str, str]
) -> None:
    """Refuse attributes that a registrar may not give.

    Parameters:
        registrar: names and values of the registrar's attributes.
        attributes: attributes that an identity is to get; an empty value takes one away.
        owned: names and values of those that it has; empty for a new identity.

    Raises:
        CaError: authorization failure.
    """
    after = {**owned, **{attribute.name: attribute.value for attribute in attributes}}
    for attribute in attributes:
        _check_attribute(registrar, attribute, after)


def require_true(caller: Mapping[str, str], name: str) -> None:
    """Refuse whoever does not have a boolean attribute, or has it as false.

    Raises:
        CaError: authorization failure.
    """
    if caller.get(name) not in _TRUE:
        raise authorization_failure(f"the caller's {name} is not true")


def changed(owned: Sequence[Attribute], changes: Sequence[Attribute]) -> tuple[Attribute, ...]:
    """Attributes after changes: an empty value removes one, others replace it or are added."""
    after = {attribute.name: attribute for attribute in (*owned, *changes)}
    return tuple(attribute for attribute in after.values() if attribute.value or attribute in owned)


def check_acts_on_type(registrar: Mapping[str, str], kind: str) -> None:
    """Refuse whoever is no registrar, or not one of identities of this type.

    Raises:
        CaError: authorization failure.
    """
    roles = _list(registrar.get(ROLES, ""))
    if not roles:
        raise authorization_failure("caller is not a registrar")
    if "*" not in roles and (kind or "client").lower() not in {role.lower() for role in roles}:
        raise authorization_failure("registrar does not have authority to act on this type")


def certificate_attributes(
    owned: Iterable[Attribute], requests: Sequence[tuple[str, bool]] | None
) -> dict[str, str] | None:
    """Attributes for a certificate; None when it gets no attribute extension.

    Parameters:
        owned: the identity's attributes.
        requests: names with whether each is optional; None asks for those marked `ecert`.

    Raises:
        CaError: a required attribute that the identity does not have.
    """
    values = {attribute.name: attribute for attribute in owned}
    if requests is None:
        chosen = {name: attribute.value for name, attribute in values.items() if attribute.ecert}
        return chosen or None
    missing = [name for name, optional in requests if name not in values and not optional]
    if missing:
        message = f"The following required attributes are missing: [{' '.join(missing)}]"
        raise CaError(500, 0, message, "required attributes are missing")
    return {name: values[name].value for name, _ in requests if name in values}


def _check_attribute(
    registrar: Mapping[str, str], attribute: Attribute, requested: Mapping[str, str]
) -> None:
    name = attribute.name
    patterns = _list(registrar.get(REGISTRAR_ATTRIBUTES, ""))
    _check_pattern(name, patterns)
    if name in _FIXED:
        raise authorization_failure("cannot register a fixed value attribute")
    if name.startswith("hf.") and name not in _BOOLEAN | _LIST:
        raise authorization_failure("attribute with the reserved prefix hf. is unknown")
    if name in _BOOLEAN:
        _check_boolean(registrar.get(name), attribute.value)
    elif name in _LIST and attribute.value:
        _check_list(registrar, attribute, requested, patterns)


def _check_pattern(name: str, patterns: Sequence[str]) -> None:
    for pattern in patterns:
        if name == pattern or (pattern.endswith("*") and name.startswith(pattern.rstrip("*"))):
            return
    raise authorization_failure(f"attribute is not part of the caller's {REGISTRAR_ATTRIBUTES}")


def _check_boolean(own: str | None, value: str) -> None:
    if own not in _TRUE:
        raise authorization_failure("the caller does not have this boolean attribute itself")
    if value and value not in _TRUE | _FALSE:
        raise authorization_failure("expected true or false for a boolean attribute")


def _check_list(
    registrar: Mapping[str, str], attribute: Attribute, requested: Mapping[str, str], patterns: Sequence[str]
) -> None:
    own = registrar.get(attribute.name)
    if own is None:
        raise authorization_failure("the caller does not have this list attribute itself")
    if attribute.name == REGISTRAR_ATTRIBUTES:
        for value in _list(attribute.value):
            _check_pattern(value, patterns)
            if value.startswith("hf.") and value not in requested:
                raise authorization_failure(
                    "the identity would register an hf. attribute that it lacks itself"
                )
        return
    _check_subset(attribute.value, own)
    if attribute.name == DELEGATE_ROLES:
        _check_subset(attribute.value, requested.get(ROLES, ""))


def _check_subset(small: str, big: str) -> None:
    allowed = {value.lower() for value in _list(big)}
    if "*" not in allowed and not {value.lower() for value in _list(small)} <= allowed:
        raise authorization_failure("the requested values are a superset of the allowed ones")


def _list(values: str) -> list[str]:
    return [value.strip() for value in values.split(",") if value.strip()]
