"""Signatures made elsewhere: every step as bytes out and in."""

from __future__ import annotations

import pytest
from fabric_protos.gateway import gateway_pb2
from support.fake_gateway import CHAINCODE, CHANNEL, Call, FakeGateway
from support.sample_organizations import SampleOrganization

from fabric_gateway import EnvelopeError, Gateway, SigningError, UnsignedError
from fabric_protocol.signatures import sign_digest


def echo(call: Call) -> bytes:
    return b"|".join([call.function.encode(), *call.arguments])


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway(echo)


@pytest.fixture
def unsigned(fake: FakeGateway) -> Gateway:
    return Gateway(fake, identity=fake.client.serialized)


def new_proposal(gateway: Gateway):
    return (
        gateway.network(CHANNEL)
        .contract(CHAINCODE)
        .new_proposal("put", "a", transient={"secret": b"s"}, endorsing_organizations=["AMSP"])
    )


def test_every_step_can_be_signed_elsewhere(fake: FakeGateway, unsigned: Gateway) -> None:
    def sign(step: object) -> tuple[bytes, bytes]:
        return step.to_bytes(), sign_digest(fake.client.key, step.to_sign)  # type: ignore[attr-defined]

    proposal = unsigned.signed_proposal(*sign(new_proposal(unsigned)))
    assert proposal.endorsing_organizations == ("AMSP",)
    assert proposal.evaluate() == b"put|a"
    transaction = unsigned.signed_transaction(*sign(proposal.endorse()))
    assert (transaction.result, transaction.endorsers) == (b"put|a", ("AMSP",))
    status = unsigned.signed_commit(*sign(transaction.submit())).status()
    assert status.successful
    assert status.transaction_id == proposal.transaction_id
    assert fake.calls[0][1].transient == {"secret": b"s"}


def test_bytes_of_signed_steps_keep_their_signatures(fake: FakeGateway) -> None:
    gateway, later = fake.gateway(), Gateway(fake, identity=fake.client.serialized)
    proposal = new_proposal(gateway)
    assert proposal.evaluate() == later.proposal(proposal.to_bytes()).evaluate()
    transaction = proposal.endorse()
    assert transaction.envelope
    kept = later.transaction(transaction.to_bytes())
    assert kept.envelope == transaction.envelope
    commit = later.commit(transaction.submit().to_bytes())
    assert commit.status().successful
    assert commit.transaction_id == proposal.transaction_id


@pytest.mark.parametrize("step", ["evaluate", "endorse"])
def test_an_unsigned_step_is_not_sent(fake: FakeGateway, unsigned: Gateway, step: str) -> None:
    with pytest.raises(UnsignedError):
        getattr(new_proposal(unsigned), step)()
    assert fake.requests == []


def test_an_unsigned_transaction_is_not_submitted(fake: FakeGateway, unsigned: Gateway) -> None:
    proposal = new_proposal(fake.gateway())
    proposal.evaluate()
    transaction = unsigned.proposal(proposal.to_bytes()).endorse()
    with pytest.raises(UnsignedError):
        transaction.submit()
    with pytest.raises(UnsignedError):
        transaction.prepare_commit().status()
    assert fake.submitted == []


def test_what_is_no_signature_is_refused(fake: FakeGateway, unsigned: Gateway) -> None:
    with pytest.raises(SigningError):
        unsigned.signed_proposal(new_proposal(unsigned).to_bytes(), b"no signature")


@pytest.mark.parametrize("read", ["proposal", "transaction", "commit"])
@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x0a\x03abc"])
def test_other_bytes_are_refused(unsigned: Gateway, read: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="expected the bytes of a gateway"):
        getattr(unsigned, read)(data)


def test_another_identitys_steps_are_refused(fake: FakeGateway) -> None:
    proposal = new_proposal(fake.gateway())
    transaction = proposal.endorse()
    stranger = SampleOrganization("AMSP").member("client")
    other = fake.gateway(stranger)
    with pytest.raises(ValueError, match="another identity"):
        other.proposal(proposal.to_bytes())
    with pytest.raises(ValueError, match="another identity"):
        other.transaction(transaction.to_bytes())
    with pytest.raises(ValueError, match="another identity"):
        other.commit(transaction.submit().to_bytes())


def test_altered_bytes_of_a_transaction_are_refused(fake: FakeGateway) -> None:
    gateway = fake.gateway()
    prepared = gateway_pb2.PreparedTransaction.FromString(new_proposal(gateway).endorse().to_bytes())
    prepared.envelope.payload = prepared.envelope.payload.replace(b"writes", b"WRITES")
    with pytest.raises(EnvelopeError):
        gateway.transaction(prepared.SerializeToString())
    prepared.transaction_id = "0" * 64
    with pytest.raises(ValueError, match="two different transaction ids"):
        gateway.transaction(prepared.SerializeToString())
