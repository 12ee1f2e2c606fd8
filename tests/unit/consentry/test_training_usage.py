"""What a session used against what it was granted, by the client and by the command line."""

import json

import pytest
from support.training_sessions import (
    NORTHGATE,
    RIVERSIDE,
    permitted_attempt,
    registered_version,
    running_session,
)

from consentry.cli.context import CommandContext
from consentry.cli.main import run
from consentry.errors import LedgerRefused


def test_usage_is_compared_with_the_grant(ledger_of, monkeypatch, capsys):
    researcher, version = ledger_of(RIVERSIDE, "researcher"), registered_version(ledger_of)
    session = running_session(researcher, permitted_attempt(ledger_of, version, researcher))
    session.note_use(version.version_id, 2)
    session.finish("completed")
    officer = ledger_of(NORTHGATE, "dpo")
    (row,) = officer.training_usage(session.session_id)["versions"]
    assert (row["version_id"], row["row_count"], row["rows"]) == (version.version_id, 2, 2)
    assert row["findings"] == []
    monkeypatch.setattr(CommandContext, "connect", lambda _context: officer)
    assert run(["--as", "northgate/dpo", "training", "usage", session.session_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["versions"] == [row]
    assert run(["--as", "northgate/dpo", "training", "usage", session.session_id]) == 0
    assert version.version_id in capsys.readouterr().out


def test_an_unknown_session_is_refused(ledger_of):
    with pytest.raises(LedgerRefused) as caught:
        ledger_of(NORTHGATE, "dpo").training_usage("session-" + "0" * 32)
    assert caught.value.code == "SESSION_NOT_FOUND"
