"""A chaincode as its clients see it: evaluate and submit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from fabric_gateway.connection import Connection
from fabric_gateway.in_flight import InFlight
from fabric_gateway.proposal import Argument, Proposal, argument_bytes
from fabric_gateway.retry import NO_RETRY, ConflictRetry
from fabric_gateway.steps import run
from fabric_gateway.submission import SubmittedTransaction, accepting, submitting
from fabric_protocol.proposals import new_proposal


class Contract:
    """A chaincode on a channel; made by `Network.contract`.

    `transient` values reach the chaincode and never the ledger. `endorsing_organizations` are MSP ids whose
    peers, and no others, are asked; without them the gateway finds out by the endorsement policy.
    Arguments are bytes, or text sent as UTF-8. `proposal_time` replaces the caller's clock where a function
    needs the very time that its arguments were made from.
    """

    def __init__(self, connection: Connection, channel: str, chaincode: str) -> None:
        if not chaincode:
            raise ValueError("chaincode: got an empty string, expected a chaincode's name")
        self._connection = connection
        self.channel = channel
        self.chaincode = chaincode

    def new_proposal(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> Proposal:
        """Create a transaction proposal with a new transaction id, timed by the caller's clock."""
        proposal = new_proposal(
            channel_id=self.channel,
            chaincode=self.chaincode,
            arguments=(function.encode(), *map(argument_bytes, arguments)),
            creator=self._connection.identity,
            transient=transient,
            timestamp=proposal_time or self._connection.clock(),
        )
        return Proposal(self._connection, proposal, tuple(endorsing_organizations))

    def evaluate(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> bytes:
        """Run a function on one peer and return its result; nothing is written.

        The result is that peer's word alone.

        Raises:
            EvaluateError: the gateway refused, or the function failed on every peer asked.
        """
        return self.new_proposal(
            function,
            *arguments,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            proposal_time=proposal_time,
        ).evaluate()

    def submit_async(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
    ) -> SubmittedTransaction:
        """Endorse and submit a transaction without waiting for its commit.

        Raises:
            EndorseError: not endorsed; nothing was submitted.
            SubmitError: refused by the orderer. Where the outcome of Submit is unknown nothing is raised:
                `commit.resolve()` of what is returned finds it out.
        """
        proposal = self.new_proposal(
            function,
            *arguments,
            transient=transient,
            endorsing_organizations=endorsing_organizations,
            proposal_time=proposal_time,
        )
        return run(self._connection.transport, accepting(proposal))

    def submit(
        self,
        function: str,
        *arguments: Argument,
        transient: Mapping[str, bytes] | None = None,
        endorsing_organizations: Sequence[str] = (),
        proposal_time: datetime | None = None,
        retry: ConflictRetry = NO_RETRY,
    ) -> bytes:
        """Endorse, submit, wait until the transaction is valid on the ledger, and return its result.

        An unknown outcome of Submit is found out by the transaction id and never proposed again. `retry` says
        whether a transaction that others overtook is made anew; without it, it is not.

        Raises:
            EndorseError: not endorsed; nothing was submitted.
            SubmitError: refused by the orderer.
            CommitStatusError: submitted, and whether it is valid could not be found out.
            CommitError: committed as invalid.
        """

        def transact() -> bytes:
            proposal = self.new_proposal(
                function,
                *arguments,
                transient=transient,
                endorsing_organizations=endorsing_organizations,
                proposal_time=proposal_time,
            )
            return run(self._connection.transport, submitting(proposal))

        return retry.run(transact)

    def in_flight(self, limit: int = 100) -> InFlight:
        """Return what submits and evaluates in the background, at most `limit` at once.

        Raises:
            ValueError: a limit below 1.
        """
        return InFlight(self.new_proposal, self._connection.transport, limit)
