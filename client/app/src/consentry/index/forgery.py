"""Whether a record's own custodian endorsed it.

A key's first write stands under the chaincode's policy alone (DESIGN §9), so the other organizations
together could write a record in a custodian's name. Whoever relies on one asks for the custodian's signature.
"""

from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import split_identity
from fabric_protocol.msp import MspManager
from fabric_protocol.policies import SignaturePolicy
from fabric_protocol.policy_building import signed_by_n_of
from fabric_protocol.transactions import Transaction


class EndorsementCheck:
    """Checks endorsements of one organization's peers under one channel configuration.

    Args:
        msps: the organizations' authorities, as configured when the transaction was committed.
    """

    def __init__(self, msps: MspManager) -> None:
        self._msps = msps
        self._policies: dict[str, SignaturePolicy] = {}

    def holds(self, transaction: Transaction, msp_id: str) -> bool:
        """Whether a peer of ``msp_id`` validly endorsed the transaction.

        Fabric counts only the signatures that a policy needs and skips bad ones, so a named endorser proves
        nothing until its signature is checked.
        """
        if not msp_id:
            return False
        signed = [item for item in transaction.signed_endorsements if _names(item.identity, msp_id)]
        return bool(signed) and self._policy(msp_id).evaluate(signed)

    def _policy(self, msp_id: str) -> SignaturePolicy:
        if msp_id not in self._policies:
            self._policies[msp_id] = SignaturePolicy(signed_by_n_of(1, [msp_id]), self._msps)
        return self._policies[msp_id]


def _names(endorser: bytes, msp_id: str) -> bool:
    try:
        return split_identity(endorser)[0] == msp_id
    except ProtocolError:
        return False
