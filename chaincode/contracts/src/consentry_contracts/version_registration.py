"""Dataset versions on their way to the ledger: the dataset, names and numbers, what the version came from."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.dataset import Dataset, DatasetVersion, NewDatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.settings import Settings
from fabric_shim import Context

from .actors import Actor, member
from .ledger_contract import emit, proposal_instant
from .state import Snapshot, put_owned, read


async def register(ctx: Context, version: NewDatasetVersion) -> Settings:
    """Write a version of the caller's with its indexes; the ledger's settings, for what else is written."""
    key = keys.version(version.version_id)
    state = await read(ctx, keys.SETTINGS, *_keys(ctx.caller.msp_id, version))
    settings = state.settings()
    actor = member(ctx, settings)
    state.check_absent(key, LedgerError("VERSION_EXISTS", {"version_id": version.version_id}))
    _check_sources(state, version)
    await _write_dataset(ctx, state, actor, settings, version)
    record = DatasetVersion.registered(version, custodian=actor.msp_id, registered_at=proposal_instant(ctx))
    await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
    for index_key in _index_keys(actor.msp_id, version):
        await ctx.stub.put_state(index_key, version.version_id.encode("ascii"))
    emit(
        ctx,
        events.VERSION_REGISTERED,
        version_id=version.version_id,
        dataset_id=version.dataset_id,
        custodian=actor.msp_id,
    )
    return settings


def _sources(version: NewDatasetVersion) -> list[str]:
    superseded = [] if version.supersedes is None else [version.supersedes]
    return list(dict.fromkeys([*version.derived_from, *superseded]))


def _keys(msp_id: str, version: NewDatasetVersion) -> tuple[str, ...]:
    return (
        keys.version(version.version_id),
        keys.dataset(version.dataset_id),
        keys.dataset_name(msp_id, version.name),
        keys.dataset_number(version.dataset_id, version.number),
        *(keys.version(source) for source in _sources(version)),
    )


def _index_keys(msp_id: str, version: NewDatasetVersion) -> list[str]:
    return [
        keys.dataset_number(version.dataset_id, version.number),
        keys.composite(keys.VERSIONS_OF_CUSTODIAN, msp_id, version.version_id),
        *(keys.composite(keys.DERIVED_VERSIONS, source, version.version_id) for source in _sources(version)),
    ]


def _check_sources(state: Snapshot, version: NewDatasetVersion) -> None:
    for source in _sources(version):
        missing = LedgerError("VERSION_NOT_FOUND", {"version_id": source})
        found = state.required(DatasetVersion, keys.version(source), missing)
        if source != version.supersedes:
            continue
        if found.dataset_id != version.dataset_id:
            raise LedgerError("SUPERSEDED_DIFFERS", {"version_id": source})
        if version.removed_count and version.row_count != found.row_count - version.removed_count:
            # A row that went without being named would be a withdrawal that nobody can follow.
            raise LedgerError("REMOVAL_INVALID")


async def _write_dataset(
    ctx: Context, state: Snapshot, actor: Actor, settings: Settings, version: NewDatasetVersion
) -> None:
    """Write the dataset if this is its first version; refuse what does not fit the one that is there."""
    key, name_key = keys.dataset(version.dataset_id), keys.dataset_name(actor.msp_id, version.name)
    wanted = Dataset(dataset_id=version.dataset_id, name=version.name, custodian=actor.msp_id)
    known = state.optional(Dataset, key)
    if known is not None:
        if known != wanted:
            raise LedgerError("DATASET_DIFFERS", {"dataset_id": version.dataset_id})
        number_key = keys.dataset_number(version.dataset_id, version.number)
        taken: dict[str, str | int] = {"dataset_id": version.dataset_id, "number": version.number}
        state.check_absent(number_key, LedgerError("VERSION_NUMBER_TAKEN", taken))
        return
    holder = state.text(name_key)
    if holder is not None:
        raise LedgerError("DATASET_NAME_TAKEN", {"dataset_id": holder})
    await put_owned(ctx, key, wanted, owner=actor.msp_id, settings=settings)
    await ctx.stub.put_state(name_key, version.dataset_id.encode("ascii"))
