"""Running chaincode for proposals: the proposal's own, and those that it calls (`core/chaincode`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fabric_protos.peer import chaincode_pb2, proposal_response_pb2
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError

from fabric_embedded import acl
from fabric_embedded.chaincode import messages
from fabric_embedded.chaincode.execution import Execution
from fabric_embedded.chaincode.messages import Type
from fabric_embedded.chaincode.private_access import PrivateAccess
from fabric_embedded.chaincode.puts import KnownPuts
from fabric_embedded.endorsement.chaincodes import definition_reader
from fabric_embedded.errors import AccessDenied, ChaincodeError
from fabric_embedded.system.calls import SystemCall, UnsayableText
from fabric_protocol.definitions import (
    LEGACY_NAMESPACE,
    LIFECYCLE_NAMESPACE,
    SYSTEM_CHAINCODES,
    Definition,
)
from fabric_protocol.errors import SimulationError
from fabric_protocol.policies import SignedData
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.simulation import SimulationResults, Simulator

if TYPE_CHECKING:
    from fabric_embedded.chaincode.link import ChaincodeLink
    from fabric_embedded.endorsement.admission import AdmittedProposal
    from fabric_embedded.endorsement.chaincodes import InstalledChaincodes
    from fabric_embedded.storage.snapshots import Snapshot
    from fabric_embedded.system.calls import SystemChaincode
    from fabric_protocol.channel_config import ChannelConfig

EXECUTION_SECONDS = 30.0
"""How long one run may take (`chaincode.executetimeout`)."""

_SYSTEM_VERSION = "syscc"
_NO_LEGACY_LIFECYCLE = (
    "could not launch chaincode lscc.syscc: error building chaincode: error building image: failed to get "
    "chaincode package for external build: could not get legacy chaincode package 'lscc.syscc': open "
    "/var/hyperledger/production/chaincodes/lscc.syscc: no such file or directory"
)
"""Fabric 3 knows `lscc` as a system chaincode and has none to run; its peers say so, with a path."""

_UNSAYABLE = "failed to marshal response: string field contains invalid UTF-8"
_NO_RESULTS = SimulationResults(b"", None, ReadWriteSet(), None, ())


class RunResult(NamedTuple):
    """What a proposal came to: a chaincode's response, and what it read and wrote."""

    response: proposal_response_pb2.Response
    event_name: str
    event_payload: bytes
    has_event: bool
    results: SimulationResults
    version: str


class SimulationFailed(Exception):
    """The proposal is answered with status 500 and this text, without payload."""


class ChaincodeRunner:
    """Runs proposals for one peer.

    Parameters:
        msp_id: of the peer's organization.
        installed: its chaincodes.
        system: its system chaincodes, by name.
        known_puts: shared by all peers; one of its own if left out.
        execution_seconds: how long one run may take.
    """

    def __init__(
        self,
        msp_id: str,
        installed: InstalledChaincodes,
        system: Mapping[str, SystemChaincode],
        *,
        known_puts: KnownPuts | None = None,
        execution_seconds: float = EXECUTION_SECONDS,
    ) -> None:
        self._msp_id = msp_id
        self._installed = installed
        self.system = system
        self.known_puts = known_puts or KnownPuts()
        self.execution_seconds = execution_seconds

    async def run(
        self,
        admitted: AdmittedProposal,
        snapshot: Snapshot,
        config: ChannelConfig,
    ) -> RunResult:
        """Simulate an admitted proposal.

        Raises:
            SimulationFailed: with Fabric's text.
        """
        proposal = admitted.proposal
        if not proposal.channel_id and proposal.chaincode not in SYSTEM_CHAINCODES:
            raise SimulationFailed(
                f"make sure the chaincode {proposal.chaincode} has been successfully defined on channel  and "
                "try again: could not get channel config for channel ''"
            )
        simulator = Simulator(
            snapshot.state,
            snapshot.private[self._msp_id],
            transaction_id=proposal.transaction_id,
            msp_ids=config.msps.msp_ids,
            known=snapshot.known_results,
        )
        if proposal.chaincode == LEGACY_NAMESPACE:
            raise _failed(proposal.transaction_id, _NO_LEGACY_LIFECYCLE)
        if proposal.chaincode in self.system:
            return await self._run_system(admitted, snapshot, config, simulator)
        try:
            definition, link = self.find(proposal.chaincode, simulator, snapshot)
        except ChaincodeError as error:
            raise SimulationFailed(
                f"make sure the chaincode {proposal.chaincode} has been successfully defined on channel "
                f"{config.channel_id} and try again: {error.message}"
            ) from error
        run = _Run(self, admitted, simulator, snapshot, config)
        try:
            simulator.check_initialization(definition, is_init=proposal.is_init)
        except SimulationError as error:
            raise _failed(proposal.transaction_id, f"invalid invocation: {error.message}") from error
        execution = run.execution(proposal.chaincode, admitted.invocation, is_init=proposal.is_init)
        message = await self._execute(execution, link)
        event = message.chaincode_event
        return RunResult(
            _response(message),
            event.event_name,
            event.payload,
            message.HasField("chaincode_event"),
            simulator.results(),
            definition.version,
        )

    async def _run_system(
        self,
        admitted: AdmittedProposal,
        snapshot: Snapshot,
        config: ChannelConfig,
        simulator: Simulator,
    ) -> RunResult:
        proposal = admitted.proposal
        own = simulator if proposal.channel_id else None
        call = SystemCall(proposal.arguments, admitted, config, snapshot, own)
        try:
            response = await self.system[proposal.chaincode].invoke(call)
        except UnsayableText as error:
            text = f"error in simulation: transaction returned with failure: {_UNSAYABLE}"
            raise SimulationFailed(text) from error
        # What asks only (qscc, cscc) has no simulation in Fabric, and so no results at all.
        results = simulator.results() if proposal.chaincode == LIFECYCLE_NAMESPACE else _NO_RESULTS
        return RunResult(response, "", b"", False, results, _SYSTEM_VERSION)

    def find(self, name: str, simulator: Simulator, snapshot: Snapshot) -> tuple[Definition, ChaincodeLink]:
        """A chaincode's definition and service, noting in the read set that it was used.

        Raises:
            ChaincodeError: it is not defined, not approved or not installed here.
        """
        definition = None if name in SYSTEM_CHAINCODES else simulator.use_chaincode(name)
        if definition is None:
            raise ChaincodeError("CHAINCODE_NOT_FOUND", f"chaincode {name} not found")
        return definition, self._installed.link(name, snapshot, definition_reader(snapshot.state, name))

    async def _execute(self, execution: Execution, link: ChaincodeLink) -> ChaincodeMessage:
        transaction_id = execution.proposal.transaction_id
        try:
            message = await link.execute(execution, self.execution_seconds)
        except ChaincodeError as error:
            raise _failed(transaction_id, _sending(error)) from error
        if message.type == Type.ERROR:
            text = message.payload.decode("utf-8", "replace")
            raise SimulationFailed(f"error in simulation: transaction returned with failure: {text}")
        return message


@dataclass(frozen=True)
class _Run:
    """One proposal's simulation, in which several chaincodes may take part."""

    runner: ChaincodeRunner
    admitted: AdmittedProposal
    simulator: Simulator
    snapshot: Snapshot
    config: ChannelConfig

    def execution(self, chaincode: str, invocation: ChaincodeMessage, *, is_init: bool) -> Execution:
        """The context for one chaincode of this simulation."""
        return Execution(
            chaincode=chaincode,
            proposal=self.admitted.proposal,
            invocation=invocation,
            simulator=self.simulator,
            blocks=self.snapshot.blocks,
            access=PrivateAccess(self.admitted.creator, self.simulator, self.config, is_init=is_init),
            invoke=self.invoke,
            known_puts=self.runner.known_puts,
        )

    async def invoke(self, caller: Execution, specification: chaincode_pb2.ChaincodeSpec) -> ChaincodeMessage:
        """Run another chaincode of this channel for a chaincode; its event is dropped.

        Raises:
            ChaincodeError: with Fabric's text.
        """
        name, channel_id = _target(specification.chaincode_id.name)
        if channel_id not in ("", self.config.channel_id):
            # The right to call is asked for first, and system chaincodes are called without it.
            missing = f"Failed to get policy manager for channel [{channel_id}]"
            if name in SYSTEM_CHAINCODES:
                missing = f"failed to find ledger for channel: {channel_id}"
            raise ChaincodeError("CHANNEL_NOT_FOUND", missing)
        arguments = tuple(specification.input.args)
        if name in SYSTEM_CHAINCODES:
            return await self._invoke_system(name, arguments)
        self._check_right()
        link = self._find_called(name)
        admitted = self.admitted
        invocation = messages.invocation(admitted.proposal, admitted.signed, arguments, is_init=False)
        execution = self.execution(name, invocation, is_init=False)
        try:
            message = await link.execute(execution, self.runner.execution_seconds)
        except ChaincodeError as error:
            raise ChaincodeError(error.code, f"execute failed: {_sending(error)}") from error
        message.ClearField("chaincode_event")
        return message

    def _find_called(self, name: str) -> ChaincodeLink:
        try:
            definition, link = self.runner.find(name, self.simulator, self.snapshot)
        except ChaincodeError as error:
            text = (
                f"execute failed: invalid invocation: [channel {self.config.channel_id}] failed to get "
                f"chaincode container info for {name}: {error.message}"
            )
            raise ChaincodeError(error.code, text) from error
        try:
            self.simulator.check_initialization(definition, is_init=False)
        except SimulationError as error:
            text = f"execute failed: invalid invocation: {error.message}"
            raise ChaincodeError(error.code, text) from error
        return link

    async def _invoke_system(self, name: str, arguments: tuple[bytes, ...]) -> ChaincodeMessage:
        if name == LEGACY_NAMESPACE:
            raise ChaincodeError("LAUNCH_FAILED", f"execute failed: {_NO_LEGACY_LIFECYCLE}")
        call = SystemCall(arguments, self.admitted, self.config, self.snapshot, self.simulator)
        try:
            response = await self.runner.system[name].invoke(call)
        except UnsayableText:
            kind, payload = Type.ERROR, _UNSAYABLE.encode()
        else:
            kind, payload = Type.COMPLETED, response.SerializeToString()
        return ChaincodeMessage(
            type=kind,
            payload=payload,
            txid=self.admitted.proposal.transaction_id,
            channel_id=self.config.channel_id,
        )

    def _check_right(self) -> None:
        if acl.CHAINCODE_TO_CHAINCODE not in self.config.acls and acl.PROPOSE not in self.config.acls:
            return  # the same policy that the proposal has passed already
        proposal = self.admitted.proposal
        signed = SignedData(proposal.data, proposal.creator, self.admitted.signed.signature)
        try:
            acl.check_access(self.config, acl.CHAINCODE_TO_CHAINCODE, signed)
        except AccessDenied as error:
            raise ChaincodeError(error.code, error.message) from error


def _sending(error: ChaincodeError) -> str:
    return error.message if error.code == "LAUNCH_FAILED" else f"error sending: {error.message}"


def _target(name: str) -> tuple[str, str]:
    """(chaincode, channel) of `name[:version][/channel]`."""
    name, _, channel_id = name.partition("/")
    return name.partition(":")[0], channel_id


def _response(message: ChaincodeMessage) -> proposal_response_pb2.Response:
    try:
        return proposal_response_pb2.Response.FromString(message.payload)
    except DecodeError as error:
        raise SimulationFailed(
            "error in simulation: failed to unmarshal response for transaction " + message.txid
        ) from error


def _failed(transaction_id: str, text: str) -> SimulationFailed:
    return SimulationFailed(f"error in simulation: failed to execute transaction {transaction_id}: {text}")
