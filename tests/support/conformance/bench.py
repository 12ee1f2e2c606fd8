"""The bench that scenarios play on, with streams and the chaincode lifecycle."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import transaction_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.json_format import MessageToDict
from support.conformance.connections import SECONDS, Client, Connections, refusal, seek_info
from support.conformance.engines import ALPHA, CHAINCODE, CHANNEL, RunningEngine
from support.conformance.gateway_bench import BOTH, OK, GatewayBench, arguments
from support.conformance.rendering import rendered_event
from support.conformance.second import POLICY, second_service


class Bench(GatewayBench):
    """Plays on one engine; see `GatewayBench`."""

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
            seen.append(self.refused(error))
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
            seen.append([self.filtered(item) for item in answer.filtered_block.filtered_transactions])
        self.observe(label, seen)

    def filtered(self, item: Any) -> list[Any]:
        events = [
            rendered_event(action.chaincode_event.SerializeToString(), self.names)
            for action in item.transaction_actions.chaincode_actions
        ]
        kind, code = (
            common_pb2.HeaderType.Name(item.type),
            transaction_pb2.TxValidationCode.Name(item.tx_validation_code),
        )
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
            seen.append(self.refused(error))
        self.observe(label, seen)

    def process(self, label: str, endorser: Any, signed: Any) -> None:
        """ProcessProposal of any message."""
        try:
            self.observe(label, self._answered(endorser.ProcessProposal(signed, timeout=SECONDS)))
        except grpc.RpcError as error:
            self.observe(label, self.refused(error))

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
            proposal = client.propose(
                CHANNEL, "_lifecycle", [b"InstallChaincode", install.SerializeToString()]
            )
            answer = self.connections.endorser(msp_id).ProcessProposal(
                client.signed(proposal), timeout=SECONDS
            )
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


def open_bench(engine: RunningEngine) -> Bench:
    """A bench with one client of each organization and its administrators (`<MSP id> admin`)."""
    clients = {msp_id: Client(engine.enrolled(msp_id, f"client-of-{msp_id.lower()}")) for msp_id in BOTH}
    clients |= {f"{msp_id} admin": Client(engine.administrator(msp_id)) for msp_id in BOTH}
    return Bench(engine, clients, Connections(engine.profile))
