"""One action on its way: offered, fetched by the signer, signed, submitted, committed; or ended otherwise."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from consentry.errors import ConsentryError
from consentry.web.actions import Action

WAITING = "waiting"
FETCHED = "fetched"
ENDORSED = "endorsed"
SUBMITTED = "submitted"
COMMITTED = "committed"
REFUSED = "refused"
INVALID = "invalid"
DECLINED = "declined"
CANCELLED = "cancelled"
EXPIRED = "expired"
ENDS = frozenset({COMMITTED, REFUSED, INVALID, DECLINED, CANCELLED, EXPIRED})


@dataclass(frozen=True, slots=True)
class Headline:
    """An action's transactions by their titles and sentences: what stays to be read once it has ended."""

    titles: tuple[str, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A transaction of an action on the ledger: its id, the block that has it, and its validation code."""

    transaction_id: str
    block: int
    code: str


@dataclass(slots=True)
class Pending:
    """An action and how far it is; whoever reads or changes it holds `lock`.

    Attributes:
        key: random, names it in the address of its page.
        code: what its officer types at the signer.
        serialized: identity of the officer who alone may sign it.
        digest: of the action's bytes.
        headlines: by language.
        expires_at: Unix seconds until which it can be signed.
        came_from: path of the page to go back to.
        action: until it has ended; then None, for it may hold what is private.
        state: one of the states above.
        step: how many of its transactions are committed.
        endorsed: payloads that were endorsed and not submitted yet, by transaction id.
        transaction_file: the endorsed transaction for a machine without a way to the server, or empty.
        submitted: id of the transaction that is submitted and not known to be valid or invalid.
        is_unclear: whether the network did not say if it took that one.
        outcomes: transactions that are on the ledger.
        refusal: why the ledger or the network refused last, or None.
    """

    key: str
    code: str
    serialized: bytes
    digest: str
    headlines: Mapping[str, Headline]
    expires_at: float
    came_from: str
    action: Action | None = field(repr=False)
    state: str = WAITING
    step: int = 0
    endorsed: dict[str, bytes] = field(default_factory=dict, repr=False)
    transaction_file: str = field(default="", repr=False)
    submitted: str = ""
    is_unclear: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    refusal: ConsentryError | None = None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in ENDS

    def end(self, state: str) -> None:
        """End it, and let go of what it holds."""
        self.state = state
        self.action = None
        self.endorsed.clear()
        self.transaction_file = ""
