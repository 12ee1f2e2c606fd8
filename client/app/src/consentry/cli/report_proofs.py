"""``--proofs``: a report carries the blocks behind its rows, and what proves them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consentry.cli.output import note
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.cli.context import CommandContext
    from consentry.reports import Report


def with_proofs(context: CommandContext, report: Report) -> Report:
    """A report whose evidence carries the proofs of its blocks, each block once.

    Raises:
        InputRejected: NOTHING_TO_PROVE, it names no record of the ledger.
        LedgerUnreachable: a block could not be read.
    """
    from consentry.proofs import ask_for_statement, make_bundle
    from consentry.verification.peers import live_peers

    evidence, profile = report.evidence, context.profile
    if evidence is None or not evidence.blocks:
        raise InputRejected("NOTHING_TO_PROVE", "The report names no record of the ledger.")
    with live_peers(profile, context.identity, [context.organization.msp_id]) as (peer,):
        network = peer.network
        made = make_bundle(
            lambda number: next(network.blocks(number, number)),
            lambda msp_id, number: ask_for_statement(network, msp_id, number),
            profile.organizations,
            blocks=evidence.blocks,
            namespace=profile.chaincode,
        )
    if made.silent:
        note(f"No statement came from {', '.join(made.silent)}.")
    return replace(report, evidence=replace(evidence, proofs=made.data))
