"""An MSP's rules on organizations made for the test; recorded ones are in test_recorded_identities.py."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2
from hypothesis import assume, given
from hypothesis import strategies as st
from support.sample_organizations import START, Member, SampleOrganization, manager

from fabric_protocol.certificates import certificate_pem, issue, new_authority
from fabric_protocol.der import replace_signature
from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import Identity, parse_identity, serialize_identity
from fabric_protocol.msp import Msp, build_msp_config
from fabric_protocol.msp_authorities import path_identifier
from fabric_protocol.principals import ROLES, identity_principal, role_principal
from fabric_protocol.signatures import curve_order

ALPHA = SampleOrganization("AlphaMSP")
BETA = SampleOrganization("BetaMSP")
MSPS = manager(ALPHA, BETA)
CLIENT = ALPHA.member("client", attributes={"consentry.role": "steward"})


def refusal(msp: Msp, member: Member) -> str | None:
    """The code with which an MSP refuses, at reading or at validation."""
    try:
        msp.validate(msp.deserialize(member.serialized))
    except IdentityError as error:
        return error.code
    return None


def changed(config: Any, **fields: Any) -> Any:
    """An MSPConfig with other fields in its content."""
    content = msp_config_pb2.FabricMSPConfig.FromString(config.config)
    content.MergeFrom(msp_config_pb2.FabricMSPConfig(**fields))
    return msp_config_pb2.MSPConfig(type=0, config=content.SerializeToString())


def without_node_units(config: Any, **fields: Any) -> Any:
    content = msp_config_pb2.FabricMSPConfig.FromString(config.config)
    content.ClearField("fabric_node_ous")
    plain = msp_config_pb2.MSPConfig(type=0, config=content.SerializeToString())
    return changed(plain, **fields)


@pytest.mark.parametrize("role", ["client", "peer", "admin", "orderer"])
def test_a_role_is_the_organizational_unit(role: str) -> None:
    identity = MSPS.deserialize(ALPHA.member(role, "department").serialized)
    MSPS.validate(identity)
    held = [name for name in ROLES if MSPS.satisfies(identity, role_principal("AlphaMSP", name))]
    assert sorted(held) == sorted(["member", role])
    assert not any(MSPS.satisfies(identity, role_principal("BetaMSP", name)) for name in ROLES)


@pytest.mark.parametrize(
    "units", [(), ("department",), ("client", "admin"), ("client", "client"), ("Client",)]
)
def test_none_or_several_role_units_invalidate(units: tuple[str, ...]) -> None:
    member = ALPHA.member(*units)
    assert refusal(ALPHA.msp(), member) == "ORGANIZATIONAL_UNITS_INVALID"
    assert not any(ALPHA.msp().satisfies(member.identity, role_principal("AlphaMSP", role)) for role in ROLES)


def test_another_authoritys_certificate_fails_already_when_read() -> None:
    forged = serialize_identity("AlphaMSP", BETA.member("client").pem)
    with pytest.raises(IdentityError) as caught:
        MSPS.deserialize(forged)
    assert caught.value.code == "CERTIFICATE_NOT_TRUSTED"


def test_an_authority_with_the_same_name_is_not_the_same() -> None:
    impostor = SampleOrganization("AlphaMSP")
    assert impostor.authority.certificate.subject == ALPHA.authority.certificate.subject
    assert refusal(ALPHA.msp(), impostor.member("client")) == "CERTIFICATE_NOT_TRUSTED"


def test_expiry_is_no_failure_but_an_issuer_not_yet_valid_is() -> None:
    expired = ALPHA.member("client", start=START, valid_days=1)
    outlives = ALPHA.member("client", start=START, valid_days=36_500)
    older = ALPHA.member("client", start=START - timedelta(days=2))
    later_than_root = ALPHA.member("client", start=START + timedelta(days=20_000))
    msp = ALPHA.msp()
    assert refusal(msp, expired) is None
    assert refusal(msp, outlives) is None
    assert refusal(msp, older) == "CERTIFICATE_NOT_TRUSTED"
    assert refusal(msp, later_than_root) == "CERTIFICATE_NOT_TRUSTED"


def test_revocation_by_serial_and_issuer_whatever_the_dates() -> None:
    revoked, other = ALPHA.member("client"), ALPHA.member("client")
    listed = ALPHA.revocation_list([revoked.certificate])
    msp = ALPHA.msp(crls=[listed])
    assert refusal(msp, revoked) == "CERTIFICATE_REVOKED"
    assert refusal(msp, other) is None
    assert not msp.satisfies(revoked.identity, role_principal("AlphaMSP", "member"))
    der = x509.load_pem_x509_crl(listed).public_bytes(Encoding.DER)
    assert refusal(ALPHA.msp(crls=[der]), revoked) == "CERTIFICATE_REVOKED"


def test_a_revocation_list_that_the_issuer_did_not_sign_revokes_nothing() -> None:
    member = ALPHA.member("client")
    forged = ALPHA.revocation_list([member.certificate], signer=BETA.authority)
    assert refusal(ALPHA.msp(crls=[forged]), member) is None


def test_a_high_s_certificate_is_the_same_identity_as_its_low_s_twin() -> None:
    r, s = decode_dss_signature(CLIENT.certificate.signature)
    twin = encode_dss_signature(r, curve_order(ec.SECP256R1()) - s)
    der = replace_signature(CLIENT.certificate.public_bytes(Encoding.DER), twin)
    pem = certificate_pem(x509.load_der_x509_certificate(der))
    high = serialize_identity("AlphaMSP", pem)
    identity = MSPS.deserialize(high)
    MSPS.validate(identity)
    assert identity.serialized == high
    assert identity.certificate == CLIENT.certificate
    assert identity.key == MSPS.deserialize(CLIENT.serialized).key
    assert MSPS.satisfies(identity, identity_principal(CLIENT.serialized))
    assert MSPS.satisfies(parse_identity(high), identity_principal(CLIENT.serialized))
    assert MSPS.satisfies(MSPS.deserialize(CLIENT.serialized), identity_principal(high))


def test_authorities_are_no_identities() -> None:
    msp = ALPHA.msp()
    root = serialize_identity("AlphaMSP", ALPHA.authority.pem)
    with pytest.raises(IdentityError) as caught:
        msp.validate(msp.deserialize(root))
    assert caught.value.code == "CERTIFICATE_IS_AUTHORITY"


def test_only_leaves_of_the_tree_of_authorities_issue_identities() -> None:
    intermediate = new_authority("intermediate", start=START, issuer=ALPHA.authority)
    msp = ALPHA.msp(intermediates=[intermediate.pem])
    below = ALPHA.member("client", authority=intermediate, start=START + timedelta(hours=1))
    assert refusal(msp, below) is None
    assert refusal(msp, ALPHA.member("client")) == "ISSUER_NOT_LEAF"
    assert refusal(ALPHA.msp(), below) == "CERTIFICATE_NOT_TRUSTED"


def test_a_revoked_intermediate_makes_no_msp() -> None:
    intermediate = new_authority("intermediate", start=START, issuer=ALPHA.authority)
    revoked = ALPHA.revocation_list([intermediate.certificate])
    with pytest.raises(ConfigError, match="has been revoked") as caught:
        ALPHA.msp(intermediates=[intermediate.pem], crls=[revoked])
    assert caught.value.code == "MSP_CONFIG_INVALID"


def test_two_chains_are_one_too_many() -> None:
    again = x509.CertificateBuilder(
        issuer_name=ALPHA.authority.certificate.subject,
        subject_name=ALPHA.authority.certificate.subject,
        public_key=ALPHA.authority.private_key.public_key(),
        serial_number=5,
        not_valid_before=START - timedelta(days=1),
        not_valid_after=START + timedelta(days=100),
        extensions=list(ALPHA.authority.certificate.extensions),
    ).sign(ALPHA.authority.private_key, x509.load_pem_x509_certificate(CLIENT.pem).signature_hash_algorithm)
    config = build_msp_config("AlphaMSP", root_certificates=[ALPHA.authority.pem, certificate_pem(again)])
    assert refusal(Msp.from_config(config), CLIENT) == "CHAIN_AMBIGUOUS"


def test_keys_other_than_ecdsa_and_ed25519_are_refused() -> None:
    def member(public_key: Any) -> Member:
        certificate = issue(
            ALPHA.authority,
            common_name="x",
            public_key=public_key,
            organizational_units=["client"],
            start=START,
        )
        pem = certificate_pem(certificate)
        return Member(serialize_identity("AlphaMSP", pem), certificate, CLIENT.key)

    edwards = member(ed25519.Ed25519PrivateKey.generate().public_key())
    rsa_member = member(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
    older = Msp.from_config(ALPHA.msp_config(), accepts_ed25519=False)
    assert refusal(ALPHA.msp(), edwards) is None
    assert refusal(older, edwards) == "KEY_NOT_ACCEPTED"
    assert refusal(ALPHA.msp(), rsa_member) == "KEY_NOT_ACCEPTED"


def test_an_extended_key_usage_must_include_server_authentication() -> None:
    assert refusal(ALPHA.msp(), ALPHA.member("client", client=True)) == "CERTIFICATE_NOT_TRUSTED"
    assert refusal(ALPHA.msp(), ALPHA.member("client", client=True, server=True)) is None


def test_listed_administrators_are_administrators() -> None:
    listed = ALPHA.member("client")
    msp = ALPHA.msp(admins=[listed.pem])
    principal = role_principal("AlphaMSP", "admin")
    assert msp.satisfies(listed.identity, principal)
    assert not msp.satisfies(ALPHA.member("client").identity, principal)
    with pytest.raises(ConfigError) as caught:
        ALPHA.msp(admins=[ALPHA.member("peer").pem])
    assert caught.value.code == "MSP_CONFIG_INVALID"


def test_without_node_units_roles_other_than_member_and_listed_admin_are_never_held() -> None:
    admin = ALPHA.member()
    msp = Msp.from_config(without_node_units(ALPHA.msp_config(), admins=[admin.pem]))
    peer = ALPHA.member("peer")
    assert refusal(msp, peer) is None
    assert [role for role in ROLES if msp.satisfies(peer.identity, role_principal("AlphaMSP", role))] == [
        "member"
    ]
    assert msp.satisfies(admin.identity, role_principal("AlphaMSP", "admin"))


def test_admitted_units_are_bound_to_their_issuing_path() -> None:
    admin = ALPHA.member("ward")
    unit = msp_config_pb2.FabricOUIdentifier(
        certificate=ALPHA.authority.pem, organizational_unit_identifier="ward"
    )
    config = without_node_units(
        ALPHA.msp_config(), admins=[admin.pem], organizational_unit_identifiers=[unit]
    )
    msp = Msp.from_config(config)
    assert refusal(msp, ALPHA.member("other", "ward")) is None
    assert refusal(msp, ALPHA.member("other")) == "ORGANIZATIONAL_UNITS_INVALID"


def test_a_role_can_be_pinned_to_one_authority() -> None:
    one = new_authority("one", start=START, issuer=ALPHA.authority)
    two = new_authority("two", start=START, issuer=ALPHA.authority)
    config = ALPHA.msp_config(intermediates=[one.pem, two.pem])
    pinned = msp_config_pb2.FabricNodeOUs(
        client_ou_identifier=msp_config_pb2.FabricOUIdentifier(certificate=one.pem)
    )
    msp = Msp.from_config(changed(config, fabric_node_ous=pinned))
    start = START + timedelta(hours=1)
    assert refusal(msp, ALPHA.member("client", authority=one, start=start)) is None
    assert refusal(msp, ALPHA.member("client", authority=two, start=start)) == "ORGANIZATIONAL_UNITS_INVALID"
    assert refusal(msp, ALPHA.member("peer", authority=two, start=start)) is None


def test_principals_of_units_identities_and_combinations() -> None:
    certifier = path_identifier([ALPHA.authority.certificate])
    member = ALPHA.member("client", "ward")
    msp = ALPHA.msp()

    def principal(kind: str, content: Any) -> Any:
        return msp_principal_pb2.MSPPrincipal(
            principal_classification=kind, principal=content.SerializeToString()
        )

    def unit(name: str, path: bytes, msp_id: str = "AlphaMSP") -> Any:
        return principal(
            "ORGANIZATION_UNIT",
            msp_principal_pb2.OrganizationUnit(
                msp_identifier=msp_id, organizational_unit_identifier=name, certifiers_identifier=path
            ),
        )

    def combined(*parts: Any) -> Any:
        return principal("COMBINED", msp_principal_pb2.CombinedPrincipal(principals=parts))

    def nominal(kind: int) -> Any:
        return principal("ANONYMITY", msp_principal_pb2.MSPIdentityAnonymity(anonymity_type=kind))

    deep = unit("ward", certifier)
    for _ in range(20):
        deep = combined(deep)
    role, exact = role_principal("AlphaMSP", "client"), identity_principal(member.serialized)
    for wanted in (unit("ward", certifier), exact, combined(role, exact), nominal(0)):
        assert msp.satisfies(member.identity, wanted)
    for unwanted in (
        unit("ward", b"other"),
        unit("other", certifier),
        unit("ward", certifier, "BetaMSP"),
        identity_principal(CLIENT.serialized),
        identity_principal(b"garbage"),
        combined(),
        combined(role, role_principal("AlphaMSP", "peer")),
        nominal(1),
        deep,
        msp_principal_pb2.MSPPrincipal(principal_classification="ROLE", principal=b"\xff"),
        msp_principal_pb2.MSPPrincipal(principal_classification=9),
    ):
        assert not msp.satisfies(member.identity, unwanted)


def test_a_start_at_the_end_of_the_calendar_is_refused() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    builder = x509.CertificateBuilder(
        ALPHA.authority.certificate.subject,
        CLIENT.certificate.subject,
        CLIENT.key.public_key(),
        9,
        last,
        last,
    )
    pem = certificate_pem(builder.sign(ALPHA.authority.private_key, SHA256()))
    with pytest.raises(IdentityError) as caught:
        MSPS.deserialize(serialize_identity("AlphaMSP", pem))
    assert caught.value.code == "CERTIFICATE_INVALID"


def test_one_certificate_cannot_be_written_as_two_identities() -> None:
    der = CLIENT.certificate.public_bytes(Encoding.DER)
    start = len(der) - len(CLIENT.certificate.signature) - 1
    assert der[start] == 0
    certificate_with_unused_bits = der[:start] + b"\x01" + der[start + 1 :]
    with pytest.raises(IdentityError) as caught:
        MSPS.deserialize(serialized_der(certificate_with_unused_bits))
    assert caught.value.code == "CERTIFICATE_INVALID"


def serialized_der(der: bytes) -> bytes:
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(der) + b"\n-----END CERTIFICATE-----\n"
    serialized: bytes = identities_pb2.SerializedIdentity(mspid="AlphaMSP", id_bytes=pem).SerializeToString()
    return serialized


# A damaged certificate may be one that `cryptography` reads with a warning.
@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.data())
def test_damaged_identities_are_refused_or_another_key_and_never_crash(data: st.DataObject) -> None:
    der = bytearray(CLIENT.certificate.public_bytes(Encoding.DER))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    assume(bytes(der) != CLIENT.certificate.public_bytes(Encoding.DER))
    with pytest.raises(IdentityError):
        MSPS.validate(MSPS.deserialize(serialized_der(bytes(der))))


def test_a_relabelled_identity_is_judged_by_its_certificate() -> None:
    foreign = Identity("AlphaMSP", BETA.member("client").certificate, CLIENT.serialized)
    with pytest.raises(IdentityError) as caught:
        MSPS.validate(foreign)
    assert caught.value.code == "CERTIFICATE_NOT_TRUSTED"


@pytest.mark.parametrize(
    "fields",
    [
        {"msp_id": ""},
        {"msp_id": "has space"},
        {"root_certificates": []},
        {"root_certificates": [b"not PEM"]},
        {"tls_root_certificates": [b"not PEM"]},
        {"crls": [b"not a list"]},
    ],
)
def test_what_makes_no_msp_is_refused_when_built(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        build_msp_config(**{"msp_id": "AlphaMSP", "root_certificates": [ALPHA.authority.pem], **fields})
    assert caught.value.code in {"MSP_CONFIG_INVALID", "REVOCATION_LIST_INVALID"}


def test_what_makes_no_msp_is_refused_when_read() -> None:
    stray = new_authority("stray", start=START, issuer=BETA.authority)
    good = ALPHA.msp_config()
    for config, code in (
        (msp_config_pb2.MSPConfig(type=1), "MSP_TYPE_UNSUPPORTED"),
        (msp_config_pb2.MSPConfig(config=b"\xff"), "MSP_CONFIG_INVALID"),
        (msp_config_pb2.MSPConfig(), "MSP_CONFIG_INVALID"),
        (changed(good, root_certs=[CLIENT.pem]), "MSP_CONFIG_INVALID"),
        (changed(good, root_certs=[b"x"]), "MSP_CONFIG_INVALID"),
        (changed(good, intermediate_certs=[stray.pem]), "MSP_CONFIG_INVALID"),
        (changed(good, tls_root_certs=[CLIENT.pem]), "MSP_CONFIG_INVALID"),
        (without_node_units(good), "MSP_CONFIG_INVALID"),
    ):
        with pytest.raises(ConfigError) as caught:
            Msp.from_config(config)
        assert caught.value.code == code
