"""Actions that wait for their signature: in memory, for minutes, each for one officer."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from consentry.web import texts
from consentry.web.actions import Action, ActionRefused, Call, described
from consentry.web.signing.pending import CANCELLED, DECLINED, EXPIRED, FETCHED, WAITING, Headline, Pending
from consentry_records.instants import format_instant

SECONDS = 600
"""How long an action can be signed after it was offered."""
KEPT_SECONDS = 3600
"""How long its outcome can be looked at."""
_MOST = 2000
_MOST_OF_ONE = 20
# Without 0, 1, I, O: a code is read from one screen and typed at another.
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CODE_LETTERS = 12


class Desk:
    """The actions of one server, usable by many threads.

    Args:
        channel: where they go.
        chaincode: which chaincode they call.
        now: Unix seconds.
    """

    def __init__(self, channel: str, chaincode: str, now: Callable[[], float]) -> None:
        self._channel = channel
        self._chaincode = chaincode
        self._now = now
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._by_code: dict[str, str] = {}
        self._by_form: dict[tuple[bytes, str], str] = {}
        self._lock = threading.Lock()

    def offer(self, serialized: bytes, calls: Sequence[Call], *, form: str, came_from: str) -> Pending:
        """Offer calls to an officer for his signature.

        Args:
            serialized: his identity.
            calls: in their order.
            form: random, of the form that he sent: a form that comes twice is one action.
            came_from: path of the page to go back to.

        Raises:
            ActionRefused: there are no words for the calls; or TOO_MANY_ACTIONS wait for him.
        """
        now = self._now()
        with self._lock:
            self._forget(now)
            known = self._by_form.get((serialized, form))
            if known is not None:
                return self._pending[known]
            waiting = sum(
                one.serialized == serialized and not one.has_ended for one in self._pending.values()
            )
            if waiting >= _MOST_OF_ONE or len(self._pending) >= _MOST:
                raise ActionRefused("TOO_MANY_ACTIONS", "too many actions wait for a signature")
            pending = self._made(serialized, calls, now, came_from)
            self._pending[pending.key] = pending
            self._by_code[pending.code] = pending.key
            self._by_form[(serialized, form)] = pending.key
            return pending

    def find(self, serialized: bytes, key: str) -> Pending | None:
        """An officer's own action by the key of its page; None for any other."""
        with self._lock:
            self._forget(self._now())
            pending = self._pending.get(key)
        return pending if pending is not None and pending.serialized == serialized else None

    def of_code(self, serialized: bytes, code: str) -> Pending:
        """An officer's own action by the code that he typed, if it can still be signed.

        Raises:
            ActionRefused: CODE_UNKNOWN, there is none, or it is somebody else's; ACTION_ENDED.
        """
        with self._lock:
            self._forget(self._now())
            pending = self._pending.get(self._by_code.get(plain_code(code), ""))
        if pending is None or pending.serialized != serialized:
            raise ActionRefused("CODE_UNKNOWN", "there is no action of this code for your certificate")
        with pending.lock:
            if pending.has_ended:
                raise ActionRefused("ACTION_ENDED", f"the action is {pending.state}; nothing more is signed")
        return pending

    def fetch(self, pending: Pending) -> Action:
        """The action for its signer."""
        with pending.lock:
            if pending.action is None:
                raise ActionRefused("ACTION_ENDED", f"the action is {pending.state}; nothing more is signed")
            if pending.state == WAITING:
                pending.state = FETCHED
            return pending.action

    def give_up(self, pending: Pending, *, at_signer: bool) -> bool:
        """End an action on its officer's word; False if it is on its way to the ledger already."""
        with pending.lock:
            if pending.has_ended or pending.submitted or pending.step:
                return False
            pending.end(DECLINED if at_signer else CANCELLED)
            return True

    def _made(self, serialized: bytes, calls: Sequence[Call], now: float, came_from: str) -> Pending:
        action = Action(
            action_id=secrets.token_hex(16),
            created_at=format_instant(datetime.fromtimestamp(now, UTC)),
            channel=self._channel,
            chaincode=self._chaincode,
            creator=serialized,
            calls=tuple(calls),
        )
        code = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
        return Pending(
            key=secrets.token_urlsafe(16),
            code=code,
            serialized=serialized,
            digest=action.digest,
            headlines={language: _headline(action, language) for language in texts.LANGUAGES},
            expires_at=now + SECONDS,
            came_from=came_from,
            action=action,
        )

    def _forget(self, now: float) -> None:
        """End what was not signed in time, and drop what nobody looks at any more."""
        for key, pending in list(self._pending.items()):
            with pending.lock:
                if now >= pending.expires_at and not pending.has_ended and not pending.submitted:
                    pending.end(EXPIRED)
                is_old = now >= pending.expires_at + KEPT_SECONDS
            if is_old:
                del self._pending[key]
                del self._by_code[pending.code]
        self._by_form = {form: key for form, key in self._by_form.items() if key in self._pending}


def shown_code(code: str) -> str:
    """A code in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def plain_code(typed: str) -> str:
    """What was typed as a code has it: upper case, without dashes and blanks."""
    return "".join(letter for letter in typed.upper() if letter in _LETTERS)


def _headline(action: Action, language: str) -> Headline:
    parts = described(action, partial(texts.text, language)).parts
    return Headline(tuple(part.title for part in parts), tuple(part.sentence for part in parts))
