"""Functions that come to the data: registered by their owner, approved by each custodian for its own data.

Example:
    ledger.functions.register(Path("train.py"), outputs={"update": ("arrays", 1 << 20)})
    steward.functions.approve(Path("train.py"), owner="RiversideMSP", versions=[version_id],
                              purposes=["DUO:0000006"], duration=timedelta(days=30))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from consentry.errors import InputRejected
from consentry.peer_lag import await_arrival
from consentry.provenance import code_digest
from consentry.transactions import Transactions, checked
from consentry_records.function import (
    Function,
    FunctionApproval,
    FunctionName,
    FunctionOutput,
    NewFunction,
    NewFunctionApproval,
)
from consentry_records.instants import format_instant
from consentry_records.settings import Settings
from fabric_gateway import Clock

_DIGEST = "sha256:"


@dataclass(frozen=True, slots=True)
class FunctionState:
    """A registered function, and the approvals of all custodians that ever approved it."""

    function: Function
    approvals: tuple[FunctionApproval, ...]

    def approval_of(self, custodian: str) -> FunctionApproval | None:
        """Return a custodian's approval (by MSP id), in force or not."""
        return next((one for one in self.approvals if one.custodian == custodian), None)


class Functions:
    """Functions on the ledger; each is named by its owner (MSP id) and its source file, or the file's digest
    (`sha256:…`).
    """

    def __init__(self, transactions: Transactions, own: str, clock: Clock) -> None:
        self._transactions = transactions
        self._own = own
        self._clock = clock

    def register(self, source: Path, *, outputs: Mapping[str, tuple[str, int]]) -> NewFunction:
        """Register a function of the own organization with all that it gives out: for each output its kind
        (a code of `function.OUTPUT_KINDS`) and the most bytes that it may have.

        Raises:
            InputRejected: CODE_UNREADABLE, a malformed output; nothing was sent.
            LedgerRefused: FUNCTION_EXISTS, ROLE_REQUIRED, …
        """
        digest = code_digest(source)
        new = checked(
            lambda: NewFunction(
                code_digest=digest,
                outputs=tuple(
                    FunctionOutput(name=name, kind=kind, maximum_bytes=most)
                    for name, (kind, most) in outputs.items()
                ),
            )
        )
        self._transactions.submit("functions:register", new)
        return new

    def approve(
        self,
        source: Path | str,
        *,
        owner: str,
        versions: Sequence[str],
        purposes: Sequence[str],
        duration: timedelta,
        not_before: datetime | None = None,
    ) -> NewFunctionApproval:
        """Approve a function for versions of the own organization; replaces an approval before.

        Left out, `not_before` lies before the present by the ledger's time tolerance, so that it can be used
        at once. Whoever approves has read the source: what it gives out leaves.

        Raises:
            InputRejected: CODE_UNREADABLE, DURATION_INVALID, a malformed argument; nothing was sent.
            LedgerRefused: FUNCTION_NOT_FOUND, NOT_CUSTODIAN, …
        """
        if duration <= timedelta(0):
            raise InputRejected("DURATION_INVALID", "duration: expected a positive one")
        settings = Settings.from_dict(self._transactions.evaluate("ledger:settings"))
        tolerance = timedelta(milliseconds=settings.time_tolerance_ms)
        digest, start = _digest(source), not_before or self._clock() - tolerance
        found = await_arrival(lambda: self.get(digest, owner=owner), "FUNCTION_NOT_FOUND")
        before = found.approval_of(self._own)
        new = checked(
            lambda: NewFunctionApproval(
                owner=owner,
                code_digest=digest,
                revision=1 if before is None else before.revision + 1,
                versions=tuple(versions),
                purposes=tuple(purposes),
                not_before=format_instant(start),
                not_after=format_instant(start + duration),
            )
        )
        self._transactions.submit("functions:approve", new)
        return new

    def revoke(self, source: Path | str, *, owner: str) -> None:
        """Revoke the own organization's approval; runs of the function are stopped within seconds.

        Raises:
            InputRejected: CODE_UNREADABLE.
            LedgerRefused: FUNCTION_APPROVAL_NOT_IN_FORCE.
        """
        self._transactions.submit("functions:revoke", _name(_digest(source), owner))

    def get(self, source: Path | str, *, owner: str | None = None) -> FunctionState:
        """Return a function and its approvals; `owner` is the own organization by default.

        Raises:
            InputRejected: CODE_UNREADABLE.
            LedgerRefused: FUNCTION_NOT_FOUND.
        """
        answer = self._transactions.evaluate("functions:get", _name(_digest(source), owner or self._own))
        approvals = tuple(map(FunctionApproval.from_dict, answer["approvals"]))
        return FunctionState(Function.from_dict(answer["function"]), approvals)


def _name(digest: str, owner: str) -> FunctionName:
    return checked(lambda: FunctionName(owner=owner, code_digest=digest))


def _digest(source: Path | str) -> str:
    if isinstance(source, str) and source.startswith(_DIGEST):
        return source
    return code_digest(Path(source))
