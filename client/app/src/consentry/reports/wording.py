"""How reports put what the index holds into words: one place for all of them."""

from collections.abc import Iterable, Mapping

from consentry.index import Access, RecordRow
from consentry.reports.values import Unavailable, Value
from consentry_records.vocabulary import ANY_HOSPITAL, ANY_MEMBER, ANY_REGULATOR, LEGAL_BASES, PURPOSES

_CLASSES = {ANY_MEMBER: "every member", ANY_HOSPITAL: "every hospital", ANY_REGULATOR: "every regulator"}
NOBODY_KNOWS_WHO = Unavailable("the person's name; ask the organization")
NOT_ON_LEDGER = "the ledger does not record it; ask the controller"


def purpose_words(code: str) -> str:
    """A purpose in words, with its code."""
    return f"{PURPOSES[code]} ({code})" if code in PURPOSES else code


def purpose_of(access: Access) -> Value:
    """The purpose that was stated, and whether commercial use was."""
    return (purpose_words(access.purpose), "commercial" if access.commercial else "not commercial")


def legal_basis_words(code: str) -> str:
    """A legal basis in words, with its code."""
    return f"{LEGAL_BASES[code]} ({code})" if code in LEGAL_BASES else code


def coded(codes: Iterable[str], words: Mapping[str, str]) -> Value:
    """Codes with their words; "none" where there are none."""
    return tuple(f"{words[code]} ({code})" if code in words else code for code in codes) or "none"


def recipient_words(code: str) -> str:
    """Recipients of a consent: a class of members in words, or an MSP id."""
    return _CLASSES.get(code, code)


def counted(number: int, one: str, many: str) -> str:
    """A number of things, e.g. "1 attempt", "2 attempts"."""
    return f"{number} {one if number == 1 else many}"


def when(access: Access) -> Value:
    """When an access was attempted and decided."""
    decided = f"decided {access.decided_at}" if access.decided_at else "not decided"
    return f"attempted {access.attempted_at}", decided


def who(access: Access) -> Value:
    """Who attempted an access, as far as the ledger knows."""
    roles = f"roles: {', '.join(access.roles) or 'none'}"
    return (access.requester_msp, access.requester, roles, str(NOBODY_KNOWS_WHO))


def which_data(access: Access) -> Value:
    """Which data an access was about."""
    return (access.dataset or str(Unavailable("the version is not on the ledger")), access.version_id)


def outcome(access: Access) -> Value:
    """What came of an access, with the reasons of a denial."""
    match access.outcome:
        case "permit":
            return "permitted"
        case "open":
            return "open: the custodian has not decided"
    return ("denied", *(f"{reason.words} ({reason.code})" for reason in access.reasons))


def on_record(access: Access) -> Value:
    """Where an access stands on the ledger."""
    return (access.attempt_id, f"block {access.block}", f"transaction {access.transaction_id}")


def place(row: RecordRow, instant: str) -> tuple[str, str]:
    """When and where a record was first written."""
    return instant, f"block {row.first_block}"


def forged(row: RecordRow) -> tuple[str, ...]:
    """A warning where a record's custodian did not endorse it."""
    return () if row.honoured else ("not endorsed by its custodian: not relied on",)


def texts(values: Iterable[str], otherwise: str) -> Value:
    """Different texts, sorted; unavailable for a reason where there are none."""
    return tuple(sorted({value for value in values if value})) or Unavailable(otherwise)
