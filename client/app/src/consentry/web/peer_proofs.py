"""Proof files through the own organization's peer."""

from __future__ import annotations

from consentry.errors import InputRejected
from consentry.index import ChangeRow
from consentry.ledger import Ledger
from consentry.proofs import ProofRefused, ask_for_statement, make_proof, verify_proof
from consentry.web.proving import Proved


class PeerProver:
    """Asks the own peer for blocks, and every organization's peers for their statements."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        profile = ledger.profile
        self._anchor = profile.kept_anchor(profile.organization(ledger.identity.msp_id).name)

    def prove(self, change: ChangeRow) -> Proved:
        """Make the proof of one write and check it from the kept anchor.

        Raises:
            InputRejected: PROOF_REFUSED, TRANSACTION_UNKNOWN.
            LedgerUnreachable: the own peer does not answer.
        """
        profile, network = self._ledger.profile, self._ledger.network
        made = make_proof(
            lambda number: next(self._ledger.blocks(number, number)),
            lambda msp_id, number: ask_for_statement(network, msp_id, number),
            profile.organizations,
            channel=profile.channel,
            block=change.block,
            transaction_id=change.transaction_id,
            namespace=profile.chaincode,
            key=f"{change.kind}/{change.record_id}",
        )
        try:
            verify_proof(made.data, self._anchor)
        except ProofRefused as refusal:
            raise InputRejected("PROOF_REFUSED", f"the record cannot be proved ({refusal.code})") from refusal
        stated = tuple(sorted(set(profile.organizations) - set(made.silent)))
        return Proved(made.data, stated, made.silent, self._anchor is not None)
