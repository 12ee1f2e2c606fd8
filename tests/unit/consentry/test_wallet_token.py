"""Identities whose keys are on a token: renewed with a new key there, by SoftHSM's token."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.sample_organizations import SampleOrganization
from support.tokens import LABEL, PIN, softhsm_library
from support.wallet_authority import reenrolling

from consentry.enrolment import kept_enrolled, renew
from consentry.errors import ConfigurationError, EnrolmentError, InputRejected
from consentry.identity import WalletIdentity
from consentry.profile import AuthorityEndpoint, Endpoint, NetworkProfile, OrganizationProfile
from consentry.token_keys import TokenPrivateKey
from consentry.wallet import TokenKey, Wallet
from fabric_gateway import new_pkcs11_key
from fabric_gateway.pkcs11_session import TokenSession
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_private_key
from fabric_protocol.signatures import key_signer

pytestmark = pytest.mark.optional_tool("softhsm")
MSP = "NorthgateMSP"
ORGANIZATION = SampleOrganization(MSP)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def labels() -> list[str]:
    """The labels of all private keys on the token."""
    import pkcs11

    with TokenSession(softhsm_library(), LABEL, PIN) as session:
        keys = session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})
        return [key.label for key in keys]


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    return Wallet(tmp_path / "w", pin=lambda: PIN)


@pytest.fixture
def old(wallet: Wallet) -> WalletIdentity:
    """A steward whose certificate ends in ten days."""
    key = TokenKey(softhsm_library(), LABEL, f"steward-{secrets.token_hex(4)}")
    certificate = issue(
        ORGANIZATION.authority,
        common_name="a1b2",
        public_key=new_pkcs11_key(key.library, LABEL, PIN, key_label=key.key_label),
        attributes={"consentry.role": "steward"},
        start=NOW - timedelta(days=355),
        valid_days=365,
    )
    return wallet.put_token("steward", MSP, certificate_pem(certificate), key)


@pytest.fixture
def profile(tmp_path: Path) -> NetworkProfile:
    roots = tmp_path / "tls.pem"
    roots.write_bytes(ORGANIZATION.authority.pem)
    ca = AuthorityEndpoint("https://ca.example", "northgate-ca", roots)
    peer = Endpoint("peer:7051", roots, "peer")
    organization = OrganizationProfile(MSP, "northgate", "hospital", (peer,), ca)
    return NetworkProfile(
        tmp_path, "fabric", "channel", "consentry", MappingProxyType({MSP: organization}), ()
    )


def refusing(request: httpx.Request) -> httpx.Response:
    errors = [{"code": 20, "message": "Authentication failure"}]
    return httpx.Response(401, json={"result": "", "errors": errors, "messages": [], "success": False})


def test_an_identity_is_renewed_with_a_new_key_on_its_token(
    profile: NetworkProfile, wallet: Wallet, old: WalletIdentity
) -> None:
    first = wallet.token_key("steward")
    transport = httpx.MockTransport(reenrolling(ORGANIZATION, NOW))
    new = kept_enrolled(profile, wallet, "steward", NOW, transport=transport)
    assert new.certificate.public_key() != old.certificate.public_key()
    assert (new.enrolment_id, new.roles, new.is_on_token) == (old.enrolment_id, old.roles, True)
    assert new.expires_at - NOW > timedelta(days=300)
    kept = wallet.get("steward")
    assert kept.certificate_pem == new.certificate_pem
    assert new.has_signed(b"message", kept.sign(b"message"))
    second = wallet.token_key("steward")
    assert second.key_label != first.key_label
    # The old certificate is valid until it ends, so its key stays.
    assert {first.key_label, second.key_label} <= set(labels())
    assert renew(profile, wallet, "steward", transport=transport).is_on_token
    third = wallet.token_key("steward").key_label
    assert (third != second.key_label, len(third)) == (True, len(second.key_label))


def test_a_renewal_that_fails_leaves_identity_and_token_as_they_were(
    profile: NetworkProfile, wallet: Wallet, old: WalletIdentity
) -> None:
    before = sorted(labels())
    assert kept_enrolled(profile, wallet, "steward", NOW, transport=httpx.MockTransport(refusing)) == old
    with pytest.raises(EnrolmentError):
        renew(profile, wallet, "steward", transport=httpx.MockTransport(refusing))
    assert sorted(labels()) == before
    assert wallet.get("steward").certificate_pem == old.certificate_pem


def test_a_token_that_is_gone_leaves_the_identity(
    profile: NetworkProfile, wallet: Wallet, old: WalletIdentity, tmp_path: Path
) -> None:
    path = tmp_path / "w" / "steward.json"
    document = json.loads(path.read_text())
    document["token"]["token_label"] = "gone"
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError) as caught:
        renew(profile, wallet, "steward", transport=httpx.MockTransport(refusing))
    assert caught.value.code == "WALLET_LOCKED"


def test_an_identity_without_a_token_has_no_key_there(wallet: Wallet) -> None:
    key = new_private_key()
    certificate = issue(
        ORGANIZATION.authority, common_name="a1b2", public_key=key.public_key(), start=NOW, valid_days=9
    )
    wallet.put("plain", WalletIdentity(MSP, certificate_pem(certificate), key_pem(key)))
    with pytest.raises(InputRejected) as caught:
        wallet.token_key("plain")
    assert caught.value.code == "KEY_NOT_ON_TOKEN"


def test_a_tokens_key_signs_requests_and_tells_nothing() -> None:
    held = new_private_key()
    key = TokenPrivateKey(key_signer(held), held.public_key())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a1b2")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    assert request.is_signature_valid
    with pytest.raises(ConfigurationError):
        key.sign(b"m", ec.ECDSA(hashes.SHA384()))
    with pytest.raises(ConfigurationError):
        key.private_numbers()
    with pytest.raises(ConfigurationError):
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
