"""A running training session with the real contracts, its permit decided by its custodian."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
from support.consent_frames import RESEARCH, consent_frame

from consentry.identifiers import new_identifier
from consentry.models import Models
from consentry.training import RunningSession
from consentry_records.training import NewTrainingSession

NORTHGATE, RIVERSIDE = "NorthgateMSP", "RiversideMSP"
DIGEST = "sha256:" + "0" * 64


def registered_version(ledger_of):
    """Northgate's dataset of two rows."""
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p", "q"]))
    data = pd.DataFrame({"pseudonym": ["p", "q"], "radius": [17.99, 20.57]})
    return steward.datasets.register_frame(
        data, name="cells", categories=["imaging"], legal_bases=["GDPR-9-2-j"], duo_terms=[RESEARCH]
    )


def permitted_attempt(ledger_of, version, researcher) -> str:
    """Riverside's researcher asks, Northgate grants and permits."""
    request = researcher.grants.request(
        versions=[version.version_id], purposes=[RESEARCH], duration=timedelta(days=30)
    )
    ledger_of(NORTHGATE, "dpo").grants.grant(
        request.request_id,
        versions=[version.version_id],
        purposes=[RESEARCH],
        duration=timedelta(days=30),
    )
    attempt: str = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    ledger_of(NORTHGATE, "service").transactions.submit("access:decide", attempt)
    return attempt


def running_session(researcher, attempt) -> RunningSession:
    """A session under that permit."""
    new = NewTrainingSession(
        session_id=new_identifier("session"),
        model_id=Models(researcher.transactions).ensure("risk"),
        purpose=RESEARCH,
        commercial=False,
        attempts=(attempt,),
        code_digest=DIGEST,
        environment_digest=DIGEST,
        hyperparameters_digest=DIGEST,
    )
    researcher.transactions.submit("training:start", new)
    return RunningSession(researcher.transactions, new, (), lambda: researcher.outbox)
