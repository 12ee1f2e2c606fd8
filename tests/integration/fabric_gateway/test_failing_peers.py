"""Fail-over and reconnecting on the embedded engine, with peers that are not there."""

from __future__ import annotations

import json

import pytest
from support.embedded import User, enrolled_user

from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import Endpoint, Gateway, GatewayError, StreamPatience
from fabric_protocol.blocks import parse_block

pytestmark = pytest.mark.integration
NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def user(embedded: EmbeddedNetwork) -> User:
    return enrolled_user(embedded, "alpha", "user-of-failing-peers")


def peers(embedded: EmbeddedNetwork) -> list[Endpoint]:
    profile = json.loads((embedded.directory / "network.json").read_text())
    found = [organization["peers"][0] for organization in profile["organizations"].values()]
    return [
        Endpoint(peer["endpoint"], (embedded.directory / peer["tls_roots"]).read_bytes(), peer["server_name"])
        for peer in found
    ]


def connected(embedded: EmbeddedNetwork, user: User) -> Gateway:
    first, *others = peers(embedded)
    return Gateway.connect(
        NOBODY,
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=first.tls_roots,
        server_name=first.server_name,
        fallbacks=[first, *others],
    )


def test_everything_goes_to_the_next_peer_that_answers(embedded: EmbeddedNetwork, user: User) -> None:
    with connected(embedded, user) as gateway:
        contract = gateway.network("testing").contract("basic")
        assert contract.submit("basic:put", "fallback", "1") == b"1"
        assert contract.evaluate("basic:get", "fallback") == b"1"


def test_many_in_flight_go_to_the_next_peer_that_answers(embedded: EmbeddedNetwork, user: User) -> None:
    with connected(embedded, user) as gateway:
        with gateway.network("testing").contract("basic").in_flight(20) as calls:
            written = [calls.submit("basic:put", f"in-flight-{number}", str(number)) for number in range(60)]
        assert [future.result() for future in written] == [str(number).encode() for number in range(60)]


def test_closing_the_gateway_ends_what_is_in_flight(embedded: EmbeddedNetwork, user: User) -> None:
    gateway = connected(embedded, user)
    calls = gateway.network("testing").contract("basic").in_flight(20)
    futures = [calls.submit("basic:put", f"closing-{number}", "1") for number in range(20)]
    gateway.close()
    calls.wait()
    errors = [future.exception() for future in futures]
    assert all(error is None or isinstance(error, GatewayError) for error in errors)


def test_an_envelope_that_never_left_is_sent_to_the_next_peer(embedded: EmbeddedNetwork, user: User) -> None:
    with connected(embedded, user) as gateway:
        transaction = (
            gateway.network("testing").contract("basic").new_proposal("basic:put", "a", "1").endorse()
        )
    with connected(embedded, user) as gateway:
        assert gateway.transaction(transaction.to_bytes()).submit().status().successful


def test_streams_are_opened_at_the_next_peer(embedded: EmbeddedNetwork, user: User) -> None:
    patience = StreamPatience(reconnect_for=10.0)
    with connected(embedded, user) as gateway:
        network = gateway.network("testing")
        blocks = [parse_block(data).header.number for data in network.blocks(0, 2, patience=patience)]
    assert blocks == [0, 1, 2]


def test_filtered_blocks_tell_what_was_valid(embedded: EmbeddedNetwork, user: User) -> None:
    with connected(embedded, user) as gateway:
        network = gateway.network("testing")
        proposal = network.contract("basic").new_proposal("basic:put", "filtered", "1")
        number = proposal.endorse().submit().status().block_number
        (filtered,) = network.filtered_blocks(number, number)
    (transaction,) = [t for t in filtered.transactions if t.transaction_id == proposal.transaction_id]
    assert (transaction.validation_code, transaction.events) == ("VALID", ("put",))
