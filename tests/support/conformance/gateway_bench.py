"""Where a scenario is played: clients of both organizations on one engine, and what was observed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import transaction_pb2
from support.conformance.connections import SECONDS, Client, Connections, blocks, refusal
from support.conformance.engines import ALPHA, BETA, CHAINCODE, CHANNEL, RunningEngine
from support.conformance.rendering import Names, rendered_endorsement, rendered_rwset

from fabric_protocol.blocks import transaction_flags
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.proposals import Proposal
from fabric_protocol.transactions import Transaction

Script = Sequence[Sequence[Any]]
BOTH = (ALPHA, BETA)
OK = 200
SILENCE_SECONDS = 5.0
"""How long an answer is waited for that may never come; all of these are waited for at once."""

_AT_ONCE = 64


class GatewayBench:
    """Plays on one engine; `observed` has the answers of the scenario that runs, by their labels."""

    def __init__(
        self, engine: RunningEngine, clients: Mapping[str, Client], connections: Connections
    ) -> None:
        self.engine = engine
        self.clients = clients
        self.connections = connections
        self.services = ExitStack()
        self.directory = Path(self.services.enter_context(TemporaryDirectory(prefix="conformance-")))
        self.observed: dict[str, Any] = {}
        self.begin()

    def close(self) -> None:
        """End the connections, and the services that scenarios started."""
        self.connections.close()
        self.services.close()

    def begin(self) -> None:
        """Start a scenario: nothing observed, versions counted from here."""
        self.observed = {}
        self.base = self.height()
        self.names = Names(self.base)

    def observe(self, label: str, value: Any) -> None:
        """Keep an answer."""
        assert label not in self.observed, label
        self.observed[label] = value

    def at_once(self, questions: Mapping[str, Callable[[], Any]]) -> None:
        """Ask all of these at once, as some of them are answered by silence; their answers are observed."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            asked = {label: pool.submit(question) for label, question in questions.items()}
            for label, answer in asked.items():
                self.observe(label, answer.result())

    def heard(self, stream: Iterator[Any], rendered: Callable[[Any], Any]) -> list[Any]:
        """What a stream says until its end, a refusal, or its deadline, where it only waits."""
        seen = []
        try:
            for answer in stream:
                seen.append(rendered(answer))
        except grpc.RpcError as error:
            # Whoever notices the deadline first, client or server, words it.
            is_waiting = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            seen.append("waits" if is_waiting else self.refused(error))
        return seen

    # proposals

    def proposal(
        self, script: Script, who: str = ALPHA, chaincode: str = CHAINCODE, **options: Any
    ) -> Proposal:
        """A proposal of a script by an organization's client."""
        return self.named(self.clients[who].propose(CHANNEL, chaincode, arguments(script), **options))

    def named(self, proposal: Proposal) -> Proposal:
        """Give the transaction its name for what is observed."""
        self.names.transaction(proposal.transaction_id)
        return proposal

    def endorse(
        self, label: str, proposal: Proposal, at: Sequence[str] = (ALPHA,), who: str = ALPHA
    ) -> list[Any]:
        """Ask peers' Endorser services; their answers are observed and returned."""
        signed = self.clients[who].signed(proposal)
        answers, seen = [], []
        for msp_id in at:
            try:
                answer = self.connections.endorser(msp_id).ProcessProposal(signed, timeout=SECONDS)
            except grpc.RpcError as error:
                seen.append(self.refused(error))
                continue
            answers.append(answer)
            seen.append(self._answered(answer))
        self.observe(label, seen[0] if len(seen) == 1 else seen)
        return answers

    def _answered(self, answer: Any) -> dict[str, Any]:
        if answer.payload:
            return rendered_endorsement(answer.payload, self.names)
        response = answer.response
        return {
            "response": [
                response.status,
                self.names.text(response.message),
                self.names.data(response.payload),
            ]
        }

    # the gateway

    def evaluate(self, label: str, script: Script, who: str = ALPHA, **options: Any) -> None:
        """Gateway.Evaluate."""
        targets = options.pop("targets", ())
        channel = options.pop("channel", CHANNEL)
        proposal = self.named(
            self.clients[who].propose(
                channel, options.pop("chaincode", CHAINCODE), arguments(script), **options
            )
        )
        request = gateway_pb2.EvaluateRequest(
            transaction_id=proposal.transaction_id,
            channel_id=channel,
            proposed_transaction=self.clients[who].signed(proposal),
            target_organizations=targets,
        )
        self.call(label, self.connections.gateway(self.clients[who].msp_id).Evaluate, request)

    def call(self, label: str, method: Any, request: Any) -> Any:
        """One call of the Gateway; its result or status is observed."""
        try:
            answer = method(request, timeout=SECONDS)
        except grpc.RpcError as error:
            self.observe(label, self.refused(error))
            return None
        if isinstance(answer, gateway_pb2.EvaluateResponse):
            result = answer.result
            self.observe(
                label, [result.status, self.names.text(result.message), self.names.data(result.payload)]
            )
        return answer

    def prepare(
        self, label: str, script: Script, who: str = ALPHA, endorsers: Sequence[str] = (), **options: Any
    ) -> Any:
        """Gateway.Endorse, and the client's signature: an envelope that can be submitted, None if refused."""
        return self.prepare_proposal(label, self.proposal(script, who, **options), who, endorsers)

    def prepare_proposal(
        self, label: str, proposal: Proposal, who: str = ALPHA, endorsers: Sequence[str] = ()
    ) -> Any:
        """As `prepare`, for a proposal."""
        client = self.clients[who]
        request = gateway_pb2.EndorseRequest(
            transaction_id=proposal.transaction_id,
            channel_id=proposal.channel_id,
            proposed_transaction=client.signed(proposal),
            endorsing_organizations=endorsers,
        )
        answer = self.call(label, self.connections.gateway(self.clients[who].msp_id).Endorse, request)
        if answer is None:
            return None
        self.observe(label, self.transaction(answer.prepared_transaction))
        payload = answer.prepared_transaction.payload
        return signed_envelope(payload, client.sign(payload))

    def transaction(self, envelope: Any) -> dict[str, Any]:
        """An endorsed transaction, and whose endorsements it has."""
        transaction = Transaction.from_envelope(envelope.SerializeToString())
        signers = sorted(endorser_of(item.endorser) for item in transaction.endorsements)
        return rendered_endorsement(transaction.response_payload, self.names) | {"endorsers": signers}

    def assembled(self, proposal: Proposal, answers: Sequence[Any], who: str = ALPHA) -> Any:
        """An envelope of endorsements that were collected by hand."""
        payload = assemble_transaction(
            proposal.data, answers[0].payload, [item.endorsement for item in answers]
        )
        return signed_envelope(payload, self.clients[who].sign(payload))

    def submit(self, label: str, envelope: Any, who: str = ALPHA) -> str:
        """Gateway.Submit and CommitStatus: the validation code is observed; the transaction's id."""
        identifier = Transaction.from_envelope(envelope.SerializeToString()).transaction_id
        request = gateway_pb2.SubmitRequest(
            transaction_id=identifier, channel_id=CHANNEL, prepared_transaction=envelope
        )
        self.call(f"{label}: submit", self.connections.gateway(self.clients[who].msp_id).Submit, request)
        self.status(f"{label}: status", identifier, who)
        self.settle()
        return identifier

    def status(self, label: str, identifier: str, who: str = ALPHA, channel: str = CHANNEL) -> None:
        """Gateway.CommitStatus."""
        client = self.clients[who]
        inner = gateway_pb2.CommitStatusRequest(
            transaction_id=identifier, channel_id=channel, identity=client.identity.serialized
        ).SerializeToString()
        request = gateway_pb2.SignedCommitStatusRequest(request=inner, signature=client.sign(inner))
        answer = self.call(label, self.connections.gateway(self.clients[who].msp_id).CommitStatus, request)
        if answer is not None:
            name = transaction_pb2.TxValidationCode.Name(answer.result)
            self.observe(label, [name, answer.block_number - self.base])

    def commit(self, label: str, script: Script, who: str = ALPHA, **options: Any) -> str:
        """Endorse through the gateway, submit, wait: everything is observed; the transaction's id."""
        envelope = self.prepare(f"{label}: endorse", script, who, **options)
        return self.submit(label, envelope, who) if envelope is not None else ""

    def together(self, label: str, envelopes: Sequence[Any], who: str = ALPHA) -> None:
        """Order envelopes in one block, in this order; their codes are observed.

        They go to one orderer over one stream, for a gateway chooses an orderer anew each time.
        """
        identifiers = [
            Transaction.from_envelope(item.SerializeToString()).transaction_id for item in envelopes
        ]
        answers = self.connections.orderer().Broadcast(iter(envelopes), timeout=SECONDS)
        assert [answer.status for answer in answers] == [OK] * len(envelopes)
        for number, identifier in enumerate(identifiers, start=1):
            self.status(f"{label}: {number}", identifier, who)
        self.settle()

    # the ledger

    def settle(self) -> None:
        """Wait until both peers have the same blocks: a commit's status is one peer's."""
        deadline = time.monotonic() + SECONDS
        while self.height(ALPHA) != self.height(BETA):
            assert time.monotonic() < deadline, "the peers do not come to the same height"

    def wait_for_height(self, height: int) -> None:
        """Wait until both peers have so many blocks."""
        deadline = time.monotonic() + SECONDS
        while min(self.height(ALPHA), self.height(BETA)) < height:
            assert time.monotonic() < deadline, "no block came"

    def height(self, msp_id: str = ALPHA) -> int:
        """Number of blocks at an organization's peer."""
        client = self.clients[msp_id]
        proposal = client.propose(CHANNEL, "qscc", [b"GetChainInfo", CHANNEL.encode()])
        answer = self.connections.endorser(msp_id).ProcessProposal(client.signed(proposal), timeout=SECONDS)
        return int(ledger_pb2.BlockchainInfo.FromString(answer.response.payload).height)

    def new_blocks(self, label: str) -> None:
        """Observe the blocks since the scenario began: transactions with their codes and write sets."""
        seen = []
        for block in blocks(self.connections, self.clients[ALPHA], CHANNEL, self.base, self.height() - 1):
            codes = [transaction_pb2.TxValidationCode.Name(code) for code in transaction_flags(block)]
            seen.append(
                [[code, *self._rendered(data)] for code, data in zip(codes, block.data.data, strict=True)]
            )
        self.observe(label, seen)

    def _rendered(self, data: bytes) -> list[Any]:
        transaction = Transaction.from_envelope(data)
        if not transaction.results:
            return [common_pb2.HeaderType.Name(transaction.type)]
        return [self.names.text(transaction.transaction_id), rendered_rwset(transaction.results, self.names)]

    def refused(self, error: grpc.RpcError) -> dict[str, Any]:
        seen = refusal(error)
        seen["message"] = self.names.text(seen["message"])
        seen["details"] = [[msp_id, self.names.text(message)] for msp_id, message in seen["details"]]
        return seen


def arguments(script: Script) -> list[bytes]:
    """A script as the probe chaincode takes it."""
    return [b"probe:run", json.dumps(script).encode()]


def endorser_of(serialized: bytes) -> str:
    """MSP id of an endorser."""
    return str(identities_pb2.SerializedIdentity.FromString(serialized).mspid)
