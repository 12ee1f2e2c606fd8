"""The channel itself: duplicates, the time window, system chaincode, blocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.conformance.bench import Bench
from support.conformance.connections import seek_info
from support.conformance.engines import ALPHA, BETA, CHANNEL


def duplicates(bench: Bench) -> None:
    """One transaction id counts once, valid or not."""
    proposal = bench.proposal([["put", "duplicates/k", "1"]])
    envelope = bench.prepare_proposal("first", proposal)
    bench.submit("first", envelope)
    bench.endorse("endorsed again", proposal)
    bench.prepare_proposal("through the gateway again", proposal)
    invalid = bench.proposal([["put", "duplicates/k", "2"]])
    answers = bench.endorse("invalid", invalid)
    bench.submit("invalid", bench.assembled(invalid, answers))
    bench.endorse("invalid, endorsed again", invalid)
    bench.status("first, later", proposal.transaction_id)
    bench.status("first, asked by another", proposal.transaction_id, who=BETA)


def time_window(bench: Bench) -> None:
    """Proposals of another time than the peer's."""
    now = datetime.now(UTC)
    for label, seconds in {
        "past": -50,
        "future": 50,
        "too old": -75,
        "too new": 75,
        "last year": -31_536_000,
    }.items():
        time = now + timedelta(seconds=seconds)
        bench.endorse(label, bench.proposal([["get", "k"]], time=time))
        bench.evaluate(f"{label}, evaluated", [["get", "k"]], time=time)
        bench.prepare(f"{label}, through the gateway", [["get", "k"]], time=time)


def system_chaincodes(bench: Bench) -> None:
    """qscc and cscc: what they answer and what they refuse."""
    identifier = bench.commit("put", [["put", "system/k", "1"]])
    name = CHANNEL.encode()
    for label, chaincode, arguments, who in (
        ("no function", "qscc", [], ALPHA),
        ("unknown function", "qscc", [b"GetNothing", name], ALPHA),
        ("no channel", "qscc", [b"GetChainInfo"], ALPHA),
        ("unknown channel", "qscc", [b"GetChainInfo", b"elsewhere"], ALPHA),
        ("block too high", "qscc", [b"GetBlockByNumber", name, b"100000"], ALPHA),
        ("block of no number", "qscc", [b"GetBlockByNumber", name, b"x"], ALPHA),
        ("block of no argument", "qscc", [b"GetBlockByNumber", name], ALPHA),
        ("unknown hash", "qscc", [b"GetBlockByHash", name, b"\0" * 32], ALPHA),
        ("unknown transaction", "qscc", [b"GetTransactionByID", name, b"0" * 64], ALPHA),
        ("empty transaction", "qscc", [b"GetTransactionByID", name, b""], ALPHA),
        ("block of an unknown transaction", "qscc", [b"GetBlockByTxID", name, b"0" * 64], ALPHA),
        ("channels of a client", "cscc", [b"GetChannels"], ALPHA),
        ("channels at another's peer", "cscc", [b"GetChannels"], BETA),
        ("unknown cscc function", "cscc", [b"GetNothing", name], ALPHA),
        ("configuration of an unknown channel", "cscc", [b"GetConfigBlock", b"elsewhere"], ALPHA),
        ("join by a client", "cscc", [b"JoinChain", b"x"], ALPHA),
        ("lscc is gone", "lscc", [b"getid", name, b"probe"], ALPHA),
    ):
        proposal = bench.named(bench.clients[who].propose(CHANNEL, chaincode, arguments))
        bench.endorse(label, proposal, who=who)
    proposal = bench.clients[ALPHA].propose(
        CHANNEL, "qscc", [b"GetTransactionByID", name, identifier.encode()]
    )
    answer = bench.connections.endorser(ALPHA).ProcessProposal(bench.clients[ALPHA].signed(proposal))
    bench.observe("transaction's length is its own", answer.response.status)


def delivery(bench: Bench) -> None:
    """The Deliver services of peers and orderers: ranges that make no sense, channels that do not exist."""
    for label, channel, start, stop in (
        ("newest", CHANNEL, None, None),
        ("genesis", CHANNEL, 0, 0),
        ("upside down", CHANNEL, 3, 1),
        ("not yet there", CHANNEL, 100_000, 100_001),
        ("unknown channel", "elsewhere", 0, 0),
    ):
        envelope = bench.clients[ALPHA].seek(channel, seek_info(start, stop))
        bench.deliver(f"peer, {label}", bench.connections.deliver(ALPHA).Deliver, envelope)
        bench.deliver(f"filtered, {label}", bench.connections.deliver(ALPHA).DeliverFiltered, envelope)
        bench.deliver(f"orderer, {label}", bench.connections.orderer().Deliver, envelope)
    forged = bench.clients[ALPHA].seek(CHANNEL, seek_info(0, 0))
    forged.signature = bench.clients[ALPHA].sign(b"something else")
    bench.deliver("peer, forged", bench.connections.deliver(ALPHA).Deliver, forged)
    bench.deliver("orderer, forged", bench.connections.orderer().Deliver, forged)
    empty = type(forged)()
    bench.deliver("peer, empty", bench.connections.deliver(ALPHA).Deliver, empty)
    bench.deliver("orderer, empty", bench.connections.orderer().Deliver, empty)


SCENARIOS = (duplicates, time_window, system_chaincodes, delivery)
