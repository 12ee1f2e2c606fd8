"""Contract `datasets`: versions of the custodians' datasets."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.dataset import Dataset, DatasetVersion, NewDatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.settings import Settings
from fabric_shim import Context, evaluation, transaction

from .actors import Actor, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import Snapshot, put_owned, read


class Datasets(LedgerContract):
    """Functions `datasets:…`."""

    name = "datasets"

    @transaction
    async def register(self, ctx: Context, version: NewDatasetVersion) -> None:
        """Register a version of the caller's dataset, and the dataset with its first version.

        Raises VERSION_EXISTS, VERSION_NUMBER_TAKEN, DATASET_DIFFERS, DATASET_NAME_TAKEN, VERSION_NOT_FOUND
        (for a version that it was derived from).
        """
        key = keys.version(version.version_id)
        state = await read(ctx, keys.SETTINGS, *_keys(ctx.caller.msp_id, version))
        settings = state.settings()
        actor = member(ctx, settings)
        state.check_absent(key, LedgerError("VERSION_EXISTS", {"version_id": version.version_id}))
        for source in version.derived_from:
            missing = LedgerError("VERSION_NOT_FOUND", {"version_id": source})
            state.required(DatasetVersion, keys.version(source), missing)
        await _write_dataset(ctx, state, actor, settings, version)
        record = DatasetVersion.registered(
            version, custodian=actor.msp_id, registered_at=proposal_instant(ctx)
        )
        await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
        number_key = keys.dataset_number(version.dataset_id, version.number)
        await ctx.stub.put_state(number_key, version.version_id.encode("ascii"))
        emit(
            ctx,
            events.VERSION_REGISTERED,
            version_id=version.version_id,
            dataset_id=version.dataset_id,
            custodian=actor.msp_id,
        )

    @evaluation
    async def get(self, ctx: Context, version_id: str) -> DatasetVersion:
        """A dataset version; raises VERSION_NOT_FOUND."""
        check_identifier("version_id", "version", version_id)
        key = keys.version(version_id)
        missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
        return (await read(ctx, key)).required(DatasetVersion, key, missing)


def _keys(msp_id: str, version: NewDatasetVersion) -> tuple[str, ...]:
    return (
        keys.version(version.version_id),
        keys.dataset(version.dataset_id),
        keys.dataset_name(msp_id, version.name),
        keys.dataset_number(version.dataset_id, version.number),
        *(keys.version(source) for source in version.derived_from),
    )


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
