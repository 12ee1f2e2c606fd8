"""Proof files with statements of running peers."""

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


def test_a_running_ledgers_record_is_proved_by_its_peers(
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
    consortium.identity("northgate", "dpo")
    options = ["--network", str(consortium.directory), "--as", "northgate/dpo", "--index"]
    options.append(f"sqlite:///{tmp_path / 'index.sqlite'}")
    file = tmp_path / "version.proof"
    assert run([*options, "proof", "make", f"version/{version.version_id}", str(file)]) == 0
    assert capsys.readouterr().err.count("No statement") == 0
    assert run([*options, "verify", str(file), "--json"]) == 0
    proof = json.loads(capsys.readouterr().out)
    assert proof["proved"]
    assert len(proof["attested_by"]) == 4
    assert json.loads(proof["value"])["version_id"] == version.version_id
