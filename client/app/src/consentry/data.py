"""Data of other members: `ledger.data.open` gives the rows that a custodian's gate lets out, verified.

Example:
    with ledger.data.open(version_id, purpose="DUO:0000006") as rows:
        frame = rows.frame()
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pandas as pd

from consentry.access import Access, reasons_in_words
from consentry.errors import AccessDenied, ConsentryError, InputRejected
from consentry.identity import WalletIdentity
from consentry.profile import NetworkProfile
from consentry.provenance import code_digest
from consentry.transactions import Transactions
from consentry_records.access import AGGREGATE
from consentry_records.dataset import DatasetVersion
from consentry_records.delivery import ENDS, NewDelivery
from consentry_records.errors import LedgerError
from fabric_gateway import Clock

if TYPE_CHECKING:
    import pyarrow as pa

    from consentry.gate.compute.calling import ComputeResult
    from consentry.gate.connection import GateConnection

Progress = Callable[[int, int], None]
_TRIES = 6
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
# Worth going on after: the gate comes back.
_PASSING = frozenset({"gate-stopped"})


class DeliveryStopped(ConsentryError):
    """The gate ended the stream: DELIVERY_STOPPED; `end` is a code of `consentry_records.delivery.ENDS`.

    What came before is verified; `DataStream.rows` says how much.
    """

    def __init__(self, end: str, rows: int) -> None:
        super().__init__(
            "DELIVERY_STOPPED", f"the gate stopped after {rows} rows: {ENDS[end]}", {"end": end, "rows": rows}
        )
        self.end = end


class Data:
    """Rows of dataset versions, from their custodians' gates."""

    def __init__(
        self,
        transactions: Transactions,
        profile: NetworkProfile,
        identity: WalletIdentity,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._profile = profile
        self._identity = identity
        self._clock = clock

    def open(
        self,
        version_id: str,
        *,
        purpose: str,
        commercial: bool = False,
        columns: Sequence[str] | None = None,
        session_id: str | None = None,
        attempt_id: str | None = None,
        progress: Progress | None = None,
    ) -> DataStream:
        """Attempt access to a dataset version and return the stream of its rows, which asks its custodian's
        gate for them as it is read.

        `purpose` is a code of `vocabulary.PURPOSES`; `columns` those wanted (default: all; what is proved of
        rows that lack some: ADR 26); `session_id` the training session that it is for; `attempt_id` an
        attempt of one's own that was made before, whose columns hold. `progress` is called with (rows gone
        through, rows of the version).

        Raises:
            InputRejected: GATE_MISSING without `consentry[gate]`; ATTEMPT_MADE, columns beside an attempt
                that was made before; a malformed argument.
            LedgerRefused: VERSION_NOT_FOUND, …
            ConfigurationError: GATE_UNKNOWN.
        """
        version = DatasetVersion.from_dict(self._transactions.evaluate("datasets:get", version_id))
        connection = self._connection(version.custodian)
        try:
            connection.connect()
            access, named = Access(self._transactions), tuple(columns or ())
            if attempt_id is not None:
                if named:
                    raise _made()
                named = access.get(attempt_id).attempt.columns
            made = attempt_id or access.attempt(
                version_id, purpose=purpose, commercial=commercial, session_id=session_id, columns=named
            )
        except BaseException:
            connection.close()
            raise
        return DataStream(self._transactions, connection, version, made, named, progress)

    def aggregates(
        self, version_id: str, *, purpose: str, commercial: bool = False, columns: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Attempt access for aggregates; return the version's frozen ones (`gate.aggregates.compute`).

        `columns` are those that the aggregates are of, where a grant is for some only.

        Raises:
            AccessDenied: with the committed denial.
            GateRefused: AGGREGATES_MISSING, AGGREGATES_FOR_OTHERS, …
            GateUnreachable, InputRejected, LedgerRefused, ConfigurationError
        """
        version = DatasetVersion.from_dict(self._transactions.evaluate("datasets:get", version_id))
        connection, access = self._connection(version.custodian), Access(self._transactions)
        made = access.attempt(
            version_id, purpose=purpose, commercial=commercial, output=AGGREGATE, columns=columns
        )
        try:
            return connection.aggregates(made)
        except ConsentryError as error:
            raise denial(access, made, error) from None
        finally:
            connection.close()

    def compute(
        self,
        version_id: str,
        *,
        function: Path,
        purpose: str,
        parameters: Mapping[str, Any] | None = None,
        commercial: bool = False,
        columns: Sequence[str] = (),
        session_id: str | None = None,
        attempt_id: str | None = None,
        progress: Progress | None = None,
    ) -> ComputeResult:
        """Attempt access for a function that comes to the data; return its outputs once it has run there.

        `function` is a Python file with `train(frame, parameters)` that the own organization has registered
        and the custodian approves (`ledger.functions`); `parameters` are JSON values; `columns` those that it
        gets (default: all); `session_id` the training session that it is for; `attempt_id` an own attempt of
        an earlier, equal call: what its run gave is fetched, or its run waited for, and nothing is run or
        used twice. `progress` is called with (rows given to it, rows of the version).

        Raises:
            AccessDenied: with the committed denial.
            InputRejected: ATTEMPT_MADE, columns or a session beside an attempt that was made before.
            FunctionStopped: it gave nothing: it failed, went beyond its limits, or its permit ended.
            DataAltered: the outputs are not those that the ledger has.
            GateRefused: ISOLATION_UNAVAILABLE, GATE_BUSY, …
            GateUnreachable, InputRejected, LedgerRefused, ConfigurationError
        """
        version = DatasetVersion.from_dict(self._transactions.evaluate("datasets:get", version_id))
        connection = self._connection(version.custodian)
        from consentry.gate.compute.calling import compute
        from consentry.gate.compute.wire import write_call

        try:
            digest = code_digest(function)
            # Line ends as they are: what is sent has the digest that is on the ledger.
            call = write_call(function.read_bytes().decode("utf-8"), parameters or {})
            if attempt_id is not None and (columns or session_id):
                raise _made()
            made = attempt_id or Access(self._transactions).attempt(
                version_id,
                purpose=purpose,
                commercial=commercial,
                output=AGGREGATE,
                columns=columns,
                session_id=session_id,
                function_digest=digest,
            )
            return compute(self._transactions, connection, made, call, progress)
        except UnicodeDecodeError as error:
            raise InputRejected("CODE_UNREADABLE", f"{function} is no text in UTF-8") from error
        finally:
            connection.close()

    def _connection(self, custodian: str) -> GateConnection:
        try:
            from consentry.gate.address import GateAddress
            from consentry.gate.client_certificates import own_certificate
            from consentry.gate.connection import GateConnection
        except ImportError as error:
            raise InputRejected("GATE_MISSING", "needs pyarrow: pip install 'consentry[gate]'") from error
        address = GateAddress.of(self._profile, self._profile.organization(custodian).name)
        own = own_certificate(self._profile)
        return GateConnection(address, custodian, self._identity, self._clock, own)


class DataStream:
    """Verified Arrow batches of one version, in the order of its rows; a context manager.

    A broken connection is taken up again where it was, under the same permit: no second use is counted.
    `token` goes on from the last verified batch, also in another process (`resume`); `deliveries` are what
    the gate says that it gave out, one a connection that came to its end, each checked against what came.
    """

    def __init__(
        self,
        transactions: Transactions,
        connection: GateConnection,
        version: DatasetVersion,
        attempt_id: str,
        columns: Sequence[str],
        progress: Progress | None,
    ) -> None:
        self._transactions = transactions
        self._connection = connection
        self._columns = tuple(columns)
        self._progress = progress
        self._next_row = 0
        self._is_begun = False
        self.version = version
        self.attempt_id = attempt_id
        self.rows = 0
        self.token: str | None = None
        self.deliveries: list[NewDelivery] = []

    def batches(self, *, with_consents: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches, once; with `consentry.subject` and `consentry.consent` beside them if
        wanted: whose row it is as the ledger knows him, and the consent that it rests on.

        Raises:
            AccessDenied: with the committed denial.
            DataAltered: a row is not the registered one; it is named, and nothing from its piece on is given.
            DeliveryStopped: the permit ended, was overtaken, …
            GateRefused, GateUnreachable
        """
        from consentry.gate import row_blocks
        from consentry.gate.connection import GateUnreachable

        if self._is_begun:
            raise InputRejected("STREAM_READ", "this stream was read before; open another one")
        self._is_begun, tries, pause = True, _TRIES, _FIRST_PAUSE_SECONDS
        hidden = () if with_consents else (row_blocks.SUBJECT, row_blocks.CONSENT)
        while True:
            before = self._next_row
            try:
                for batch in self._connected():
                    shown = [n for n in batch.schema.names if n not in (*hidden, row_blocks.DIGEST)]
                    yield batch.select(shown)
                return
            except (GateUnreachable, DeliveryStopped) as error:
                if isinstance(error, DeliveryStopped) and error.end not in _PASSING:
                    raise
                if self._next_row > before:
                    tries, pause = _TRIES, _FIRST_PAUSE_SECONDS
                tries -= 1
                if not tries:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def frame(self) -> pd.DataFrame:
        """Return all rows as a frame; raises as `batches`."""
        import pyarrow as pa

        batches = list(self.batches())
        return pa.Table.from_batches(batches).to_pandas() if batches else pd.DataFrame()

    def to_parquet(self, path: Path) -> int:
        """Write all rows to a Parquet file, one batch in memory at a time; return how many.

        The file appears whole or not at all; raises as `batches`.
        """
        import pyarrow.parquet as parquet

        temporary = path.with_name(f".{path.name}.part")
        writer: Any = None
        try:
            for batch in self.batches():
                if writer is None:
                    writer = parquet.ParquetWriter(temporary, batch.schema)
                writer.write_batch(batch)
            if writer is None:
                pd.DataFrame().to_parquet(temporary)
            else:
                writer.close()
            temporary.replace(path)
        finally:
            if writer is not None:
                writer.close()
            temporary.unlink(missing_ok=True)
        return self.rows

    def resume(self, token: str, row: int) -> None:
        """Go on from a token that an earlier stream of the same attempt had before that row (`next_row`)."""
        self.token, self._next_row = token, row

    @property
    def next_row(self) -> int:
        """How many of the version's rows were gone through: what `resume` takes beside the token."""
        return self._next_row

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> DataStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _connected(self) -> Iterator[pa.RecordBatch]:
        """The verified batches of one connection."""
        from consentry.gate.arrival import Arrival
        from consentry.gate.connection import GateRefused, GateUnreachable

        try:
            with self._connection.rows(self.attempt_id, self.token) as stream:
                arrival = Arrival(self.version, stream.metadata, self._next_row, self._columns)
                for batch, metadata in stream.batches():
                    proof = arrival.check(batch, metadata)
                    self.token, self._next_row = proof.token, proof.first_row + proof.rows
                    self.rows += batch.num_rows
                    if self._progress is not None:
                        self._progress(self._next_row, self.version.row_count)
                    yield batch
                if stream.end is None:
                    raise GateUnreachable("GATE_UNREACHABLE", "the gate's stream broke off")
                self._finish(arrival, stream.end)
        except GateRefused as error:
            raise denial(Access(self._transactions), self.attempt_id, error) from None

    def _finish(self, arrival: Any, end: dict[str, Any]) -> None:
        from consentry.gate.arrival import DataAltered

        try:
            record = NewDelivery.from_dict(end["delivery"])
        except (LedgerError, KeyError) as error:
            raise DataAltered("DELIVERY_DIFFERS", "the gate's account of the delivery is none") from error
        arrival.check_end(record)
        self.deliveries.append(record)
        if record.end != "completed":
            raise DeliveryStopped(record.end, self.rows)
        if not arrival.is_whole:
            raise DataAltered("DELIVERY_DIFFERS", "the gate says that it gave out all rows, and did not")


def _made() -> InputRejected:
    return InputRejected("ATTEMPT_MADE", "an attempt that was made names its columns and session itself")


def denial(access: Access, attempt_id: str, error: ConsentryError) -> ConsentryError:
    """Return a gate's refusal; where it is a denial, the one that the ledger has, whatever the gate said."""
    if error.code != "ACCESS_DENIED":
        return error
    decision = access.wait_for_decision(attempt_id)
    return AccessDenied(decision, reasons_in_words(decision))
