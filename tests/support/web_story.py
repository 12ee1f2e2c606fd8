"""The story with what officers look up: a register of subjects, requests about rights, breaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from support.story import LAKESIDE, NORTHGATE, SUBJECT, identifier, instant, tell

from consentry.index import IndexFollower, open_database
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.breach import NewBreach
from consentry_records.breach import recorded as recorded_breach
from consentry_records.rights_request import NewRightsRequest, RightsRequest
from consentry_records.rights_request import received as received_request

PSEUDONYM = "P-0042"
CONSENT = identifier("consent", 1)


def request(number: int, received_at: str, right: str = "erasure") -> RightsRequest:
    """A request of the story's subject, recorded when it arrived."""
    new = NewRightsRequest(
        rights_request_id=identifier("rightsrequest", number),
        right=right,
        subject=SUBJECT,
        received_at=received_at,
        purposes=(),
        evidence_digest=None,
    )
    return received_request(new, custodian=NORTHGATE, recorded_at=received_at, recorded_by="dpo-1")


def breach(number: int, aware_at: str, custodian: str = NORTHGATE) -> object:
    """A breach, recorded when its organization became aware of it."""
    new = NewBreach(
        breach_id=identifier("breach", number),
        aware_at=aware_at,
        natures=("confidentiality",),
        categories=("diagnosis",),
        subject_count=12,
        record_count=340,
        versions=(identifier("version", 1),),
        facts_digest=None,
    )
    return recorded_breach(new, custodian=custodian, recorded_at=aware_at, recorded_by="dpo-1")


def indexed_story(url: str) -> Engine:
    """The story's index, with three requests and two breaches."""
    story = tell()
    for made in (
        request(1, "2025-11-20T09:00:00.000Z"),
        request(2, instant(4)),
        request(3, instant(4), "access"),
    ):
        story.put({keys.rights(made.rights_request_id): made})
    for number, aware_at in ((1, instant(1)), (2, instant(5))):
        story.put({keys.breach(identifier("breach", number)): breach(number, aware_at)})
    other = breach(3, instant(5), LAKESIDE)
    story.put({keys.breach(identifier("breach", 3)): other})
    engine = open_database(url)
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    return engine


@contextmanager
def custody(directory: Path) -> Iterator[SubjectRegister]:
    """Northgate's register: the story's subject, and the dataset version with a row of his."""
    with SubjectRegister(directory / "custody" / "subjects.sqlite") as register:
        with register.store.writing() as connection:
            connection.execute(
                "INSERT INTO subjects (pseudonym, commitment, salt, key) VALUES (?, ?, ?, ?)",
                (PSEUDONYM, SUBJECT, b"s" * 32, b"k" * 32),
            )
        dataset = register.manifests.ensure_dataset("biopsies", identifier("dataset", 1))
        row = ManifestRow("hmac-sha256:" + "0" * 64, SUBJECT, CONSENT)
        register.manifests.add_version(identifier("version", 1), dataset.dataset_id, 1, [row])
        register.manifests.mark_registered(identifier("version", 1))
        yield register
