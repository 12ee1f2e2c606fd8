"""From a proposal to a transaction that is valid on the ledger, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_gateway.commit import Commit
from fabric_gateway.errors import CommitError, SubmitError
from fabric_gateway.proposal import Proposal
from fabric_gateway.steps import Steps


@dataclass(frozen=True, slots=True)
class SubmittedTransaction:
    """A transaction accepted for ordering: the chaincode's result, and a handle to learn its status."""

    result: bytes
    commit: Commit


def accepting(proposal: Proposal) -> Steps[SubmittedTransaction]:
    """Have a proposal endorsed, and what comes of it accepted for ordering.

    Where the outcome of Submit is unknown nothing is raised: the commit's status tells.
    """
    transaction = yield from proposal._endorsing()
    commit = transaction.prepare_commit()
    try:
        yield from transaction._submitting()
    except SubmitError as error:
        if not error.outcome_unknown:
            raise
    return SubmittedTransaction(transaction.result, commit)


def submitting(proposal: Proposal) -> Steps[bytes]:
    """Have a proposal endorsed, ordered and committed; the chaincode's result once it is valid."""
    submitted = yield from accepting(proposal)
    status = yield from submitted.commit._resolving()
    if not status.successful:
        raise CommitError(status)
    return submitted.result
