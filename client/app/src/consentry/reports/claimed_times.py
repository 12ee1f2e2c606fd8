"""When something happened by the word of who recorded it later: shown beside the record, used by no rule."""

from collections.abc import Iterable

from consentry.index import RecordRow
from consentry_records.consent import ConsentEvent
from consentry_records.subject import ProcessingLimit


class ClaimedTimes:
    """What trainers state of rounds and ends of sessions that they recorded later.

    Args:
        statements: their statements on the ledger.
    """

    def __init__(self, statements: Iterable[RecordRow] = ()) -> None:
        self._of: dict[str, str] = {}
        for row in statements:
            session, number = row.body.get("session_id"), row.body.get("round_number")
            name = str(session) if number is None else f"{session}/{number:06d}"
            self._of[name] = str(row.body.get("claimed_time"))

    def beside(self, record_id: str) -> tuple[str, ...]:
        """What stands beside the recorded time of a round, or of the end of a session: a line or none."""
        claimed = self._of.get(record_id)
        return (f"the trainer claims {claimed}",) if claimed is not None else ()


def claimed_by_custodian(event: ConsentEvent | ProcessingLimit) -> tuple[str, ...]:
    """What stands beside the recorded time of a consent's event or of a limit: a line or none."""
    return (f"the custodian claims {event.claimed_at}",) if event.claimed_at is not None else ()
