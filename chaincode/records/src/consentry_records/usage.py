"""What a training session used against what it was granted (AI Act Annex IV, EHDS Art. 68)."""

from __future__ import annotations

from collections.abc import Sequence

from .dataset import DatasetVersion
from .grant import ACTIVE, Grant
from .training import TrainingSession

NOT_USED = "NOT_USED"
MORE_ROWS_THAN_VERSION = "MORE_ROWS_THAN_VERSION"
GRANT_ENDED_MEANWHILE = "GRANT_ENDED_MEANWHILE"
GRANT_REVOKED_SINCE = "GRANT_REVOKED_SINCE"
NOT_STATED = "NOT_STATED"


def usage_findings(session: TrainingSession, version: DatasetVersion, grant: Grant) -> Sequence[str]:
    """What stands out in how a session used one dataset version under one grant, as codes; none: nothing."""
    rows = next((one.rows for one in session.used if one.version_id == version.version_id), None)
    ended = session.ended_at
    found = {
        NOT_STATED: ended is not None and not session.used,
        NOT_USED: bool(session.used) and not rows,
        MORE_ROWS_THAN_VERSION: rows is not None and rows > version.row_count,
        GRANT_ENDED_MEANWHILE: ended is not None and grant.not_after < ended,
        GRANT_REVOKED_SINCE: grant.state != ACTIVE,
    }
    return [code for code, stands_out in found.items() if stands_out]
