"""The officer's side: the same bytes decoded, shown, confirmed, and each step signed by his own key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from consentry.errors import (
    ConsentryError,
    LedgerRefused,
    NetworkRefused,
    TransactionInvalid,
)
from consentry.identity import WalletIdentity
from consentry.transactions import CONFLICT_TRIES, Transactions
from consentry.web.actions import Action, ActionRefused, Statement, Words, described
from consentry.web.signing.server_connection import RelayTransport, ServerConnection
from consentry_records.instants import parse_instant
from fabric_gateway import Clock, Gateway

FRESH = timedelta(minutes=15)
_AHEAD = timedelta(minutes=1)
_FINAL = (LedgerRefused, NetworkRefused, TransactionInvalid)


def checked_action(
    action: Action, identity: WalletIdentity, channel: str, chaincode: str, now: datetime, words: Words
) -> Statement:
    """Return an action in words, once it is one that this identity may sign here and now.

    Raises:
        ActionRefused: ACTION_OF_OTHER, ACTION_ELSEWHERE, ACTION_STALE; and what `described` raises.
    """
    if action.creator != identity.serialized:
        raise ActionRefused(
            "ACTION_OF_OTHER",
            "the action is to be signed by another certificate than the one in the wallet; "
            "sign in with this one, or renew it",
        )
    if (action.channel, action.chaincode) != (channel, chaincode):
        raise ActionRefused(
            "ACTION_ELSEWHERE", f"the action is not of channel {channel} and chaincode {chaincode}"
        )
    if not -_AHEAD <= now - parse_instant(action.created_at) <= FRESH:
        raise ActionRefused(
            "ACTION_STALE",
            f"the action was made at {action.created_at}, not within the last "
            f"{FRESH // timedelta(minutes=1)} minutes by this machine's clock; make it anew",
        )
    return described(action, words)


class Signer:
    """Signs the actions of one identity, whose network's channel and chaincode are known."""

    def __init__(self, identity: WalletIdentity, channel: str, chaincode: str, clock: Clock) -> None:
        self._identity = identity
        self._channel = channel
        self._chaincode = chaincode
        self._clock = clock

    def sign(
        self,
        connection: ServerConnection,
        code: str,
        words: Words,
        confirm: Callable[[Statement], bool],
    ) -> Iterator[str]:
        """Fetch the action of a code, have it confirmed, sign it; yield the functions as they are committed.

        Nothing is signed of what `confirm` declines.

        Raises:
            ActionRefused: it is none to be signed here; or DECLINED.
            LedgerRefused, NetworkRefused, TransactionInvalid: no effect; the server is told.
            OutcomeUnknown: it may be on the ledger; look its id up.
        """
        action, done = connection.fetch(code)
        statement = checked_action(
            action, self._identity, self._channel, self._chaincode, self._clock(), words
        )
        if not confirm(statement):
            connection.decline(code)
            raise ActionRefused("DECLINED", "nothing was signed")
        gateway = Gateway(
            RelayTransport(connection, code),
            identity=self._identity.serialized,
            signer=self._identity.signer,
            clock=self._clock,
        )
        transactions = Transactions(gateway.network(self._channel).contract(self._chaincode))
        for call in action.calls[done:]:
            function, argument = (value.decode() for value in call.arguments)
            try:
                transactions.submit(
                    function,
                    argument,
                    transient=call.transient or None,
                    endorsers=call.endorsers,
                    tries=CONFLICT_TRIES,
                )
            except _FINAL:
                _tell(connection, code)
                raise
            yield function


def _tell(connection: ServerConnection, code: str) -> None:
    """The page is to say that it is over; the ledger's own refusal is what matters to who signs."""
    with suppress(ConsentryError):
        connection.decline(code, is_refused=True)
