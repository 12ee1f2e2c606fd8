"""What an endorser checks before it simulates, in Fabric's order (`endorser.go · preProcess`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from fabric_embedded import acl
from fabric_embedded.chaincode import messages
from fabric_embedded.errors import AccessDenied, PeerRefusal
from fabric_protocol.definitions import SYSTEM_CHAINCODES
from fabric_protocol.errors import IdentityError, ProposalError, SignatureError
from fabric_protocol.policies import SignedData
from fabric_protocol.proposals import Proposal, parse_proposal

if TYPE_CHECKING:
    from fabric_protos.peer import proposal_pb2
    from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity

_REMEMBERED = 1024
_LARGEST_REMEMBERED = 2 * 2**20
# What is made of a proposal takes some times its size.
_MOST_BYTES = 8 * 2**20
_Name = tuple[int, int, bytes]


@dataclass(frozen=True)
class AdmittedProposal:
    """A proposal that may be simulated, its creator, who is valid and signed it, and its signed form.

    What all endorsers make of it alike is made once.
    """

    proposal: Proposal
    creator: Identity
    signed: proposal_pb2.SignedProposal

    @cached_property
    def hash(self) -> bytes:
        """What endorsements say they answer."""
        return self.proposal.public_parts.hash

    @cached_property
    def invocation(self) -> ChaincodeMessage:
        """What starts the chaincode that it calls. Not to be changed."""
        proposal = self.proposal
        return messages.invocation(proposal, self.signed, proposal.arguments, is_init=proposal.is_init)


class UnknownChannel(Exception):
    """The proposal is for a channel that does not exist; the only check that is answered by a response."""


class ProposalGate:
    """Checks proposals for all peers of one channel.

    All peers of this engine look at the same bytes with the same rules, so that the last proposals that were
    found good need not be checked again by the next peer.

    Parameters:
        is_known_transaction: whether an id is on the ledger.
    """

    def __init__(self, is_known_transaction: Callable[[str], bool]) -> None:
        self._is_known = is_known_transaction
        self._good: OrderedDict[_Name, AdmittedProposal] = OrderedDict()
        self._bytes = 0
        self._last: tuple[proposal_pb2.SignedProposal, _Name] | None = None

    def read(self, signed: proposal_pb2.SignedProposal, config: ChannelConfig) -> Proposal:
        """Checks 1 to 3: form, channel, content.

        Raises:
            UnknownChannel: with Fabric's text.
            PeerRefusal: PROPOSAL_MALFORMED, PROPOSAL_INVALID.
        """
        admitted = self._good.get(self._name(signed, config))
        if admitted is not None:
            return admitted.proposal
        try:
            proposal = parse_proposal(
                signed.proposal_bytes, is_known_channel=lambda name: name in ("", config.channel_id)
            )
        except ProposalError as error:
            if error.code == "CHANNEL_NOT_FOUND":
                raise UnknownChannel(error.message) from error
            raise PeerRefusal(error.code, error.message, is_filter=False) from error
        if not signed.signature:
            raise PeerRefusal(
                "PROPOSAL_INVALID", "error validating proposal: empty signature bytes", is_filter=False
            )
        return proposal

    def admit(
        self, signed: proposal_pb2.SignedProposal, proposal: Proposal, config: ChannelConfig
    ) -> AdmittedProposal:
        """Checks 4 to 7: creator, signature, transaction id, right to propose.

        Raises:
            PeerRefusal: CREATOR_UNKNOWN, CREATOR_DENIED, TRANSACTION_DUPLICATE, ACCESS_DENIED.
        """
        name = self._name(signed, config)
        admitted = self._good.get(name)
        if admitted is None:
            creator = _check_creator(proposal, signed.signature, config)
            self._check_unknown(proposal)
            _check_right(proposal, creator, signed.signature, config)
            admitted = AdmittedProposal(proposal, creator, signed)
            self._remember(name, admitted)
        else:
            self._check_unknown(proposal)
        return admitted

    def _name(self, signed: proposal_pb2.SignedProposal, config: ChannelConfig) -> _Name:
        """What stands for these bytes under this configuration; asked for twice by each peer."""
        last = self._last
        if last is not None and last[0] is signed and last[1][0] == config.sequence:
            return last[1]
        data = signed.proposal_bytes
        # With the length nothing can move from the proposal to its signature.
        name = (config.sequence, len(data), sha256(data + signed.signature).digest())
        self._last = (signed, name) if len(data) <= _LARGEST_REMEMBERED else None
        return name

    def _check_unknown(self, proposal: Proposal) -> None:
        if self._is_known(proposal.transaction_id):
            raise PeerRefusal(
                "TRANSACTION_DUPLICATE",
                f"duplicate transaction found [{proposal.transaction_id}]. "
                f"Creator [{proposal.creator.hex()}]",
                is_filter=False,
            )

    def _remember(self, name: _Name, admitted: AdmittedProposal) -> None:
        size = len(admitted.proposal.data)
        if size > _LARGEST_REMEMBERED or admitted.proposal.transient:
            # Transient data is in memory no longer than it is needed.
            self._last = None
            return
        self._good[name] = admitted
        self._bytes += size
        while len(self._good) > _REMEMBERED or self._bytes > _MOST_BYTES:
            _, oldest = self._good.popitem(last=False)
            self._bytes -= len(oldest.proposal.data)


def admit_without_channel(
    signed: proposal_pb2.SignedProposal, proposal: Proposal, config: ChannelConfig, msp_id: str
) -> AdmittedProposal:
    """Check a proposal that names no channel: only members of the peer's own organization make such ones.

    Parameters:
        signed: as received.
        proposal: as `ProposalGate.read` read it.
        config: whose MSPs judge.
        msp_id: of the peer's organization.

    Raises:
        PeerRefusal: CREATOR_UNKNOWN, CREATOR_DENIED.
    """
    creator = _check_creator(proposal, signed.signature, config, msp_id)
    return AdmittedProposal(proposal, creator, signed)


def _check_creator(
    proposal: Proposal, signature: bytes, config: ChannelConfig, msp_id: str | None = None
) -> Identity:
    denied = f"error validating proposal: access denied: channel [{proposal.channel_id}] creator org"
    try:
        creator = config.msps.deserialize(proposal.creator)
        if msp_id is not None and creator.msp_id != msp_id:
            raise IdentityError("MSP_UNKNOWN", f"expected MSP ID {msp_id}, received {creator.msp_id}")
    except IdentityError as error:
        raise PeerRefusal(
            "CREATOR_UNKNOWN", f"{denied} unknown, creator is malformed", is_filter=False
        ) from error
    try:
        config.msps.validate(creator)
        config.msps.signatures.verify(creator, signature, proposal.data)
    except (IdentityError, SignatureError) as error:
        raise PeerRefusal("CREATOR_DENIED", f"{denied} [{creator.msp_id}]", is_filter=False) from error
    return creator


def _check_right(proposal: Proposal, creator: Identity, signature: bytes, config: ChannelConfig) -> None:
    if proposal.chaincode in SYSTEM_CHAINCODES:
        return
    policy = config.policies.policy(acl.CHANNEL_POLICIES[acl.PROPOSE])
    # The signature holds already: the usual case need not check it once more.
    if acl.PROPOSE not in config.acls and policy.evaluate_identities([creator]):
        return
    signed = SignedData(data=proposal.data, identity=proposal.creator, signature=signature)
    try:
        acl.check_access(config, acl.PROPOSE, signed)
    except AccessDenied as error:
        raise PeerRefusal(error.code, error.message, is_filter=False) from error
