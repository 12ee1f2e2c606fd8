"""Renderings of what is on a ledger, by the client and by the command line."""

import json
from datetime import timedelta

import jwt
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame

from consentry.cli.context import CommandContext
from consentry.cli.main import run
from consentry.consent_changes import Declaration
from consentry.errors import InputRejected, LedgerRefused
from consentry.renderings import VisaIssuer, key_set, read_parties
from consentry.renderings.of_ledger import consent_source, decision_source, issue_visa

NORTHGATE, RIVERSIDE, REGULATOR = "NorthgateMSP", "RiversideMSP", "RegulatorMSP"
ISSUER = VisaIssuer(
    url="https://visas.example", key_set_url="https://visas.example/jwks.json", source="https://n.example"
)
MONTH = timedelta(days=30)


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward")
    frame = consent_frame(["patient-1", "patient-2"]).assign(
        consent_type="explicit", storage_locations=[["IE"], ["IE"]], jurisdiction="IE"
    )
    ledger.consents.import_frame(frame)
    return ledger


@pytest.fixture
def service(ledger_of):
    return ledger_of(NORTHGATE, "service")


@pytest.fixture
def version(steward):
    frame = pd.DataFrame({"pseudonym": ["patient-1", "patient-2"], "radius": [1, 2]})
    terms = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-a"], "duo_terms": [RESEARCH]}
    return steward.datasets.register_frame(frame, name="cells", **terms)


@pytest.fixture
def researcher(ledger_of):
    return ledger_of(RIVERSIDE, "researcher")


@pytest.fixture
def grant(steward, researcher, version):
    request = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    return steward.grants.grant(
        request.request_id, versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
    )


@pytest.fixture
def attempt_id(researcher, service, version, grant):
    made = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    service.transactions.submit("access:decide", made)
    return made


@pytest.fixture
def ask(monkeypatch, capsys):
    """Run a command as the identity of a ledger; its output or, refused, its error."""

    def command(ledger, *arguments, status=0):
        monkeypatch.setattr(CommandContext, "connect", lambda _context: _Open(ledger))
        monkeypatch.setattr(CommandContext, "identity", ledger.identity)
        assert run(["--as", "northgate/somebody", *arguments]) == status
        shown = capsys.readouterr()
        return shown.out if status == 0 else shown.err

    return command


class _Open:
    """A ledger that stays open after its first command."""

    def __init__(self, ledger):
        self._ledger = ledger

    def __enter__(self):
        return self._ledger

    def __exit__(self, *_error):
        pass


def test_only_the_custodian_renders_what_is_private(steward, researcher, ask):
    (consent_id,) = steward.subjects.consents_of("patient-1")
    source = consent_source(steward, consent_id, private=True)
    assert source.private is not None
    assert "patient-1" not in repr(source)
    public = ask(researcher, "consents", "render", consent_id, "--format", "iso-27560")
    assert "patient-1" not in public
    assert json.loads(public)["dct:identifier"] == consent_id
    assert "patient-1" in ask(steward, "consents", "render", consent_id, "--format", "iso-27560", "--private")
    assert "SUBJECT_UNKNOWN" in ask(researcher, "consents", "render", consent_id, "--private", status=1)


def test_who_declared_a_change_is_read_from_the_custodians_own_entry(steward):
    steward.consents.import_frame(consent_frame(["patient-9"]))
    (consent_id,) = steward.subjects.consents_of("patient-9")
    mandate = "sha256:" + "7" * 64
    declaration = Declaration(method="letter", declared_by="proxy", mandate_digest=mandate)
    steward.consents.withdraw_many([consent_id], declaration)
    source = consent_source(steward, consent_id, private=True)
    (change,) = source.changes.values()
    assert (change.declared_by, change.mandate_digest, change.method) == ("proxy", mandate, "letter")
    assert consent_source(steward, consent_id).changes == {}


@pytest.mark.parametrize("form", ["fhir-r5", "fhir-r4b", "iso-27560", "odrl"])
def test_a_consent_is_printed_in_every_form(steward, ask, tmp_path, form):
    (consent_id,) = steward.subjects.consents_of("patient-2")
    parties = tmp_path / "parties.yaml"
    parties.write_text(f"{NORTHGATE}: {{name: Northgate Hospital, contact: dpo@example.org}}\n")
    shown = ask(steward, "consents", "render", consent_id, "--format", form, "--parties", str(parties))
    assert json.loads(shown)
    assert ("Northgate Hospital" in shown) == (form == "iso-27560")


def test_grant_decision_and_row_are_printed(steward, researcher, version, grant, attempt_id, ask, tmp_path):
    agreement = json.loads(ask(researcher, "grants", "render", grant.grant_id))
    assert agreement["permission"][0]["target"] == [f"urn:consentry:version:{version.version_id}"]
    for form in ("balp-r4b", "balp-r5"):
        event = json.loads(ask(researcher, "access", "render", attempt_id, "--format", form))
        assert event["resourceType"] == "AuditEvent"
    proof = tmp_path / "row.json"
    proof.write_text(json.dumps(steward.datasets.row_proof(version.version_id, 1).to_dict()))
    shown = ask(steward, "access", "render", attempt_id, "--row-proof", str(proof))
    assert steward.subjects.consents_of("patient-2")[0] in shown


def test_what_is_undecided_has_no_rendering(researcher, version, grant):
    waiting = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    with pytest.raises(InputRejected) as caught:
        decision_source(researcher, waiting)
    assert caught.value.code == "ATTEMPT_UNDECIDED"


def test_a_custodian_issues_visas_on_its_permits(service, attempt_id, ask):
    token = ask(service, "access", "visa", attempt_id, "--issuer", ISSUER.url, "--lifetime", "15m").strip()
    keys = json.loads(ask(service, "access", "visa-keys"))
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], options={"verify_exp": False, "verify_iat": False})
    assert claims["exp"] == claims["iat"] + 900
    assert keys == key_set(service.identity.private_key.public_key())


def test_nobody_else_issues_visas(researcher, attempt_id):
    with pytest.raises(InputRejected) as caught:
        issue_visa(researcher, attempt_id, ISSUER)
    assert caught.value.code == "NOT_CUSTODIAN"


def test_a_suspended_or_revoked_grant_has_no_visa(steward, service, grant, attempt_id, ledger_of):
    assert issue_visa(service, attempt_id, ISSUER)
    regulator = ledger_of(REGULATOR, "regulator")
    assert service.grants.suspension(grant.grant_id) is None
    regulator.grants.suspend(grant.grant_id)
    assert service.grants.suspension(grant.grant_id).state == "suspended"
    with pytest.raises(InputRejected) as caught:
        issue_visa(service, attempt_id, ISSUER)
    assert caught.value.code == "VISA_GRANT_OVER"
    regulator.grants.lift_suspension(grant.grant_id)
    assert service.grants.suspension(grant.grant_id).state == "lifted"
    assert issue_visa(service, attempt_id, ISSUER)
    steward.grants.revoke(grant.grant_id)
    with pytest.raises(InputRejected) as caught:
        issue_visa(service, attempt_id, ISSUER)
    assert caught.value.code == "VISA_GRANT_OVER"


def test_an_unknown_consent_is_the_ledgers_to_refuse(steward):
    with pytest.raises(LedgerRefused) as caught:
        consent_source(steward, "consent-" + "0" * 32)
    assert caught.value.code == "CONSENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1, 2]", "PARTIES_INVALID"),
        ("NorthgateMSP: Northgate", "PARTIES_INVALID"),
        ("NorthgateMSP: {motto: care}", "PARTIES_INVALID"),
        ("NorthgateMSP: {name: 3}", "PARTIES_INVALID"),
        ("{", "PARTIES_INVALID"),
        ("x" * 1_000_001, "PARTIES_INVALID"),
        (b"\xff\xfe", "PARTIES_UNREADABLE"),
        (None, "PARTIES_UNREADABLE"),
    ],
)
def test_a_file_of_parties_is_read_whole_or_refused(tmp_path, text, code):
    file = tmp_path / "parties.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputRejected) as caught:
        read_parties(file)
    assert caught.value.code == code
