"""Signed models, their stages, and what training used: verified, decided by somebody, and compared."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, RIVERSIDE, identifier

from consentry_records import (
    Conditions,
    FinishedSession,
    ManifestSignature,
    ModelStage,
    NewModelVersion,
    UsedVersion,
    keys,
)
from consentry_records.model_signature import manifest_digest, signed_bytes

PAYLOAD = b'{"predicateType":"https://model_signing/signature/v1.0"}'
KEY = ec.derive_private_key(7, ec.SECP256R1())


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def signature(key: Any = KEY, **changes: Any) -> ManifestSignature:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fields = {
        "manifest_digest": manifest_digest(PAYLOAD),
        "bundle_digest": examples.digest("bundle"),
        "public_key": encoded(public),
        "signature": encoded(KEY.sign(signed_bytes(PAYLOAD), ec.ECDSA(hashes.SHA256()))),
    }
    return ManifestSignature(**{**fields, **changes})


def version(number: int = 1, **changes: Any) -> NewModelVersion:
    fields: dict[str, Any] = {
        "model_version_id": identifier("modelversion", number),
        "model_id": identifier("model"),
        "weights_digest": examples.digest("weights"),
        "architecture_digest": examples.digest("architecture"),
        "parent": None,
        "sessions": (identifier("session"),),
        "metrics": {"auc": "0.9"},
        "test_set_digest": examples.digest("test set"),
    }
    return NewModelVersion(**{**fields, **changes})


async def trained(consortium: Consortium, **conditions: Any) -> None:
    await consortium.register_version()
    await consortium.grant(conditions=Conditions(**conditions))
    await consortium.permitted_attempt(1)
    await consortium.model()
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "training:start", new_session())


async def register(consortium: Consortium, number: int = 1, **changes: Any) -> None:
    made = version(number, **changes)
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "models:register_version", made)


async def step(
    consortium: Consortium, number: int, stage: str, roles: str = "dpo", msp: str = RIVERSIDE
) -> None:
    change = {
        "model_version_id": identifier("modelversion", number),
        "stage": stage,
        "reasons": ["VALIDATED"],
        "evidence_digest": examples.digest("report"),
    }
    await consortium.submit(consortium.person(roles, msp), "models:change_stage", change)


def stage_of(consortium: Consortium, number: int) -> str | None:
    record = consortium.record(ModelStage, keys.stage(identifier("modelversion", number)))
    return None if record is None else str(record.stage)


async def test_a_signature_is_verified_by_the_contract(consortium: Consortium) -> None:
    await trained(consortium)
    await register(consortium, 1, signature=signature())
    found = await consortium.evaluate(consortium.person(""), "models:get", identifier("modelversion"))
    assert found["signature"]["manifest_digest"] == manifest_digest(PAYLOAD)


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        (signature(manifest_digest=examples.digest("other")), "MODEL_SIGNATURE_INVALID"),
        (signature(ec.derive_private_key(8, ec.SECP256R1())), "MODEL_SIGNATURE_INVALID"),
        (signature(signature=encoded(bytes(70))), "MODEL_SIGNATURE_INVALID"),
        (signature(ec.derive_private_key(8, ec.SECP384R1())), "MODEL_KEY_INVALID"),
        (signature(public_key=encoded(bytes(91))), "MODEL_KEY_INVALID"),
    ],
)
async def test_a_forged_signature_is_refused(
    consortium: Consortium, forged: ManifestSignature, code: str
) -> None:
    await trained(consortium)
    assert await consortium.refusal(register(consortium, 1, signature=forged)) == code


def test_a_key_of_another_kind_does_not_even_fit_the_record() -> None:
    public = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    short = encoded(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(Exception, match="FIELD_INVALID"):
        signature(public_key=short)


async def test_promotion_replacement_and_rollback(consortium: Consortium) -> None:
    await trained(consortium)
    for number in (1, 2):
        await register(consortium, number)
        await step(consortium, number, "validation")
        await step(consortium, number, "production")
    assert (stage_of(consortium, 1), stage_of(consortium, 2)) == ("replaced", "production")
    await step(consortium, 1, "production")
    assert (stage_of(consortium, 1), stage_of(consortium, 2)) == ("production", "rolled-back")
    assert (
        consortium.ledger.state(keys.production(identifier("model")))
        == identifier("modelversion", 1).encode()
    )
    record = consortium.record(ModelStage, keys.stage(identifier("modelversion", 2)))
    assert (record.revision, record.decided_by) == (
        3,
        consortium.person("dpo", RIVERSIDE).identity.common_name,
    )
    await step(consortium, 1, "retired")
    assert consortium.ledger.state(keys.production(identifier("model"))) is None


async def test_stages_have_their_order_and_their_people(consortium: Consortium) -> None:
    await trained(consortium)
    await register(consortium)
    assert await consortium.refusal(step(consortium, 1, "production")) == "STAGE_NOT_REACHABLE"
    assert await consortium.refusal(step(consortium, 1, "validation", "researcher")) == "ROLE_REQUIRED"
    assert await consortium.refusal(step(consortium, 1, "validation", "dpo", LAKESIDE)) == "NOT_OWNER"
    assert await consortium.refusal(step(consortium, 9, "validation")) == "MODEL_VERSION_NOT_FOUND"
    both = consortium.person("dpo,researcher", RIVERSIDE)
    await consortium.submit(both, "models:register_version", version(2))
    await step(consortium, 2, "validation", "dpo,researcher")
    own = step(consortium, 2, "production", "dpo,researcher")
    assert await consortium.refusal(own) == "STAGE_DECIDER_IS_AUTHOR"
    stage = await consortium.evaluate(consortium.person(""), "models:get_stage", identifier("modelversion"))
    assert stage is None


async def test_publication_waits_for_the_moratorium(consortium: Consortium) -> None:
    await trained(consortium, publication_not_before=consortium.instant(3600))
    await register(consortium)
    await step(consortium, 1, "validation")
    assert await consortium.refusal(step(consortium, 1, "published")) == "PUBLICATION_MORATORIUM"
    consortium.ledger.advance(timedelta(hours=2))
    await step(consortium, 1, "published")
    assert stage_of(consortium, 1) == "published"


async def test_publication_waits_for_the_moratoriums_of_its_parents_too(consortium: Consortium) -> None:
    await trained(consortium, publication_not_before=consortium.instant(3600))
    await register(consortium)
    # A finer version, trained under a grant without moratorium, still holds what its parents learned.
    await consortium.grant(2)
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    await consortium.permitted_attempt(2)
    session = new_session(2, attempts=(identifier("attempt", 2),))
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "training:start", session)
    later = {"sessions": (identifier("session", 2),)}
    await register(consortium, 2, parent=identifier("modelversion"), **later)
    await register(consortium, 3, parent=identifier("modelversion", 2), **later)
    await register(consortium, 4, **later)
    for number in (3, 4):
        await step(consortium, number, "validation")
    assert await consortium.refusal(step(consortium, 3, "published")) == "PUBLICATION_MORATORIUM"
    await step(consortium, 4, "published")
    consortium.ledger.advance(timedelta(hours=2))
    await step(consortium, 3, "published")


async def test_what_was_used_is_held_against_what_was_granted(consortium: Consortium) -> None:
    await trained(consortium)
    researcher = consortium.person("researcher", RIVERSIDE)
    other = FinishedSession(
        session_id=identifier("session"),
        state="completed",
        used=(UsedVersion(version_id=identifier("version", 9), rows=1),),
    )
    call = consortium.submit(researcher, "training:finish", other)
    assert await consortium.refusal(call) == "USED_VERSION_NOT_IN_SESSION"
    used = UsedVersion(version_id=identifier("version"), rows=191)
    end = FinishedSession(
        session_id=identifier("session"), state="failed", failure="NOT_CONVERGED", used=(used,)
    )
    await consortium.submit(researcher, "training:finish", end)
    await consortium.submit(consortium.person("dpo"), "grants:revoke", identifier("grant"))
    found = await consortium.evaluate(consortium.person(""), "training:usage", identifier("session"))
    assert found["session"]["failure"] == "NOT_CONVERGED"
    (one,) = found["versions"]
    assert (one["row_count"], one["rows"]) == (190, 191)
    assert one["findings"] == ["MORE_ROWS_THAN_VERSION", "GRANT_REVOKED_SINCE"]


async def test_a_permit_for_one_session_starts_no_other(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    await consortium.permitted_attempt(1, session_id=identifier("session", 2))
    await consortium.model()
    researcher = consortium.person("researcher", RIVERSIDE)
    call = consortium.submit(researcher, "training:start", new_session())
    assert await consortium.refusal(call) == "SESSION_DIFFERS"
    await consortium.submit(researcher, "training:start", new_session(2))
