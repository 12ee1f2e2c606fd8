"""Fabric CA's rules on who may register which attributes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.ca.attributes import REGISTRAR, Attribute, certificate_attributes, check_registration
from fabric_embedded.ca.errors import CaError

pytestmark = pytest.mark.unit

ALL = {attribute.name: attribute.value for attribute in REGISTRAR}
SOME = {
    "hf.Registrar.Roles": "client, peer",
    "hf.Registrar.DelegateRoles": "client",
    "hf.Registrar.Attributes": "consentry.*, plain, hf.Revoker, hf.Registrar.Roles, "
    "hf.Registrar.DelegateRoles, hf.Registrar.Attributes, hf.GenCRL",
    "hf.Revoker": "true",
    "hf.GenCRL": "false",
}

ALLOWED = [
    (ALL, "admin", [("anything", "x")]),
    (ALL, "client", [("hf.Registrar.Roles", "client,peer"), ("hf.Registrar.DelegateRoles", "PEER")]),
    (SOME, "client", [("consentry.role", "steward")]),
    (SOME, "peer", [("plain", ""), ("hf.Revoker", "1")]),
    (SOME, "client", [("hf.Revoker", "")]),
    (SOME, "client", [("hf.Registrar.Roles", "")]),
    (SOME, "client", [("hf.Registrar.Attributes", "consentry.role,hf.Revoker"), ("hf.Revoker", "false")]),
]
REFUSED = [
    ({}, "client", []),
    ({"hf.Registrar.Roles": " , "}, "client", []),
    (SOME, "admin", []),
    (SOME, "client", [("other", "x")]),
    (SOME, "client", [("plainer", "x")]),
    (ALL, "client", [("hf.EnrollmentID", "x")]),
    (ALL, "client", [("hf.Type", "admin")]),
    (ALL, "client", [("hf.Affiliation", "x")]),
    (ALL, "client", [("hf.Unknown", "x")]),
    (ALL, "client", [("hf.Revoker", "perhaps")]),
    (SOME, "client", [("hf.GenCRL", "true")]),
    (SOME, "client", [("hf.IntermediateCA", "true")]),
    (SOME, "client", [("hf.Registrar.Roles", "client,admin")]),
    (SOME, "client", [("hf.Registrar.DelegateRoles", "client")]),
    (SOME, "client", [("hf.Registrar.Attributes", "*")]),
    (SOME, "client", [("hf.Registrar.Attributes", "hf.Revoker")]),
    ({**SOME, "hf.Registrar.Attributes": ""}, "client", [("plain", "x")]),
]


@pytest.mark.parametrize(("registrar", "kind", "attributes"), ALLOWED)
def test_allowed(registrar: dict[str, str], kind: str, attributes: list[tuple[str, str]]) -> None:
    assert check_registration(registrar, kind, [Attribute(*pair) for pair in attributes]) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(("registrar", "kind", "attributes"), REFUSED)
def test_refused(registrar: dict[str, str], kind: str, attributes: list[tuple[str, str]]) -> None:
    with pytest.raises(CaError) as refusal:
        check_registration(registrar, kind, [Attribute(*pair) for pair in attributes])
    assert (refusal.value.status, refusal.value.remote_code) == (403, 71)
    assert refusal.value.message == "Authorization failure"


@given(
    st.dictionaries(st.text(min_size=1), st.tuples(st.text(), st.booleans())),
    st.lists(st.text(min_size=1)),
)
def test_a_certificate_never_carries_more_than_was_asked_and_owned(
    owned: dict[str, tuple[str, bool]], asked: list[str]
) -> None:
    attributes = [Attribute(name, value, ecert) for name, (value, ecert) in owned.items()]
    chosen = certificate_attributes(attributes, [(name, True) for name in asked])
    assert chosen == {name: owned[name][0] for name in asked if name in owned}
    default = certificate_attributes(attributes, None) or {}
    assert default == {name: value for name, (value, ecert) in owned.items() if ecert}
