"""Epochs closed on a running ledger, and reports verified by another member and by nobody's member."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.running_consortium import RunningConsortium

from consentry.cli.main import run
from consentry.ledger import Ledger

pytestmark = pytest.mark.integration


def test_a_report_of_a_running_ledger_is_complete_and_one_with_a_row_less_is_refused(
    consortium: RunningConsortium,
    ledger_of: Callable[..., Ledger],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steward = ledger_of("northgate", "steward")
    people = pseudonyms(2, f"patient-{os.urandom(8).hex()}")
    steward.consents.import_frame(consent_frame(people))
    version = steward.datasets.register_frame(
        pd.DataFrame({"pseudonym": people, "radius": [1, 2]}),
        name=f"cells-{os.urandom(6).hex()}",
        categories=["imaging"],
        legal_bases=["GDPR-9-2-j"],
        duo_terms=[RESEARCH],
    )
    access = ledger_of("riverside", "researcher").access
    access.wait_for_decision(access.attempt(version.version_id, purpose=RESEARCH))
    for organization, role in (("northgate", "dpo"), ("northgate", "service"), ("riverside", "dpo")):
        consortium.identity(organization, role)

    def command(who: str, *arguments: str) -> int:
        index = f"sqlite:///{tmp_path / who.replace('/', '-')}.sqlite"
        return run(["--network", str(consortium.directory), "--as", who, "--index", index, *arguments])

    assert command("northgate/service", "epochs", "close", "--json") == 0
    epoch = json.loads(capsys.readouterr().out)
    report = tmp_path / "report.json"
    made = ("report", "dataset-access-log", version.version_id, "--format", "json", "--proofs")
    assert command("northgate/dpo", *made, "--output", str(report)) == 0
    assert capsys.readouterr().err.count("No statement") == 0
    assert command("riverside/dpo", "verify", str(report), "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["complete_through"] == {"NorthgateMSP": epoch["last_block"]}
    assert verdict["is_proved"]
    assert command("riverside/dpo", "epochs", "audit") == 0

    document = json.loads(report.read_bytes())
    assert len(document["tables"]["accesses"]["rows"]) == 1
    document["evidence"]["proofs"] = None
    report.write_text(json.dumps(document))
    assert command("riverside/dpo", "verify", str(report)) == 0
    del document["tables"]["accesses"]["rows"][0]
    report.write_text(json.dumps(document))
    capsys.readouterr()
    assert command("riverside/dpo", "verify", str(report)) == 1
    assert "ROWS_DIFFER" in capsys.readouterr().err
