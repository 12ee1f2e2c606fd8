"""Signatures that held once are not computed again; those that do not hold are refused every time."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from support.sample_organizations import SampleOrganization

from fabric_protocol import verified_signatures
from fabric_protocol.errors import SignatureError
from fabric_protocol.signatures import verify
from fabric_protocol.verified_signatures import VerifiedSignatures

ORGANIZATION = SampleOrganization("AMSP")
MEMBER, OTHER = ORGANIZATION.member("peer"), ORGANIZATION.member("peer")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The messages whose signatures were really computed."""
    messages: list[bytes] = []

    def counted(key: Any, signature: bytes, message: bytes, digest: bytes) -> None:
        messages.append(message)
        verify(key, signature, message, digest)

    monkeypatch.setattr(verified_signatures, "verify", counted)
    return messages


def test_a_signature_that_held_is_not_computed_again(computed: list[bytes]) -> None:
    signed, signatures = MEMBER.signed(b"data"), VerifiedSignatures()
    for _ in range(3):
        signatures.verify(MEMBER.identity, signed.signature, b"data")
    assert computed == [b"data"]


def test_nothing_else_holds_because_of_it(computed: list[bytes]) -> None:
    signed, signatures = MEMBER.signed(b"data"), VerifiedSignatures()
    signatures.verify(MEMBER.identity, signed.signature, b"data")
    for identity, signature, message in (
        (OTHER.identity, signed.signature, b"data"),
        (MEMBER.identity, signed.signature, b"datb"),
        (MEMBER.identity, MEMBER.signed(b"other").signature, b"data"),
        (MEMBER.identity, signed.signature[:-1], b"data"),
    ):
        for _ in range(2):
            with pytest.raises(SignatureError):
                signatures.verify(identity, signature, message)
    assert len(computed) == 9


def test_own_signatures_hold_for_the_identity_that_made_them(computed: list[bytes]) -> None:
    signed, signatures = MEMBER.signed(b"data"), VerifiedSignatures()
    signatures.made(MEMBER.identity, signed.signature, sha256(b"data").digest())
    signatures.verify(MEMBER.identity, signed.signature, b"data")
    assert computed == []
    with pytest.raises(SignatureError):
        signatures.verify(OTHER.identity, signed.signature, b"data")


def test_a_digest_that_is_known_stands_for_its_message(computed: list[bytes]) -> None:
    signed, signatures = MEMBER.signed(b"data"), VerifiedSignatures()
    signatures.verify(MEMBER.identity, signed.signature, b"data", sha256(b"data").digest())
    signatures.verify(MEMBER.identity, signed.signature, b"data")
    assert computed == [b"data"]


def test_what_is_remembered_is_bounded(computed: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified_signatures, "_REMEMBERED", 2)
    signatures = VerifiedSignatures()
    claims = {message: MEMBER.signed(message).signature for message in (b"1", b"2", b"3")}
    for message, signature in [*claims.items(), (b"1", claims[b"1"])]:
        signatures.verify(MEMBER.identity, signature, message)
    assert computed == [b"1", b"2", b"3", b"1"]
