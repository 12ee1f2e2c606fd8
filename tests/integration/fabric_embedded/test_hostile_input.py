"""Hostile requests to every service: Fabric's refusals, an engine that goes on, and nothing in its log.

`FUZZ_EXAMPLES=5000 python -m pytest tests/integration/fabric_embedded/test_hostile_input.py` looks longer.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from fabric_protos.common.common_pb2 import Envelope, Status
from fabric_protos.peer.events_pb2 import DeliverResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from support.embedded import User, enrolled_user
from support.hostile_messages import TARGETS, Mutate, Requests, mutated

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_gateway import Contract, EndorseError
from fabric_operator.material import read_authority
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    new_authority,
    new_private_key,
)
from fabric_protocol.signatures import key_signer

_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
_SECRET = "nobody may read this in a log"
_WAIT_SECONDS = 0.15
_ANSWER_SECONDS = 60
_MOST_GROWTH_BYTES = 64 * 2**20
_MOST_BYTES = 1536 * 2**20
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SURPRISES = ("internal error (", "Unexpected <class")
_METHODS = [target.method for target in TARGETS]
# Both kinds of answers begin with the field `status`.
_FORBIDDEN = DeliverResponse(status=Status.FORBIDDEN).SerializeToString().hex()
Who = Callable[[EmbeddedNetwork, datetime], User]


class Hostile:
    """Somebody with a valid identity who sends bytes of his own making."""

    def __init__(self, peer: grpc.Channel, orderer: grpc.Channel, requests: Requests) -> None:
        self._peer, self._orderer = peer, orderer
        self.requests = requests

    def with_user(self, user: User) -> Hostile:
        """The same with another identity."""
        return Hostile(self._peer, self._orderer, self.requests.of(user))

    def request(self, method: str, mutate: Mutate = bytes) -> bytes:
        """A request of a method, changed before it is signed."""
        return next(target for target in TARGETS if target.method == method).request(self.requests, mutate)

    def send(self, method: str, data: bytes, wait: float = _ANSWER_SECONDS) -> tuple[str, str]:
        """Status and message of the answer; a call that may wait for ever is left after so many seconds."""
        channel = self._orderer if method.startswith("/orderer") else self._peer
        try:
            if "Deliver" in method or "Broadcast" in method:
                answers = channel.stream_stream(method)(iter([data]), timeout=wait)
                return "OK", " ".join(answer.hex() for answer in answers)
            if method.endswith("Events"):
                return "OK", str(list(channel.unary_stream(method)(data, timeout=wait)))
            patience = wait if method.endswith("CommitStatus") else max(wait, _ANSWER_SECONDS)
            return "OK", channel.unary_unary(method)(data, timeout=patience).hex()
        except grpc.RpcError as error:
            return error.code().name, error.details()


class Engine:
    """The engine's process as seen from outside, from now on."""

    def __init__(self, directory: Path) -> None:
        self._log = directory / "logs" / "engine.log"
        self._pid = json.loads((directory / "run" / "engine.json").read_bytes())["pid"]
        self._begin = self._log.stat().st_size
        self._memory = self.resident_bytes

    @property
    def resident_bytes(self) -> int:
        """Its memory."""
        return int(Path(f"/proc/{self._pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def growth_bytes(self) -> int:
        """By how much its memory grew."""
        return self.resident_bytes - self._memory

    def settled_growth_bytes(self) -> int:
        """The same once what still arrives of refused messages is gone, for which it has a minute."""
        deadline = time.monotonic() + 60
        while self.growth_bytes >= _MOST_GROWTH_BYTES and time.monotonic() < deadline:
            time.sleep(0.1)
        return self.growth_bytes

    @contextmanager
    def watched(self) -> Iterator[list[int]]:
        """Its memory from time to time while the block runs."""
        seen, is_over = [self.resident_bytes], Event()

        def watch() -> None:
            while not is_over.wait(0.01):
                seen.append(self.resident_bytes)

        watcher = Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            is_over.set()
            watcher.join()

    @property
    def log(self) -> str:
        """What it logged."""
        return self._log.read_bytes()[self._begin :].decode()


@pytest.fixture(scope="module")
def hostile(
    network: EmbeddedNetwork, users: dict[str, User], contract: Callable[[str], Contract]
) -> Iterator[Hostile]:
    endorsed = contract("alpha").new_proposal("basic:put", "fuzzed", _SECRET).endorse().envelope
    profile: Any = json.loads((network.directory / "network.json").read_bytes())
    with ExitStack() as stack:
        channels = [
            stack.enter_context(_channel(network, place))
            for place in (profile["organizations"]["AlphaMSP"]["peers"][0], profile["orderers"][0])
        ]
        yield Hostile(channels[0], channels[1], Requests(users["alpha"], endorsed, _SECRET))


@pytest.fixture(scope="module")
def engine(network: EmbeddedNetwork, hostile: Hostile) -> Engine:
    for method in _METHODS:
        hostile.send(method, hostile.request(method), _WAIT_SECONDS)
    return Engine(network.directory)


def _channel(network: EmbeddedNetwork, place: Any) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials((network.directory / place["tls_roots"]).read_bytes())
    options = [
        ("grpc.ssl_target_name_override", place["server_name"]),
        ("grpc.max_send_message_length", -1),
    ]
    return grpc.secure_channel(place["endpoint"], credentials, options)


@pytest.mark.parametrize("method", _METHODS)
@settings(max_examples=_EXAMPLES, derandomize=True)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(["random", "outside", "inside", "both"]))
def test_no_request_surprises_a_service(
    hostile: Hostile, engine: Engine, method: str, seed: int, kind: str
) -> None:
    randomness = random.Random(seed)
    mutate = partial(mutated, randomness=randomness)
    data = hostile.request(method, mutate if kind in {"inside", "both"} else bytes)
    if kind == "random":
        data = randomness.randbytes(randomness.randint(0, 200))
    data = data if kind == "inside" else mutate(data)
    status, message = hostile.send(method, data, _WAIT_SECONDS)
    assert not any(surprise in message for surprise in _SURPRISES), (status, message)
    assert _SECRET not in message


@pytest.mark.parametrize("method", _METHODS)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x0b" * 20_000, id="nested groups"),
        pytest.param(b"\xff" * 1000, id="endless number"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x07", id="length beyond the end"),
    ],
)
def test_what_is_no_message_is_refused(hostile: Hostile, engine: Engine, method: str, data: bytes) -> None:
    status, message = hostile.send(method, data)
    assert status == "INTERNAL"
    assert message.startswith("grpc: ")


def test_text_that_is_not_utf_8_is_refused(hostile: Hostile, engine: Engine) -> None:
    status, _ = hostile.send("/gateway.Gateway/Evaluate", b"\x0a\x03\xff\xfe\x80")
    assert status == "INTERNAL"


def _other_authority(network: EmbeddedNetwork, start: datetime) -> User:
    return _impostor(new_authority("ca.alpha", start=start), start)


def _expired(network: EmbeddedNetwork, start: datetime) -> User:
    files = NetworkPaths(network.directory).organization("alpha")
    return _impostor(read_authority(files.ca), start - timedelta(days=400))


def _impostor(authority: CertificateAuthority, start: datetime) -> User:
    key = new_private_key()
    certificate = issue(
        authority,
        common_name="impostor",
        public_key=key.public_key(),
        organizational_units=["client"],
        start=start,
    )
    return User("AlphaMSP", certificate_pem(certificate), key_signer(key), key)


def _high_s(network: EmbeddedNetwork, start: datetime) -> User:
    user = enrolled_user(network, "alpha", "high-s")

    def sign(digest: bytes) -> bytes:
        r, s = decode_dss_signature(user.sign_digest(digest))
        return encode_dss_signature(r, _ORDER - s)

    return User(user.msp_id, user.certificate, sign, user.sign)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        pytest.param(_other_authority, "access denied", id="another authority"),
        pytest.param(_expired, "expired", id="expired"),
        pytest.param(_high_s, "access denied", id="high S"),
    ],
)
def test_who_cannot_prove_who_he_is_is_refused_everywhere(
    network: EmbeddedNetwork, hostile: Hostile, engine: Engine, who: Who, words: str
) -> None:
    impostor = hostile.with_user(who(network, datetime.now(UTC)))
    answers = {method: impostor.send(method, impostor.request(method)) for method in _METHODS}
    assert words in answers["/protos.Endorser/ProcessProposal"][1]
    for method, (status, message) in answers.items():
        # Streams answer with a status of their own, calls with gRPC's.
        is_refused = message.startswith(_FORBIDDEN) if status == "OK" else status != "DEADLINE_EXCEEDED"
        assert is_refused, method


def test_another_channel_is_refused(hostile: Hostile, engine: Engine) -> None:
    signed = hostile.requests.signed(hostile.requests.proposal("elsewhere").data)
    status, answer = hostile.send("/protos.Endorser/ProcessProposal", signed.SerializeToString())
    assert (status, b"channel 'elsewhere' not found" in bytes.fromhex(answer)) == ("OK", True)


def test_a_replay_is_refused_or_has_no_effect(
    hostile: Hostile, engine: Engine, contract: Callable[[str], Contract]
) -> None:
    proposal = contract("alpha").new_proposal("basic:increment", "replayed")
    transaction = proposal.endorse()
    assert transaction.submit().status().successful
    with pytest.raises(EndorseError, match="duplicate transaction found"):
        proposal.endorse()
    transaction.submit()
    contract("alpha").submit("basic:put", "after the replay", "1")
    assert contract("alpha").evaluate("basic:get", "replayed") == b"1"
    assert transaction.prepare_commit().status().successful


def test_a_message_beyond_the_limit_is_refused(hostile: Hostile, engine: Engine) -> None:
    status, _ = hostile.send("/gateway.Gateway/Evaluate", bytes(100 * 2**20 + 1))
    assert status == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("method", ["/protos.Endorser/ProcessProposal", "/orderer.AtomicBroadcast/Broadcast"])
def test_many_of_the_largest_messages_at_once_take_bounded_memory(
    hostile: Hostile, engine: Engine, method: str
) -> None:
    """Each is answered, be it that there is no room for it now; together they would take more than 2 GiB."""
    content = bytes(100 * 2**20 - 1000)
    largest = Envelope(payload=content).SerializeToString()
    with ThreadPoolExecutor(5) as senders, engine.watched() as most:
        answers = [senders.submit(hostile.send, method, largest, 2 * _ANSWER_SECONDS) for _ in range(5)]
        codes = {answer.result()[0] for answer in answers}
    assert codes <= {"OK", "UNKNOWN", "RESOURCE_EXHAUSTED"}
    assert max(most) < _MOST_BYTES


def test_refused_messages_are_not_kept(hostile: Hostile, engine: Engine) -> None:
    large = Envelope(payload=bytes(30 * 2**20)).SerializeToString()
    for _ in range(6):
        code, _ = hostile.send("/protos.Endorser/ProcessProposal", large, 2 * _ANSWER_SECONDS)
        assert code in {"UNKNOWN", "RESOURCE_EXHAUSTED"}
    assert engine.settled_growth_bytes() < _MOST_GROWTH_BYTES


def test_the_engine_goes_on_with_bounded_memory_and_a_log_without_content(
    engine: Engine, contract: Callable[[str], Contract]
) -> None:
    assert contract("alpha").submit("basic:put", "afterwards", "1") == b"1"
    assert contract("beta").evaluate("basic:get", "afterwards") == b"1"
    assert engine.settled_growth_bytes() < _MOST_GROWTH_BYTES
    lines = engine.log.splitlines()
    assert not [
        line for line in lines if "failed" in line or '"level": "ERROR"' in line or "Traceback" in line
    ]
    assert _SECRET not in engine.log
