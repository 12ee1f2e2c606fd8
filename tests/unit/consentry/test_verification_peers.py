"""Live peers as copies of the chain."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.chains import Chain

from consentry.errors import ConfigurationError, LedgerUnreachable
from consentry.profile import NetworkProfile, OrganizationProfile
from consentry.verification import Verdict, VerificationError, Verifier, peers
from consentry.verification.peers import PeerSource, live_peers
from fabric_gateway import StreamError, StreamPatience

CHAIN = Chain()
CHAIN.write({"key": b"value"})
IDENTITY: Any = SimpleNamespace(serialized=b"identity", signer=None)


class FakeNetwork:
    """A channel as one peer serves it: some of the blocks, or a broken stream."""

    def __init__(self, height: int, newest: bytes | None = None, *, breaks: bool = False) -> None:
        self.height, self.newest, self.breaks = height, newest, breaks

    def newest_block(self) -> bytes:
        if self.breaks:
            raise StreamError("connection refused", code="UNAVAILABLE")
        return CHAIN.blocks[self.height - 1] if self.newest is None else self.newest

    def blocks(self, start: int, stop: int | None, *, patience: StreamPatience) -> Iterator[bytes]:
        assert patience.reconnect_for > 0
        if self.breaks:
            raise StreamError("connection refused", code="UNAVAILABLE")
        yield from CHAIN.blocks[start : self.height if stop is None else stop + 1]


@pytest.fixture
def profile(tmp_path: Path) -> NetworkProfile:
    (tmp_path / "roots.pem").write_bytes(b"")
    peer = '"peers": [{"endpoint": "127.0.0.1:1", "tls_roots": "roots.pem", "server_name": "localhost"}]'
    organizations = ", ".join(
        f'"{name.capitalize()}MSP": {{"name": "{name}", "kind": "hospital", {peer}}}'
        for name in ("northgate", "riverside")
    )
    (tmp_path / "network.json").write_text(
        f'{{"version": 1, "engine": "embedded", "channel": "consentry", "chaincode": "consentry", '
        f'"organizations": {{{organizations}}}, "orderers": []}}'
    )
    return NetworkProfile.load(tmp_path)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Any:
    def by(networks: dict[str, FakeNetwork]) -> None:
        def connect(organization: OrganizationProfile, _identity: Any) -> Any:
            return nullcontext(SimpleNamespace(network=lambda _channel: networks[organization.name]))

        monkeypatch.setattr(peers, "organization_gateway", connect)

    return by


def test_all_peers_are_followed_to_the_block_that_all_of_them_have(
    profile: NetworkProfile, serve: Any
) -> None:
    serve({"northgate": FakeNetwork(3), "riverside": FakeNetwork(2)})
    with live_peers(profile, IDENTITY) as sources:
        assert [(source.name, source.stop) for source in sources] == [
            ("NorthgateMSP's peer", 1),
            ("RiversideMSP's peer", 1),
        ]
        result = Verifier().verify(sources, CHAIN.anchor)
    assert (result.verdict, result.blocks) == (Verdict.PROVED, 2)


@pytest.mark.parametrize("name", ["riverside", "RiversideMSP"])
def test_one_peer_can_be_named(profile: NetworkProfile, serve: Any, name: str) -> None:
    serve({"riverside": FakeNetwork(3)})
    with live_peers(profile, IDENTITY, [name]) as (source,):
        assert list(source.blocks(1)) == CHAIN.blocks[1:]
        assert list(source.blocks(3)) == []


def test_a_follower_waits_for_ever(profile: NetworkProfile, serve: Any) -> None:
    serve({"northgate": FakeNetwork(3)})
    with live_peers(profile, IDENTITY, ["northgate"], follow=True) as (source,):
        assert source.stop is None


def test_an_unknown_organization_is_refused(profile: NetworkProfile, serve: Any) -> None:
    serve({})
    with (
        pytest.raises(ConfigurationError, match="ORGANIZATION_UNKNOWN"),
        live_peers(profile, IDENTITY, ["x"]),
    ):
        pass


def test_a_peer_that_does_not_answer_is_an_unreachable_ledger(profile: NetworkProfile, serve: Any) -> None:
    serve({"northgate": FakeNetwork(0, breaks=True)})
    with (
        pytest.raises(LedgerUnreachable, match="NorthgateMSP's peer gave no blocks"),
        live_peers(profile, IDENTITY, ["northgate"]),
    ):
        pass
    with pytest.raises(LedgerUnreachable, match=r"or verify exported blocks"):
        list(PeerSource("peer", FakeNetwork(0, breaks=True), 1).blocks())  # type: ignore[arg-type]


def test_a_newest_block_that_cannot_be_read_is_refused(profile: NetworkProfile, serve: Any) -> None:
    serve({"northgate": FakeNetwork(1, b"\xff")})
    with (
        pytest.raises(VerificationError, match="PEER_ANSWER_INVALID"),
        live_peers(profile, IDENTITY, ["northgate"]),
    ):
        pass
