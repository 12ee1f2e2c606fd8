"""Attempts on which nobody has decided in the time that the ledger's settings give a custodian.

Nobody can suppress a denial, for the attempt is committed before anybody decides; a custodian that does not
decide at all is seen here.
"""

from sqlalchemy import Connection

from consentry.errors import InputRejected
from consentry.index.accesses import Access, AccessFilter, find_accesses
from consentry.index.checkpoint import IndexFault
from consentry.index.pages import Page, PageRequest
from consentry.index.rows import get_record
from consentry_records.instants import parse_instant, shift
from consentry_records.settings import Settings

_OPEN = "open"


def open_attempts(connection: Connection, at: str, custodian: str | None, page: PageRequest) -> Page[Access]:
    """Attempts made longer than the decision period before an instant, and undecided, in ledger order.

    Args:
        connection: the index.
        at: the instant; what was decided after it counts as decided.
        custodian: MSP id of who should have decided; None for all.
        page: which page.

    Raises:
        InputRejected: FIELD_INVALID, `at` is no instant.
        IndexFault: LEDGER_NOT_INITIALIZED, the index holds no settings yet.
    """
    try:
        parse_instant(at)
    except ValueError as error:
        raise InputRejected("FIELD_INVALID", f"at: {error}") from error
    settings = get_record(connection, "settings", "")
    if settings is None:
        raise IndexFault(
            "LEDGER_NOT_INITIALIZED", "The index holds no settings of the ledger yet; fill it further."
        )
    period = Settings.from_dict(settings.body).decision_period_ms
    wanted = AccessFilter(custodian=custodian, outcome=_OPEN, until=shift(at, -period))
    return find_accesses(connection, wanted, page)
