"""Where a scenario is played: clients of both organizations on one engine, and what was observed."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import transaction_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.json_format import MessageToDict
from support.conformance.connections import SECONDS, Client, Connections, blocks, refusal, seek_info
from support.conformance.engines import ALPHA, BETA, CHAINCODE, CHANNEL, RunningEngine
from support.conformance.rendering import Names, rendered_endorsement, rendered_event, rendered_rwset
from support.conformance.second import POLICY, second_service

from fabric_protocol.blocks import transaction_flags
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.proposals import Proposal
from fabric_protocol.transactions import Transaction

Script = Sequence[Sequence[Any]]
BOTH = (ALPHA, BETA)
OK = 200


class Bench:
    """Plays on one engine; `observed` has the answers of the scenario that runs, by their labels."""

    def __init__(self, engine: RunningEngine, clients: Mapping[str, Client], connections: Connections) -> None:
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

    # proposals

    def proposal(self, script: Script, who: str = ALPHA, chaincode: str = CHAINCODE, **options: Any) -> Proposal:
        """A proposal of a script by an organization's client."""
        return self.named(self.clients[who].propose(CHANNEL, chaincode, arguments(script), **options))

    def named(self, proposal: Proposal) -> Proposal:
        """Give the transaction its name for what is observed."""
        self.names.transaction(proposal.transaction_id)
        return proposal

    def endorse(self, label: str, proposal: Proposal, at: Sequence[str] = (ALPHA,), who: str = ALPHA) -> list[Any]:
        """Ask peers' Endorser services; their answers are observed and returned."""
        signed = self.clients[who].signed(proposal)
        answers, seen = [], []
        for msp_id in at:
            try:
                answer = self.connections.endorser(msp_id).ProcessProposal(signed, timeout=SECONDS)
            except grpc.RpcError as error:
                seen.append(self._refused(error))
                continue
            answers.append(answer)
            seen.append(self._answered(answer))
        self.observe(label, seen[0] if len(seen) == 1 else seen)
        return answers

    def _answered(self, answer: Any) -> dict[str, Any]:
        if answer.payload:
            return rendered_endorsement(answer.payload, self.names)
        response = answer.response
        return {"response": [response.status, self.names.text(response.message), self.names.data(response.payload)]}

    # the gateway

    def evaluate(self, label: str, script: Script, who: str = ALPHA, **options: Any) -> None:
        """Gateway.Evaluate."""
        targets = options.pop("targets", ())
        channel = options.pop("channel", CHANNEL)
        proposal = self.named(
            self.clients[who].propose(channel, options.pop("chaincode", CHAINCODE), arguments(script), **options)
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
            self.observe(label, self._refused(error))
            return None
        if isinstance(answer, gateway_pb2.EvaluateResponse):
            result = answer.result
            self.observe(label, [result.status, self.names.text(result.message), self.names.data(result.payload)])
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
        payload = answer.prepared_transaction.payload
        envelope = signed_envelope(payload, client.sign(payload))
        transaction = Transaction.from_envelope(envelope.SerializeToString())
        seen = rendered_endorsement(transaction.response_payload, self.names)
        signers = sorted(endorser_of(item.endorser) for item in transaction.endorsements)
        self.observe(label, seen | {"endorsers": signers})
        return envelope

    def assembled(self, proposal: Proposal, answers: Sequence[Any], who: str = ALPHA) -> Any:
        """An envelope of endorsements that were collected by hand."""
        payload = assemble_transaction(proposal.data, answers[0].payload, [item.endorsement for item in answers])
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
        identifiers = [Transaction.from_envelope(item.SerializeToString()).transaction_id for item in envelopes]
        answers = self.connections.orderer().Broadcast(iter(envelopes), timeout=SECONDS)
        assert [answer.status for answer in answers] == [OK] * len(envelopes)
        for number, identifier in enumerate(identifiers, start=1):
            self.status(f"{label}: {number}", identifier, who)
        self.settle()

    # streams

    def chaincode_events(
        self, label: str, *, until: str = "", who: str = ALPHA, channel: str = CHANNEL
    ) -> None:
        """Gateway.ChaincodeEvents from the scenario's start until an event of that name."""
        client = self.clients[who]
        inner = gateway_pb2.ChaincodeEventsRequest(
            channel_id=channel,
            chaincode_id=CHAINCODE,
            identity=client.identity.serialized,
            start_position=seek_info(self.base, None).start,
        ).SerializeToString()
        request = gateway_pb2.SignedChaincodeEventsRequest(request=inner, signature=client.sign(inner))
        stream = self.connections.gateway(self.clients[who].msp_id).ChaincodeEvents(request, timeout=SECONDS)
        seen = []
        try:
            for answer in stream:
                found = [
                    [rendered_event(event.SerializeToString(), self.names), answer.block_number - self.base]
                    for event in answer.events
                ]
                seen += found
                if any(item[0][2] == until for item in found):
                    break
        except grpc.RpcError as error:
            seen.append(self._refused(error))
        stream.cancel()
        self.observe(label, seen)

    def filtered_blocks(self, label: str) -> None:
        """DeliverFiltered since the scenario's start."""
        envelope = self.clients[ALPHA].seek(CHANNEL, seek_info(self.base, self.height() - 1))
        seen: list[Any] = []
        for answer in self.connections.deliver(ALPHA).DeliverFiltered(iter([envelope]), timeout=SECONDS):
            if answer.WhichOneof("Type") != "filtered_block":
                seen.append(common_pb2.Status.Name(answer.status))
                continue
            seen.append([self._filtered(item) for item in answer.filtered_block.filtered_transactions])
        self.observe(label, seen)

    def _filtered(self, item: Any) -> list[Any]:
        events = [
            rendered_event(action.chaincode_event.SerializeToString(), self.names)
            for action in item.transaction_actions.chaincode_actions
        ]
        kind, code = common_pb2.HeaderType.Name(item.type), transaction_pb2.TxValidationCode.Name(item.tx_validation_code)
        return [self.names.text(item.txid), kind, code, events]

    def deliver(self, label: str, method: Any, envelope: Any) -> None:
        """What a Deliver service answers, blocks by their place in it."""
        seen = []
        try:
            for answer in method(iter([envelope]), timeout=SECONDS):
                kind = answer.WhichOneof("Type")
                seen.append(common_pb2.Status.Name(answer.status) if kind == "status" else str(kind))
                if kind == "status":
                    break
        except grpc.RpcError as error:
            seen.append(self._refused(error))
        self.observe(label, seen)

    def process(self, label: str, endorser: Any, signed: Any) -> None:
        """ProcessProposal of any message."""
        try:
            self.observe(label, self._answered(endorser.ProcessProposal(signed, timeout=SECONDS)))
        except grpc.RpcError as error:
            self.observe(label, self._refused(error))

    # lifecycle

    def lifecycle(
        self, label: str, who: str, function: str, message: Any, at: Sequence[str] = (ALPHA,)
    ) -> list[Any]:
        """A call of `_lifecycle` at these peers."""
        return self.lifecycle_bytes(label, who, function, message.SerializeToString(), at)

    def lifecycle_bytes(
        self, label: str, who: str, function: str, argument: bytes, at: Sequence[str] = (ALPHA,)
    ) -> list[Any]:
        """As `lifecycle`, with any argument."""
        proposal = self.named(self.clients[who].propose(CHANNEL, "_lifecycle", [function.encode(), argument]))
        answers = self.endorse(label, proposal, at, who)
        # Results are maps, whose entries Go puts in any order.
        kind = getattr(lifecycle_pb2, f"{function}Result", None)
        seen = self.observed[label] if len(at) > 1 else [self.observed[label]]
        for item, answer in zip(seen, answers, strict=False):
            if kind is not None and answer.response.status == OK:
                content = MessageToDict(kind.FromString(answer.response.payload))
                item["response"][2] = json.loads(self.names.text(json.dumps(content)))
        return answers

    def approve(self, label: str, msp_id: str, message: Any) -> None:
        """An organization's administrator approves at his own peer."""
        self._define(label, f"{msp_id} admin", "ApproveChaincodeDefinitionForMyOrg", message, (msp_id,))

    def commit_definition(self, label: str, message: Any) -> None:
        """Alpha's administrator commits at both peers."""
        self._define(label, f"{ALPHA} admin", "CommitChaincodeDefinition", message, BOTH)

    def _define(self, label: str, who: str, function: str, message: Any, at: Sequence[str]) -> None:
        client = self.clients[who]
        proposal = self.named(
            client.propose(CHANNEL, "_lifecycle", [function.encode(), message.SerializeToString()])
        )
        answers = self.endorse(f"{label}: endorse", proposal, at, who)
        if len(answers) == len(at) and all(item.response.status == OK for item in answers):
            self.submit(label, self.assembled(proposal, answers, who), who)

    def deployed(self, name: str) -> str:
        """Deploy a second probe chaincode and begin anew; its name. Its service ends with the bench."""
        package = self.services.enter_context(second_service(name, self.directory))
        install = lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=package.data)
        definition = {"name": name, "version": "1", "sequence": 1, "validation_parameter": POLICY}
        approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**definition)
        approve.source.local_package.package_id = package.package_id
        for msp_id in BOTH:
            client = self.clients[f"{msp_id} admin"]
            proposal = client.propose(CHANNEL, "_lifecycle", [b"InstallChaincode", install.SerializeToString()])
            answer = self.connections.endorser(msp_id).ProcessProposal(client.signed(proposal), timeout=SECONDS)
            assert answer.response.status == OK, answer.response.message
            self.approve(f"approval by {msp_id}", msp_id, approve)
        self.commit_definition("definition", lifecycle_pb2.CommitChaincodeDefinitionArgs(**definition))
        self._wait_for(name)
        # What was observed names a package, and that one's certificates are new each time.
        self.begin()
        return name

    def _wait_for(self, chaincode: str) -> None:
        """Gateways plan by what discovery knows of every peer, which takes gossip a moment."""
        deadline = time.monotonic() + SECONDS
        while True:
            proposal = self.clients[ALPHA].propose(CHANNEL, chaincode, arguments([["get", "k"]]))
            request = gateway_pb2.EndorseRequest(
                transaction_id=proposal.transaction_id,
                channel_id=CHANNEL,
                proposed_transaction=self.clients[ALPHA].signed(proposal),
            )
            try:
                self.connections.gateway(ALPHA).Endorse(request, timeout=SECONDS)
                return
            except grpc.RpcError as error:
                if time.monotonic() > deadline:
                    raise AssertionError(refusal(error)) from error
                time.sleep(0.1)

    # the ledger

    def settle(self) -> None:
        """Wait until both peers have the same blocks: a commit's status is one peer's."""
        deadline = time.monotonic() + SECONDS
        while self.height(ALPHA) != self.height(BETA):
            assert time.monotonic() < deadline, "the peers do not come to the same height"

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
                [
                    [code, *self._rendered(data)]
                    for code, data in zip(codes, block.data.data, strict=True)
                ]
            )
        self.observe(label, seen)

    def _rendered(self, data: bytes) -> list[Any]:
        transaction = Transaction.from_envelope(data)
        if not transaction.results:
            return [common_pb2.HeaderType.Name(transaction.type)]
        return [self.names.text(transaction.transaction_id), rendered_rwset(transaction.results, self.names)]

    def _refused(self, error: grpc.RpcError) -> dict[str, Any]:
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


def open_bench(engine: RunningEngine) -> Bench:
    """A bench with one client of each organization and its administrators (`<MSP id> admin`)."""
    clients = {msp_id: Client(engine.enrolled(msp_id, f"client-of-{msp_id.lower()}")) for msp_id in BOTH}
    clients |= {f"{msp_id} admin": Client(engine.administrator(msp_id)) for msp_id in BOTH}
    return Bench(engine, clients, Connections(engine.profile))


