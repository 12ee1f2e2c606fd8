"""The example programs, each run as a data scientist would run it, against a running consortium."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
EXAMPLES = Path(__file__).parents[3] / "client" / "app" / "examples"
MONTH = timedelta(days=30)
ROWS = 20


@pytest.fixture
def version(ledger_of, researcher, tmp_path) -> tuple[str, Path]:
    """A dataset version that the researcher may use, and its rows without subjects."""
    steward = ledger_of("northgate", "steward")
    people = pseudonyms(ROWS, f"patient-{os.urandom(8).hex()}")
    steward.consents.import_frame(consent_frame(people))
    chance = np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "radius": chance.normal(14, 3, ROWS).round(3),
            "texture": chance.normal(19, 4, ROWS).round(3),
            "benign": [number % 2 for number in range(ROWS)],
        }
    )
    made = steward.datasets.register_frame(
        rows.assign(pseudonym=people),
        name=f"cells-{os.urandom(6).hex()}",
        categories=["imaging"],
        legal_bases=["GDPR-9-2-j"],
        duo_terms=[RESEARCH],
    )
    request = researcher.grants.request([made.version_id], purposes=[RESEARCH], duration=MONTH)
    steward.grants.grant(request.request_id, versions=[made.version_id], purposes=[RESEARCH], duration=MONTH)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    return made.version_id, tmp_path / "rows.csv"


@pytest.mark.parametrize(
    "name",
    [
        "scikit_learn",
        pytest.param("pytorch", marks=pytest.mark.optional_tool("torch")),
        "mlflow_run",
        "federated",
    ],
)
def test_an_example_trains_and_is_on_the_ledger(consortium, researcher, version, tmp_path, name):
    version_id, rows = version
    environment = {
        "CONSENTRY_NETWORK": str(consortium.directory),
        "CONSENTRY_AS": "riverside/researcher",
        # MLflow's databases take a minute of migrations each.
        "MLFLOW_TRACKING_URI": f"file:{tmp_path / 'runs'}",
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), version_id, str(rows)],
        capture_output=True,
        text=True,
        timeout=250,
        cwd=tmp_path,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    made = researcher.models.get(done.stdout.split()[-1])
    (session_id,) = made.sessions
    session = researcher.transactions.evaluate("training:get", session_id)
    assert (session["state"], session["versions"]) == ("completed", [version_id])
    assert session["used"] == [{"version_id": version_id, "rows": ROWS}]
