"""Contract `impact`: lineage both ways, by index keys and keys alone."""

from __future__ import annotations

from collections.abc import Sequence

from consentry_records import keys
from consentry_records.access import AccessDecision
from consentry_records.consent import Consent
from consentry_records.dataset import DatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant
from consentry_records.impact import CUSTODIAN_AND_TIME, MAXIMUM_FOUND, NAMED, Impact, ImpactQuery, Origin
from consentry_records.training import TrainingSession
from fabric_shim import Context, evaluation

from .ledger_contract import LedgerContract, check_identifier
from .lineage import Search, ancestry, records_of
from .state import read


class ImpactContract(LedgerContract):
    """Functions `impact:…`."""

    name = "impact"

    @evaluation
    async def of_consent(self, ctx: Context, query: ImpactQuery) -> Impact:
        """What rests on a consent, withdrawn or not; raises CONSENT_NOT_FOUND, VERSION_NOT_FOUND."""
        key = keys.consent(query.consent_id)
        missing = LedgerError("CONSENT_NOT_FOUND", {"consent_id": query.consent_id})
        consent = (await read(ctx, key)).required(Consent, key, missing)
        search = Search(ctx, MAXIMUM_FOUND)
        start = await _named(ctx, query, consent) or await _held(search, consent)
        versions = await search.closure(start, keys.DERIVED_VERSIONS)
        grants = await search.step(versions, keys.GRANT_INDEX)
        sessions = await search.step(versions, keys.SESSIONS_OF_VERSION)
        made = await search.step(sessions, keys.MODEL_VERSIONS_OF_SESSION)
        return Impact(
            consent_id=query.consent_id,
            basis=NAMED if query.versions else CUSTODIAN_AND_TIME,
            versions=tuple(versions),
            grants=tuple(grants),
            sessions=tuple(sessions),
            model_versions=tuple(await search.closure(made, keys.MODEL_VERSIONS_OF_PARENT)),
            complete=search.complete,
        )

    @evaluation
    async def of_model_version(self, ctx: Context, model_version_id: str) -> Origin:
        """Everything that a model version comes from; raises MODEL_VERSION_NOT_FOUND."""
        check_identifier("model_version_id", "modelversion", model_version_id)
        made = await ancestry(ctx, model_version_id, MAXIMUM_FOUND)
        session_ids = [session for version in made for session in version.sessions]
        sessions = await records_of(ctx, TrainingSession, keys.session, session_ids)
        attempts = [attempt for session in sessions for attempt in session.attempts]
        decisions = await records_of(ctx, AccessDecision, keys.decision, attempts)
        grant_ids = [decision.grant_id for decision in decisions if decision.grant_id is not None]
        version_ids = [version for session in sessions for version in session.versions]
        versions = await _sources(ctx, version_ids)
        return Origin(
            model_versions=tuple(made),
            sessions=tuple(sessions),
            grants=tuple(await records_of(ctx, Grant, keys.grant, grant_ids)),
            versions=tuple(versions),
            complete=len(versions) < MAXIMUM_FOUND and len(made) < MAXIMUM_FOUND,
        )


async def _named(ctx: Context, query: ImpactQuery, consent: Consent) -> list[str]:
    """The versions that the query names, each of the consent's custodian."""
    found = await records_of(ctx, DatasetVersion, keys.version, query.versions)
    known = {version.version_id for version in found if version.custodian == consent.custodian}
    for version_id in query.versions:
        if version_id not in known:
            raise LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
    return list(query.versions)


async def _held(search: Search, consent: Consent) -> list[str]:
    """All versions that the custodian registered while the consent held."""
    ids = await search.step([consent.custodian], keys.VERSIONS_OF_CUSTODIAN)
    ended = consent.withdrawn_at or consent.not_after
    return [
        version.version_id
        for version in await records_of(search.ctx, DatasetVersion, keys.version, ids)
        if consent.recorded_at <= version.registered_at < ended
    ]


async def _sources(ctx: Context, version_ids: Sequence[str]) -> list[DatasetVersion]:
    """Dataset versions and what they were derived from, generation by generation."""
    found: dict[str, DatasetVersion] = {}
    wanted = list(dict.fromkeys(version_ids))
    while wanted and len(found) < MAXIMUM_FOUND:
        for version in await records_of(ctx, DatasetVersion, keys.version, wanted[:MAXIMUM_FOUND]):
            found[version.version_id] = version
        sources = [source for name in wanted if name in found for source in found[name].derived_from]
        wanted = [source for source in dict.fromkeys(sources) if source not in found]
    return list(found.values())[:MAXIMUM_FOUND]
