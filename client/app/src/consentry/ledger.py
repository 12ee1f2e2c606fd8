"""The ledger as one identity sees it: consents, datasets, grants, access, training, models, blocks.

What needs pandas or numpy is imported with its first use: a decision service or a command that needs neither
starts in a fifth of the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from consentry.access import Access
from consentry.acting import AS_VARIABLE, INDEX_VARIABLE, load_profile, wallet_identity
from consentry.errors import LedgerUnreachable, NetworkRefused
from consentry.grants import Grants
from consentry.identity import WalletIdentity
from consentry.organization_gateway import organization_gateway
from consentry.outbox import Outbox
from consentry.profile import NetworkProfile
from consentry.subjects import SubjectRegister
from consentry.transactions import Transactions, checked
from consentry_records.settings import Settings, SettingsVote
from consentry_records.training import FinishedSession
from fabric_gateway import Clock, EventStream, Gateway, StreamError, Timeouts, utc_clock

if TYPE_CHECKING:
    from consentry.breaches import Breaches
    from consentry.consents import Consents
    from consentry.data import Data
    from consentry.datasets import Datasets
    from consentry.functions import Functions
    from consentry.ledger_trail import LedgerTrail
    from consentry.models import Models
    from consentry.reviews import Reviews
    from consentry.rights import Rights
    from consentry.trail_read_outbox import TrailReadOutbox
    from consentry.trail_reads import TrailReads
    from consentry.training import Training


def connect(
    network: Path | str | NetworkProfile | None = None,
    identity: WalletIdentity | str | None = None,
    *,
    clock: Clock | None = None,
    timeouts: Timeouts | None = None,
    environment: Mapping[str, str] | None = None,
    index: str = "",
) -> Ledger:
    """Connect an identity to its organization's peers that network.json names; while one does not answer,
    the next is asked.

    `network` is network.json, the directory that holds it, or a profile that was read (default: the
    variable CONSENTRY_NETWORK of `environment`, which is this process's). `identity` is an identity, or
    "organization/label" of the wallet beside network.json, which is re-enrolled before its certificate ends
    (default: the variable CONSENTRY_AS). `index` is the SQLAlchemy URL of the trail index (default: the
    variable CONSENTRY_INDEX, else `index.sqlite` beside network.json). `clock` gives proposals their
    timestamps (default: this machine's).

    Raises:
        ConfigurationError: network.json or a file that it names is missing or wrong; a wallet is locked.
        InputRejected: IDENTITY_MISSING, or the wallet has no such identity.
    """
    variables = os.environ if environment is None else environment
    profile = network if isinstance(network, NetworkProfile) else load_profile(network, variables)
    now = clock or utc_clock
    if not isinstance(identity, WalletIdentity):
        identity = wallet_identity(profile, identity or variables.get(AS_VARIABLE, ""), now(), variables)
    organization = profile.organization(identity.msp_id)
    gateway = organization_gateway(organization, identity, clock=now, timeouts=timeouts)
    return Ledger(profile, identity, gateway, clock=now, index=index or variables.get(INDEX_VARIABLE, ""))


class Ledger:
    """A connected ledger; a context manager that closes its gateway and its subject register.

    Example:
        with connect(Path(".consentry/demo"), wallet.get("steward")) as ledger:
            ledger.consents.import_frame(frame)
    """

    def __init__(
        self,
        profile: NetworkProfile,
        identity: WalletIdentity,
        gateway: Gateway,
        *,
        clock: Clock = utc_clock,
        index: str = "",
    ) -> None:
        self.clock = clock
        self._index = index
        self.profile = profile
        self.identity = identity
        self._gateway = gateway
        self._register: SubjectRegister | None = None
        self._outbox: Outbox | None = None
        self._read_outbox: TrailReadOutbox | None = None
        self._closing: list[Callable[[], None]] = []
        self.transport = gateway.transport
        self.network = gateway.network(profile.channel)
        self.contract = self.network.contract(profile.chaincode)
        self.transactions = Transactions(self.contract)

    @property
    def subjects(self) -> SubjectRegister:
        """The custodian's own register of subjects: salts, keys, row manifests; opened on first use."""
        if self._register is None:
            organization = self.profile.organization(self.identity.msp_id)
            self._register = SubjectRegister(self.profile.subject_register(organization.name))
        return self._register

    @property
    def kept_subjects(self) -> SubjectRegister | None:
        """The register if the organization has one by now: looking for it makes none."""
        path = self.profile.subject_register(self.profile.organization(self.identity.msp_id).name)
        return self.subjects if path.is_file() else None

    @property
    def outbox(self) -> Outbox:
        """What was stated of own sessions while the ledger could not be reached; `send` records it.

        Sessions whose process died on this machine have their end stated once this is opened.
        """
        if self._outbox is None:
            organization = self.profile.organization(self.identity.msp_id)
            path = self.profile.outbox(organization.name, self.identity.enrolment_id)
            self._outbox = Outbox(path, self.identity, self.transactions, self.clock)
            self._outbox.state_lost()
        return self._outbox

    def _open_read_outbox(self) -> TrailReadOutbox:
        from consentry.trail_read_outbox import TrailReadOutbox

        if self._read_outbox is None:
            organization = self.profile.organization(self.identity.msp_id)
            path = self.profile.trail_read_outbox(organization.name, self.identity.enrolment_id)
            self._read_outbox = TrailReadOutbox(path)
            self._closing.append(self._read_outbox.close)
        return self._read_outbox

    @cached_property
    def consents(self) -> Consents:
        """Import, withdraw, look up and filter by consents."""
        from consentry.consents import Consents

        return Consents(self.transactions, self.identity.msp_id, lambda: self.subjects, self.clock)

    @cached_property
    def rights(self) -> Rights:
        """Requests of data subjects."""
        from consentry.rights import Rights

        return Rights(self.transactions, self.identity.msp_id, lambda: self.subjects, self.clock)

    @cached_property
    def datasets(self) -> Datasets:
        """Register dataset versions and look them up."""
        from consentry.datasets import Datasets

        return Datasets(self.transactions, self.identity.msp_id, lambda: self.subjects)

    @cached_property
    def data(self) -> Data:
        """Rows that custodians' gates let out."""
        from consentry.data import Data

        return Data(self.transactions, self.profile, self.identity, self.clock)

    @cached_property
    def functions(self) -> Functions:
        """Register functions that come to the data, and approve them for one's own."""
        from consentry.functions import Functions

        return Functions(self.transactions, self.identity.msp_id, self.clock)

    @cached_property
    def grants(self) -> Grants:
        """Request, give, change, revoke and suspend access."""
        return Grants(self.transactions, self.clock)

    @cached_property
    def access(self) -> Access:
        """Attempt access and learn the custodian's decision."""
        return Access(self.transactions)

    @cached_property
    def reviews(self) -> Reviews:
        """Review requests for access and emergency accesses."""
        from consentry.reviews import Reviews

        return Reviews(self.transactions, self.identity.msp_id)

    @cached_property
    def models(self) -> Models:
        """Register models and their versions."""
        from consentry.models import Models

        return Models(self.transactions)

    @cached_property
    def breaches(self) -> Breaches:
        """Keep the organization's register of personal data breaches."""
        from consentry.breaches import Breaches

        return Breaches(self.transactions)

    @cached_property
    def trail_reads(self) -> TrailReads:
        """Put reads of the trail on the trail."""
        from consentry.trail_reads import TrailReads

        return TrailReads(self.transactions, self._open_read_outbox, self.clock)

    @cached_property
    def trail(self) -> LedgerTrail:
        """Questions to the verified index, each recorded; `update` brings it to the own peer's newest block.

        Raises:
            IndexFault: INDEX_URL_INVALID, INDEX_UNREACHABLE, INDEX_VERSION.
        """
        from consentry.index import open_database
        from consentry.ledger_trail import LedgerTrail

        engine = open_database(self._index or self.profile.index_url)
        self._closing.append(engine.dispose)
        record = self.trail_reads.record_or_keep
        return LedgerTrail(engine, record, self.profile, self.identity.msp_id, self.network)

    def training(
        self,
        *,
        model: str,
        datasets: Sequence[str],
        purpose: str,
        commercial: bool = False,
        hyperparameters: Mapping[str, object] | None = None,
        code: Path | None = None,
        decision_timeout: float = 60.0,
        output: str = "rows",
        columns: Sequence[str] = (),
    ) -> Training:
        """Return a training session, to be used by `with`.

        On entry one access attempt for each dataset version is made and decided, then the session starts;
        on leaving it is recorded as completed, or as failed when an exception leaves the block.

        `model` is a model's name (registered when it is new) or id, `datasets` dataset version ids, `purpose`
        a code of `consentry_records.vocabulary.PURPOSES`, `code` the training program (default: the running
        one), `decision_timeout` seconds to wait for each custodian, `output` what comes out of the custodians
        ("rows", or "aggregate" in federated training, which grants for aggregates only demand), `columns` the
        versions' columns that are used (none: all).

        Raises (on entry):
            AccessDenied: a custodian denied; the denial is on record and no session was started.
            DecisionPending: a custodian has not decided in time.
        """
        from consentry.training import Training, TrainingPlan

        plan = TrainingPlan(
            model=model,
            datasets=tuple(datasets),
            purpose=purpose,
            commercial=commercial,
            hyperparameters=dict(hyperparameters or {}),
            code=code,
            decision_timeout=decision_timeout,
            output=output,
            columns=tuple(columns),
        )
        return Training(self.transactions, plan, lambda: self.outbox)

    def end_training(self, session_id: str, *, state: str, failure: str | None = None) -> None:
        """Record the end of a running session of the own organization whose trainer vanished.

        `state` is completed, failed or aborted, `failure` a code of `consentry_records.training.FAILURES`.
        Others end by themselves: on leaving their `with` block, or where their process died on this machine.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: SESSION_NOT_FOUND, SESSION_NOT_RUNNING, NOT_OWNER, …
        """
        finished = checked(lambda: FinishedSession(session_id=session_id, state=state, failure=failure))
        self.transactions.submit("training:finish", finished)

    def training_usage(self, session_id: str) -> dict[str, Any]:
        """Return a session, and for each dataset version what it used against what it was granted.

        `versions` has for each `version_id`, `grant_id`, `granted_until`, `row_count`, `rows` (None where the
        session did not say) and `findings`, codes of `consentry_records.usage`.

        Raises:
            LedgerRefused: SESSION_NOT_FOUND.
        """
        answer: dict[str, Any] = self.transactions.evaluate("training:usage", session_id)
        return answer

    def initialize(self, settings: Settings) -> None:
        """Write the ledger's settings, once, as a regulator.

        Raises:
            LedgerRefused: LEDGER_ALREADY_INITIALIZED, ROLE_REQUIRED, SETTINGS_INVALID, …
        """
        self.transactions.submit("ledger:initialize", settings)

    def settings(self) -> Settings:
        """Return the ledger's settings.

        Raises:
            LedgerRefused: LEDGER_NOT_INITIALIZED.
        """
        return Settings.from_dict(self.transactions.evaluate("ledger:settings"))

    def vote(self, settings: Settings) -> Settings:
        """Vote for other settings in the name of the own organization; a majority puts them in force.

        Args:
            settings: Those in force with changes; their revision says from which they were made.

        Returns:
            What was voted for: the same with the next revision.

        Raises:
            LedgerRefused: ROLE_REQUIRED, SETTINGS_UNCHANGED, SETTINGS_VOTE_EXISTS; SETTINGS_INVALID, others
                are in force by now, too.
        """
        wanted = settings.succeeding()
        self.transactions.submit("ledger:vote", wanted)
        return wanted

    def votes(self) -> list[SettingsVote]:
        """Return the votes for other settings in place of those in force."""
        answer = self.transactions.evaluate("ledger:votes")
        return [SettingsVote.from_dict(vote) for vote in answer["votes"]]

    def events(self, *, start_block: int | None = None) -> EventStream:
        """Follow the ledger's events (ids only) from the next block, or from `start_block`."""
        return self.network.chaincode_events(self.profile.chaincode, start_block=start_block)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield blocks from `start` to `stop` (inclusive; for ever without) as sent; nothing is verified.

        Raises:
            LedgerUnreachable: the stream broke off.
            NetworkRefused: BLOCKS_REFUSED, the peer does not give them.
        """
        try:
            yield from self.network.blocks(start, stop)
        except StreamError as error:
            if error.code in ("FORBIDDEN", "NOT_FOUND", "BAD_REQUEST", "INVALID_RESPONSE"):
                raise NetworkRefused("BLOCKS_REFUSED", error.message, {"status": error.code}) from error
            raise LedgerUnreachable(
                "LEDGER_UNREACHABLE", f"the stream of blocks broke off: {error.message}"
            ) from error

    def close(self) -> None:
        """Close the connection, the outboxes, the index and the subject register."""
        self._gateway.close()
        while self._closing:
            self._closing.pop()()
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        if self._register is not None:
            self._register.close()
            self._register = None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
