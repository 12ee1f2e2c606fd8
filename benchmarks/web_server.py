"""The pages of one hospital over an index, for `benchmarks.web`; reads are kept on disk."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.trail_events import HOSPITALS, Filling
from consentry import https_serving
from consentry.identity import WalletIdentity
from consentry.index import Trail, open_database
from consentry.manifests import ManifestRow
from consentry.subjects import SubjectRegister
from consentry.trail_read_outbox import TrailReadOutbox
from consentry.trail_reads import new_read
from consentry.web.application import create_application
from consentry.web.client_certificates import CertificateProtocol
from consentry.web.officer import Officer
from consentry.web.serving import free_port
from consentry.web.settings import WebSettings
from fabric_gateway import utc_clock
from fabric_protocol.certificates import (
    CertificateAuthority,
    certificate_pem,
    issue,
    key_pem,
    new_authority,
    new_private_key,
)
from fabric_protocol.msp import Msp, MspManager, build_msp_config

_HOST = "127.0.0.1"
PSEUDONYM = "P-0042"
_VERSIONS_OF_A_PERSON = 5


@dataclass(frozen=True)
class Officers:
    """Officers of the first hospital, enrolled as they are needed."""

    authority: CertificateAuthority

    @classmethod
    def make(cls, directory: Path) -> Officers:
        """Make the authority; the server reads its certificate from the directory."""
        authority = new_authority("root.example", start=_since())
        (directory / "authority.pem").write_bytes(authority.pem)
        return cls(authority)

    def identity(self) -> WalletIdentity:
        """A new officer."""
        key = new_private_key()
        certificate = issue(
            self.authority,
            common_name=secrets.token_hex(16),
            public_key=key.public_key(),
            start=_since(),
            organizational_units=("client",),
            attributes={"consentry.role": "dpo"},
        )
        return WalletIdentity(HOSPITALS[0], certificate_pem(certificate), key_pem(key))


def keep_a_subject(directory: Path, trail: Trail, filling: Filling) -> None:
    """Make the first hospital's register, with one person whose rows are in some of its versions."""
    consent = next(
        row
        for consent_id in filling.consents
        if (row := trail.record("consent", consent_id)) is not None and row.owner == HOSPITALS[0]
    )
    subject = str(consent.body["subject"])
    with SubjectRegister(_register(directory)) as register:
        with register.store.writing() as connection:
            connection.execute(
                "INSERT INTO subjects (pseudonym, commitment, salt, key) VALUES (?, ?, ?, ?)",
                (PSEUDONYM, subject, b"s" * 32, b"k" * 32),
            )
        for version in trail.records("version", owner=HOSPITALS[0])[:_VERSIONS_OF_A_PERSON]:
            dataset = register.manifests.ensure_dataset(
                str(version.body["name"]), str(version.body["dataset_id"])
            )
            held = ManifestRow("hmac-sha256:" + "0" * 64, subject, consent.record_id)
            register.manifests.add_version(version.record_id, dataset.dataset_id, 1, [held])
            register.manifests.mark_registered(version.record_id)


def _register(directory: Path) -> Path:
    return directory / "custody" / "subjects.sqlite"


def _since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def main(directory: Path, index: Path) -> None:
    """Serve until terminated; the origin is the first line of standard output."""
    port = free_port(_HOST)
    origin = f"https://{_HOST}:{port}"
    authority = (directory / "authority.pem").read_bytes()
    members = MspManager([Msp.from_config(build_msp_config(HOSPITALS[0], root_certificates=[authority]))])
    register = SubjectRegister(_register(directory))
    outbox = TrailReadOutbox(directory / "reads" / "reads.sqlite")

    def keep(officer: Officer, question: str, **read: Any) -> None:
        outbox.keep(new_read(question, shown_to=officer.enrolment_id, **read))

    settings = WebSettings(
        origin=origin,
        msp_id=HOSPITALS[0],
        kind="hospital",
        channel="consentry",
        engine=open_database(f"sqlite:///{index}"),
        members=lambda: members,
        reads=keep,
        keep_sign_in=lambda _signed: None,
        prover=None,
        probe=None,
        clock=utc_clock,
        register=lambda: register,
    )
    tls = https_serving.self_signed(directory, _HOST, "benchmark")

    @asynccontextmanager
    async def listen(stopping: asyncio.Event) -> AsyncIterator[int]:
        application = create_application(settings)
        async with https_serving.listening(
            application, _HOST, port, tls, stopping, http=CertificateProtocol
        ) as actual:
            yield actual

    asyncio.run(https_serving.serve_until_stopped(listen, lambda _port: print(origin, flush=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
