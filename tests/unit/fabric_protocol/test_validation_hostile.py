"""Whatever a member of the channel signs, validation gives it a code and goes on."""

from fabric_protos.common import common_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sample_channel import CHAINCODE, SampleLedger, members
from support.sample_collections import ALPHA_ONLY, PrivateLedger

from fabric_protocol.endorsements import signed_envelope
from fabric_protocol.errors import ConfigError
from fabric_protocol.signatures import sign
from fabric_protocol.simulation import Simulator
from fabric_protocol.validation_codes import ValidationCode

CODES = {int(code) for code in ValidationCode}
CLIENT = members("AlphaMSP").client


def everything(simulator: Simulator) -> None:
    """A bit of all that a read-write set can hold."""
    simulator.get_state(CHAINCODE, "a")
    list(simulator.scan(CHAINCODE, "", ""))
    simulator.put_state(CHAINCODE, "b", b"v")
    simulator.set_metadata(CHAINCODE, "a", {"VALIDATION_PARAMETER": b"\x01"})
    simulator.get_private_hash(CHAINCODE, ALPHA_ONLY, "k")
    simulator.put_private(CHAINCODE, ALPHA_ONLY, "k", b"v")
    simulator.set_private_metadata(CHAINCODE, ALPHA_ONLY, "l", {"VALIDATION_PARAMETER": b"\x02"})
    simulator.purge_private(CHAINCODE, ALPHA_ONLY, "m")


def fill(simulator: Simulator) -> None:
    for number in range(60):
        simulator.put_state(CHAINCODE, f"a{number or ''}", b"v")


LEDGER = PrivateLedger()
LEDGER.submit(fill)
RESULTS = LEDGER.simulate(everything).public
ENVELOPE = LEDGER.envelope(RESULTS)


def damaged(data: bytes, draw: st.DataObject) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        position = draw.draw(st.integers(0, len(changed) - 1))
        kind = draw.draw(st.sampled_from(["change", "remove", "insert"]))
        if kind == "change":
            changed[position] = draw.draw(st.integers(0, 255))
        elif kind == "remove":
            del changed[position]
        else:
            changed.insert(position, draw.draw(st.integers(0, 255)))
    return bytes(changed)


def code_of(ledger: SampleLedger, entry: bytes) -> int:
    validated = ledger.validate(ledger.block(entry))
    assert len(validated.codes) == 1
    if validated.codes != (0,):
        assert validated.updates.public == validated.updates.hashed == ()
    return validated.codes[0]


def test_the_undamaged_transaction_is_valid() -> None:
    assert code_of(LEDGER, ENVELOPE) == 0


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_transaction_that_its_creator_signs_gets_a_code(data: st.DataObject) -> None:
    payload = damaged(common_pb2.Envelope.FromString(ENVELOPE).payload, data)
    entry = signed_envelope(payload, sign(CLIENT.key, payload)).SerializeToString()

    try:
        verdict: object = code_of(LEDGER, entry)
    except ConfigError as error:
        verdict = error.code

    assert verdict in CODES | {"CONFIG_UPDATE_INVALID"}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_results_that_everybody_endorses_get_a_code(data: st.DataObject) -> None:
    entry = LEDGER.envelope(damaged(RESULTS, data))

    assert code_of(LEDGER, entry) in CODES


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_envelopes_get_a_code(data: st.DataObject) -> None:
    assert code_of(LEDGER, damaged(ENVELOPE, data)) in CODES
