"""Rows of subjects who withdrew leave a dataset by a new version; one row is proved without the others."""

import dataclasses

import pandas as pd
import pytest
from support import ledger_examples as examples
from support.consent_frames import RESEARCH, consent_frame, digest

from consentry.errors import InputRejected, LedgerRefused
from consentry.row_proofs import RowProof
from consentry_records.rows import leaf_digest, row_digest, row_leaf

NORTHGATE, RIVERSIDE = "NorthgateMSP", "RiversideMSP"
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-a"], "duo_terms": [RESEARCH]}
PEOPLE = ["p", "q", "r"]


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward")
    ledger.consents.import_frame(consent_frame(PEOPLE))
    return ledger


@pytest.fixture
def version(steward):
    frame = pd.DataFrame({"pseudonym": [*PEOPLE, "q"], "radius": [1, 2, 3, 4]})
    return steward.datasets.register_frame(frame, name="cells", **TERMS)


def test_rows_under_ended_consents_leave_by_a_new_version(steward, version):
    assert steward.datasets.remove_rows(version.version_id, code_digest=digest()) is None
    (withdrawn,) = steward.consents.withdraw(pseudonym="q")
    made = steward.datasets.remove_rows(version.version_id, code_digest=digest())
    assert (made.number, made.row_count, made.removed_count) == (2, 2, 2)
    assert (made.supersedes, made.derived_from) == (version.version_id, (version.version_id,))
    old = steward.datasets.manifest(version.version_id)
    assert steward.datasets.manifest(made.version_id) == (old[0], old[2])
    assert steward.datasets.removed(version.version_id) == ()
    assert steward.datasets.removed(made.version_id) == tuple(
        leaf_digest(row_leaf(row.row_digest, row.commitment, withdrawn)) for row in (old[1], old[3])
    )
    steward.datasets.retire(version.version_id, "withdrawals")
    assert steward.datasets.get(version.version_id).state == "retired"
    with pytest.raises(LedgerRefused) as caught:
        steward.datasets.retire(version.version_id, "withdrawals")
    assert caught.value.code == "VERSION_RETIRED"


def test_chosen_consents_go_and_others_stay(steward, version):
    chosen = steward.subjects.latest_consents(["p"])["p"]
    made = steward.datasets.remove_rows(version.version_id, code_digest=digest(), consent_ids=[chosen])
    assert made.row_count == 3


def test_only_the_custodian_knows_the_rows(ledger_of, version):
    stranger = ledger_of(RIVERSIDE, "steward")
    with pytest.raises(InputRejected) as caught:
        stranger.datasets.remove_rows(version.version_id, code_digest=digest())
    assert caught.value.code == "MANIFEST_UNKNOWN"
    with pytest.raises(InputRejected) as caught:
        stranger.datasets.row_proof(version.version_id, 0)
    assert caught.value.code == "ROW_UNKNOWN"


def test_a_row_and_its_consent_are_proved_without_the_others(steward, version, ledger_of):
    proof = RowProof.from_dict(steward.datasets.row_proof(version.version_id, 2).to_dict())
    seen = ledger_of(RIVERSIDE, "researcher").datasets.get(version.version_id)
    assert proof.holds(seen)
    secret = steward.datasets.secret("cells").secret
    assert proof.row_digest == row_digest(secret, {"radius": 3})
    assert proof.consent_id == steward.subjects.latest_consents(["r"])["r"]
    for changes in (
        {"position": 1},
        {"size": 3},
        {"consent_id": examples.identifier("consent")},
        {"path": ("zz", *proof.path[1:])},
        {"version_id": examples.identifier("version")},
    ):
        assert not dataclasses.replace(proof, **changes).holds(seen)


@pytest.mark.parametrize("document", [[], {}, {"position": "1"}])
def test_what_is_no_proof_is_refused(document):
    with pytest.raises(InputRejected) as caught:
        RowProof.from_dict(document)
    assert caught.value.code == "ROW_PROOF_INVALID"


def test_an_unknown_reason_is_refused_before_anything_is_sent(steward, version):
    with pytest.raises(InputRejected):
        steward.datasets.retire(version.version_id, "no reason")


def test_rows_of_an_erased_subject_leave_too(ledger_of, steward, version):
    dpo = ledger_of(NORTHGATE, "dpo")
    request = dpo.rights.receive("r", "erasure")
    dpo.rights.advance(request.rights_request_id, "accepted")
    made = steward.datasets.remove_rows(version.version_id, code_digest=digest())
    assert (made.row_count, made.removed_count) == (3, 1)
