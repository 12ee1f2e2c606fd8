"""What all contracts of the ledger share: roles and transient fields are checked before each function, errors
translated.
"""

from __future__ import annotations

from consentry_records.errors import FieldError, LedgerError
from consentry_records.events import event_payload
from consentry_records.instants import EARLIEST, format_instant, shift
from consentry_records.kinds import Kind, identifier
from consentry_records.settings import Settings
from fabric_shim import Context, Contract, ContractError

from .actors import actor_of
from .permissions import check_roles, check_transient


class LedgerContract(Contract):
    """A contract whose functions stand in the table of `permissions`."""

    async def before(self, ctx: Context) -> None:
        """Refuse callers without a role that the function needs, and transient fields it does not take."""
        check_transient(ctx.function, list(ctx.stub.transient))
        check_roles(ctx.function, actor_of(ctx).roles)

    def translate_error(self, error: Exception) -> ContractError | None:
        """A LedgerError as the wire carries it; None for anything else, which the shim answers without
        details.
        """
        if not isinstance(error, LedgerError):
            return None
        return ContractError(error.code, error.message, error.fields, error.status)


def proposal_instant(ctx: Context) -> str:
    """The proposal's time, the clock of whoever made it, cut to milliseconds (DESIGN.md §7)."""
    try:
        return format_instant(ctx.proposal_time)
    except ValueError as error:
        raise LedgerError("PROPOSAL_TIME_TOO_EARLY", {"earlier": EARLIEST}) from error


def check_follows(proposal_time: str, earlier: str, settings: Settings) -> None:
    """Refuse a proposal that is dated before the record that it follows by more than the ledger's tolerance.

    Raises LedgerError PROPOSAL_TIME_TOO_EARLY.
    """
    if shift(proposal_time, settings.time_tolerance_ms) < earlier:
        raise LedgerError("PROPOSAL_TIME_TOO_EARLY", {"earlier": earlier})


def check_argument(name: str, kind: Kind, value: object) -> None:
    """Refuse an argument that is not of the kind; raises FieldError naming the argument."""
    try:
        kind.read(value)
    except FieldError as error:
        raise error.within("arguments", name) from error


def check_identifier(name: str, kind: str, value: str) -> None:
    """Refuse an argument that is no id of the kind; raises FieldError naming the argument."""
    check_argument(name, identifier(kind), value)


def emit(ctx: Context, name: str, **fields: str | int) -> None:
    """Set the transaction's event."""
    ctx.stub.set_event(name, event_payload(name, fields))
