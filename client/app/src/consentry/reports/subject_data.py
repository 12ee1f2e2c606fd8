"""What the trail index holds about one subject."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection

from consentry.index import Basis, RecordRow, RowManifest
from consentry.index.accesses import Access
from consentry.index.checkpoint import IndexFault
from consentry.index.lineage import WithdrawalImpact, withdrawal_impact
from consentry.index.record_kinds import SUBJECT
from consentry.index.rows import find_findings, find_records, get_records
from consentry.reports.consents_over_time import ConsentOverTime
from consentry.reports.limits import LimitsOverTime, limits_over_time
from consentry.reports.members import Member, members_of
from consentry_records.consent import Consent


@dataclass(frozen=True)
class SubjectData:
    """Everything in the index that concerns one subject, each record once and in ledger order.

    Attributes:
        consents: the subject's consents, at least one.
        versions: dataset versions with rows of the subject.
        grants: grants on them.
        accesses: attempts on them.
        sessions: training sessions that used them.
        rounds: rounds of these sessions.
        statements: statements on them that trainers made while the ledger could not be reached.
        model_versions: model versions that they made.
        models: models of these versions.
        rows_are_known: whether the custodian's row manifest names the versions; else they only may hold rows.
        basis: the same in a sentence.
        remarks: findings about any of these records.
        members: of the consortium, by MSP id.
        limits: opt-outs and other limits on the use of the subject's data.
    """

    consents: tuple[RecordRow, ...]
    versions: tuple[RecordRow, ...] = ()
    grants: tuple[RecordRow, ...] = ()
    accesses: tuple[Access, ...] = ()
    sessions: tuple[RecordRow, ...] = ()
    rounds: tuple[RecordRow, ...] = ()
    statements: tuple[RecordRow, ...] = ()
    model_versions: tuple[RecordRow, ...] = ()
    models: tuple[RecordRow, ...] = ()
    rows_are_known: bool = True
    basis: str = ""
    remarks: tuple[str, ...] = ()
    members: Mapping[str, Member] = field(default_factory=dict)
    limits: LimitsOverTime = field(default_factory=LimitsOverTime)

    @property
    def honoured_consents(self) -> tuple[RecordRow, ...]:
        """The consents that their custodian endorsed; others are shown and not relied on."""
        return tuple(consent for consent in self.consents if consent.honoured)

    @property
    def custodian(self) -> str:
        """MSP id of whose subject this is."""
        return (self.honoured_consents or self.consents)[0].owner

    @cached_property
    def sessions_by_attempt(self) -> Mapping[str, Sequence[str]]:
        """Attempt → training sessions that used its permit."""
        return _grouped(
            (str(attempt), row.record_id) for row in self.sessions for attempt in row.body["attempts"]
        )

    @cached_property
    def model_versions_by_session(self) -> Mapping[str, Sequence[str]]:
        """Training session → model versions that it made."""
        pairs = (
            (str(name), row.record_id) for row in self.model_versions for name in row.body.get("sessions", ())
        )
        return _grouped(pairs)

    @cached_property
    def rounds_by_session(self) -> Mapping[str, Sequence[str]]:
        """Training session → its rounds."""
        return _grouped((str(row.body.get("session_id")), row.record_id) for row in self.rounds)

    @cached_property
    def consents_over_time(self) -> tuple[ConsentOverTime, ...]:
        """The consents that are relied on, as they were at any instant."""
        return tuple(map(ConsentOverTime, self.relied_on))

    @cached_property
    def relied_on(self) -> tuple[Consent, ...]:
        """The honoured consents, read."""
        return tuple(Consent.from_dict(row.body) for row in self.honoured_consents if row.body)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def collect(connection: Connection, subject: str, manifest: RowManifest | None) -> SubjectData:
    """Gather what the index holds about one subject.

    Raises:
        IndexFault: SUBJECT_NOT_INDEXED.
    """
    consents = find_records(connection, "consent", subject=subject)
    if not consents:
        raise IndexFault(
            "SUBJECT_NOT_INDEXED",
            "The index has no consent of this subject; check the commitment, "
            "and that the index is up to date.",
        )
    impacts = [withdrawal_impact(connection, consent.record_id, manifest) for consent in consents]
    models = {
        str(version.body["model_id"])
        for impact in impacts
        for version in impact.model_versions
        if version.body
    }
    return SubjectData(
        consents=tuple(consents),
        versions=_merged(impact.versions for impact in impacts),
        grants=_merged(impact.grants for impact in impacts),
        accesses=_merged_accesses(impacts),
        sessions=_merged(impact.sessions for impact in impacts),
        rounds=_merged(impact.rounds for impact in impacts),
        statements=_merged(impact.statements for impact in impacts),
        model_versions=_merged(impact.model_versions for impact in impacts),
        models=tuple(get_records(connection, "model", models)),
        rows_are_known=all(impact.basis is Basis.ROW_MANIFEST for impact in impacts),
        basis=" ".join(dict.fromkeys(impact.note for impact in impacts)),
        remarks=_remarks(connection, consents, impacts, subject),
        members=members_of(connection),
        limits=limits_over_time(connection, subject),
    )


def _remarks(
    connection: Connection, consents: list[RecordRow], impacts: list[WithdrawalImpact], subject: str
) -> tuple[str, ...]:
    concerned = {(SUBJECT, subject), *((row.kind, row.record_id) for row in consents)}
    for impact in impacts:
        for group in (impact.versions, impact.grants, impact.sessions, impact.rounds, impact.model_versions):
            concerned |= {(row.kind, row.record_id) for row in group}
        concerned |= {
            (kind, access.attempt_id) for access in impact.accesses for kind in ("attempt", "decision")
        }
    return tuple(
        f"Block {finding.block}: {finding.sentence}"
        for finding in find_findings(connection)
        if (finding.kind, finding.record_id) in concerned
    )


def _merged(groups: Iterable[tuple[RecordRow, ...]]) -> tuple[RecordRow, ...]:
    found = {row.record_id: row for group in groups for row in group}
    return tuple(sorted(found.values(), key=lambda row: (row.first_block, row.record_id)))


def _merged_accesses(impacts: list[WithdrawalImpact]) -> tuple[Access, ...]:
    found = {access.attempt_id: access for impact in impacts for access in impact.accesses}
    return tuple(sorted(found.values(), key=lambda access: (access.block, access.attempt_id)))
