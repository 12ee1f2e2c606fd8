"""Contract `datasets`: versions of the custodians' datasets, what they were made of, and their retirement."""

from __future__ import annotations

from dataclasses import replace

from consentry_records import events, keys
from consentry_records.dataset import (
    RETIRED,
    Dataset,
    DatasetVersion,
    NewDatasetVersion,
    NewRetirement,
    RemovedRows,
    Retirement,
    VersionUpdate,
)
from consentry_records.errors import LedgerError
from fabric_shim import Context, evaluation, transaction

from .actors import check_custodian, member
from .ledger_contract import LedgerContract, check_follows, check_identifier, emit, proposal_instant
from .lineage import listed, records_of
from .state import advance_epoch, put, put_owned, read
from .version_registration import register


class Datasets(LedgerContract):
    """Functions `datasets:…`."""

    name = "datasets"

    @transaction
    async def register(self, ctx: Context, version: NewDatasetVersion) -> None:
        """Register a version of the caller's dataset, and the dataset with its first version.

        Raises VERSION_EXISTS, VERSION_NUMBER_TAKEN, DATASET_DIFFERS, DATASET_NAME_TAKEN, VERSION_NOT_FOUND
        (for a version that it was derived from or supersedes), SUPERSEDED_DIFFERS, USE_UPDATE.
        """
        if version.removed_root is not None:
            raise LedgerError("USE_UPDATE")
        await register(ctx, version)

    @transaction
    async def update(self, ctx: Context, update: VersionUpdate) -> None:
        """Register a version that lacks rows of the one that it supersedes, and name those rows.

        Raises what `register` raises.
        """
        version = update.version
        settings = await register(ctx, version)
        rows = RemovedRows(
            version_id=version.version_id, supersedes=version.supersedes or "", removed=update.removed
        )
        key = keys.removed(version.version_id)
        await put_owned(ctx, key, rows, owner=ctx.caller.msp_id, settings=settings)

    @transaction
    async def retire(self, ctx: Context, retirement: NewRetirement) -> None:
        """Offer a version no longer: no decision permits its use from the next one on; its record stays.

        Raises VERSION_NOT_FOUND, NOT_CUSTODIAN, VERSION_RETIRED, PROPOSAL_TIME_TOO_EARLY.
        """
        key, named = keys.version(retirement.version_id), {"version_id": retirement.version_id}
        state = await read(ctx, keys.SETTINGS, key)
        settings = state.settings()
        actor = member(ctx, settings)
        version = state.required(DatasetVersion, key, LedgerError("VERSION_NOT_FOUND", named))
        check_custodian(actor, version.custodian)
        if version.state == RETIRED:
            raise LedgerError("VERSION_RETIRED", named)
        retired_at = proposal_instant(ctx)
        check_follows(retired_at, version.registered_at, settings)
        ended = Retirement(reason=retirement.reason, retired_at=retired_at, retired_by=actor.enrolment_id)
        await put(ctx, key, replace(version, state=RETIRED, retirement=ended))
        await advance_epoch(ctx, version.custodian)
        emit(ctx, events.VERSION_RETIRED, version_id=version.version_id, custodian=version.custodian)

    @evaluation
    async def get(self, ctx: Context, version_id: str) -> DatasetVersion:
        """A dataset version; raises VERSION_NOT_FOUND."""
        check_identifier("version_id", "version", version_id)
        key = keys.version(version_id)
        missing = LedgerError("VERSION_NOT_FOUND", {"version_id": version_id})
        return (await read(ctx, key)).required(DatasetVersion, key, missing)

    @evaluation
    async def versions(self, ctx: Context, dataset_id: str) -> list[DatasetVersion]:
        """A dataset's versions in the order of their numbers, at most 1000; raises DATASET_NOT_FOUND."""
        check_identifier("dataset_id", "dataset", dataset_id)
        key, missing = keys.dataset(dataset_id), LedgerError("DATASET_NOT_FOUND", {"dataset_id": dataset_id})
        (await read(ctx, key)).required(Dataset, key, missing)
        found = ctx.stub.get_range(*keys.dataset_numbers(dataset_id))
        return await records_of(ctx, DatasetVersion, keys.version, await listed(found))

    @evaluation
    async def removed(self, ctx: Context, version_id: str) -> RemovedRows | None:
        """The rows that a version lacks against the one that it supersedes, null where it lacks none.

        Raises VERSION_NOT_FOUND.
        """
        check_identifier("version_id", "version", version_id)
        key, removed_key = keys.version(version_id), keys.removed(version_id)
        state = await read(ctx, key, removed_key)
        state.required(DatasetVersion, key, LedgerError("VERSION_NOT_FOUND", {"version_id": version_id}))
        return state.optional(RemovedRows, removed_key)
