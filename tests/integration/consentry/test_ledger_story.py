"""Consents, grants, decisions and training over the real engine, contracts and decision services."""

import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cryptography import x509
from support.consent_frames import CARE, RESEARCH, consent_frame, pseudonyms
from support.present_files import each

from consentry.ca_client import CaClient
from consentry.errors import AccessDenied, EnrolmentError, InputRejected, LedgerRefused, NetworkRefused
from consentry.network import enroll_user, revoke_user
from consentry.training import participant

pytestmark = pytest.mark.integration
MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}


@pytest.fixture
def people() -> list[str]:
    return pseudonyms(30, f"patient-{os.urandom(8).hex()}")


@pytest.fixture
def frame(people) -> pd.DataFrame:
    return pd.DataFrame({"pseudonym": people, "radius": np.linspace(10, 20, len(people))})


@pytest.fixture
def version(steward, people, frame):
    steward.consents.import_frame(consent_frame(people), batch_size=10)
    return steward.datasets.register_frame(frame, name=f"cells-{os.urandom(6).hex()}", **TERMS)


def grant(steward, researcher, version, **options):
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    period = {"duration": MONTH} if "not_after" not in options else {}
    return steward.grants.grant(
        request.request_id, versions=[version.version_id], purposes=[RESEARCH], **period, **options
    )


def test_the_whole_story(steward, researcher, people, frame, version):
    given = grant(steward, researcher, version)
    permit = researcher.access.request_access(version.version_id, purpose=RESEARCH)
    assert permit.grant_id == given.grant_id
    with pytest.raises(AccessDenied) as denied:
        researcher.access.request_access(version.version_id, purpose=CARE)
    assert denied.value.reasons[0].endswith(f"does not cover purpose {CARE}")
    weights = {"w": np.ones(3)}
    with researcher.training(
        model=f"risk-{os.urandom(6).hex()}", datasets=[version.version_id], purpose=RESEARCH
    ) as session:
        entry = participant("NorthgateMSP", version.version_id, rows=30, update=weights)
        session.record_round([entry], aggregate=weights, metrics={"loss": 0.5})
        made = session.register_version(weights=weights, architecture={"kind": "lr"}, metrics={"auc": 0.96})
    assert researcher.models.get(made.model_version_id).sessions == (session.session_id,)
    (withdrawn,) = steward.consents.withdraw(pseudonym=people[0])
    kept = steward.consents.filter(frame, purpose=RESEARCH)
    assert list(kept["pseudonym"]) == people[1:]
    assert steward.consents.private_entry(withdrawn)["pseudonym"] == people[0]


def test_the_verified_index_filters_as_the_ledger_does(steward, people, frame, version):
    steward.consents.withdraw(pseudonym=people[0])
    steward.consents.opt_out(people[1:2])
    asked = steward.consents.filter(frame, purpose=RESEARCH)
    indexed = steward.consents.filter(frame, purpose=RESEARCH, trail=steward.trail)
    assert list(indexed["pseudonym"]) == list(asked["pseudonym"]) == people[2:]
    consents = steward.trail.to_frame("consent").set_index("consent_id")
    manifest = steward.datasets.manifest(version.version_id)
    assert consents.loc[manifest[0].consent_id, "state"] == "withdrawn"
    assert consents.loc[manifest[0].consent_id, "not_after"].tzinfo is not None


KILLED = """
import os, signal, sys
from consentry import connect
with connect() as ledger:
    training = ledger.training(model=sys.argv[2], datasets=[sys.argv[1]], purpose="DUO:0000006")
    with training as session:
        print(session.session_id, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_session_whose_process_is_killed_is_recorded_as_failed(
    consortium, steward, researcher, version, tmp_path
):
    grant(steward, researcher, version)
    who = {"CONSENTRY_NETWORK": str(consortium.directory), "CONSENTRY_AS": "riverside/researcher"}
    program = tmp_path / "killed.py"
    program.write_text(KILLED)
    killed = subprocess.run(
        [sys.executable, str(program), version.version_id, f"risk-{os.urandom(6).hex()}"],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **who},
    )
    session_id = killed.stdout.strip()
    assert session_id, killed.stderr[-3000:]
    assert researcher.transactions.evaluate("training:get", session_id)["state"] == "started"
    with consortium.ledger("riverside", "researcher") as ledger:
        ledger.outbox.send()
    ended = researcher.transactions.evaluate("training:get", session_id)
    assert (ended["state"], ended["failure"]) == ("failed", "PROCESS_LOST")


def test_nothing_personal_is_in_blocks_or_logs(consortium, steward, people, version):
    subjects = steward.subjects.find(people)
    steward.consents.withdraw(pseudonym=people[0])
    with pytest.raises(InputRejected):
        steward.consents.withdraw(pseudonym=people[0] + "-unknown")
    secrets = [value.encode() for value in people]
    for subject in subjects.values():
        secrets.extend([subject.salt, subject.key, subject.salt.hex().encode(), subject.key.hex().encode()])
    directories = ("ledger", "organizations", "logs", "run")
    contents: dict[Path, bytes] = {}
    for name in directories:
        contents |= each(consortium.directory / name, Path.read_bytes)
    assert {"ledger.sqlite", "blockfile_000000"} & {path.name for path in contents}
    assert [str(path) for path, data in contents.items() if any(secret in data for secret in secrets)] == []


def test_keys_and_registers_are_for_their_owner(consortium, steward, version):
    for name in ("wallets", "custody"):
        found = each(consortium.directory / name, Path.stat)
        assert {stat.S_IMODE(seen.st_mode) for seen in found.values()} == {0o600}


def test_roles_are_those_of_the_certificate(ledger_of, steward, version):
    with pytest.raises(LedgerRefused) as caught:
        ledger_of("northgate", "researcher").consents.withdraw(
            consent_id=steward.datasets.manifest(version.version_id)[0].consent_id
        )
    assert caught.value.code == "ROLE_REQUIRED"


def test_a_permit_without_the_role_is_denied_on_record(ledger_of, steward, researcher, version):
    grant(steward, researcher, version)
    with pytest.raises(AccessDenied) as caught:
        ledger_of("riverside", "auditor").access.request_access(version.version_id, purpose=RESEARCH)
    assert "ROLE_MISSING" in {reason.code for reason in caught.value.decision.reasons}


def test_the_custodians_clock_decides_on_expiry(ledger_of, steward, researcher, version):
    asked = {"versions": [version.version_id], "purposes": [RESEARCH]}
    request = researcher.grants.request(asked["versions"], purposes=asked["purposes"], duration=MONTH)
    ends = datetime.now(UTC) + timedelta(seconds=5)
    steward.grants.grant(request.request_id, **asked, not_after=ends)
    # From less than the ledger's tolerance before its end on it is not good enough for a decision.
    time.sleep(max((ends - datetime.now(UTC)).total_seconds() - 1, 0))
    backdated = ledger_of("riverside", "researcher", clock=lambda: datetime.now(UTC) - timedelta(seconds=20))
    for ledger in (researcher, backdated):
        with pytest.raises(AccessDenied) as caught:
            ledger.access.request_access(version.version_id, purpose=RESEARCH)
        assert {reason.code for reason in caught.value.decision.reasons} == {"GRANT_EXPIRED"}


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_minutes_off_is_refused_before_any_record(ledger_of, version, minutes):
    off = ledger_of("riverside", "researcher", clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    with pytest.raises((NetworkRefused, LedgerRefused)) as caught:
        off.access.attempt(version.version_id, purpose=RESEARCH)
    assert "PROPOSAL_TIME" in caught.value.code


def test_a_suspension_overtakes_a_permit(ledger_of, steward, researcher, version):
    given = grant(steward, researcher, version)
    training = researcher.training(
        model=f"risk-{os.urandom(6).hex()}", datasets=[version.version_id], purpose=RESEARCH
    )
    ledger_of("regulator", "regulator").grants.suspend(given.grant_id)
    with pytest.raises(AccessDenied) as caught:
        training.__enter__()
    assert {reason.code for reason in caught.value.decision.reasons} == {"GRANT_SUSPENDED"}


def test_a_wrong_secret_is_refused_by_the_authority(consortium):
    organization = consortium.profile.organization_named("lakeside")
    with CaClient(organization.ca, organization.msp_id) as ca, pytest.raises(EnrolmentError) as caught:
        ca.enroll(*("registrar", "wrong-secret"))
    assert caught.value.code == "CA_REFUSED"
    assert "wrong-secret" not in str(caught.value)


def test_whoever_is_revoked_enrols_no_more_and_is_on_the_list(consortium):
    directory, label = consortium.profile.directory, f"leaver-{os.urandom(4).hex()}"
    identity = enroll_user(directory, "lakeside", label, ["researcher"])
    revocations = x509.load_pem_x509_crl(revoke_user(directory, "lakeside", label))
    serial = identity.certificate.serial_number
    assert revocations.get_revoked_certificate_by_serial_number(serial) is not None
    organization = consortium.profile.organization_named("lakeside")
    with CaClient(organization.ca, organization.msp_id) as ca, pytest.raises(EnrolmentError) as caught:
        ca.revoke(identity, identity.certificate)
    assert caught.value.code == "CA_REFUSED"


def test_certificates_name_nobody(consortium):
    identity = consortium.identity("lakeside", "dpo")
    assert identity.roles == {"dpo"}
    assert len(identity.enrolment_id) == 32
    subject = identity.certificate.subject.rfc4514_string()
    assert "dpo" not in subject
    assert "lakeside" not in subject
