"""Sessions on the server's side: short, in memory only, under an id that is new with every sign-in."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from consentry.web.officer import Officer

COOKIE = "__Host-consentry"
IDLE_SECONDS = 15 * 60
LONGEST_SECONDS = 4 * 60 * 60
SIGN_IN_SECONDS = 10 * 60
_MOST = 10_000


@dataclass(slots=True)
class Session:
    """One browser's session; `officer` is None until somebody signs in.

    `csrf_token` stands in every form, `wanted` is the page to go to after signing in, `notes` keep what pages
    hand on to one another, away from URLs.
    """

    key: bytes
    begun_at: float
    seen_at: float
    officer: Officer | None = None
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    wanted: str = "/"
    notes: dict[str, str] = field(default_factory=dict)


class Sessions:
    """All sessions of one server, usable by many threads.

    Args:
        now: Unix seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, officer: Officer | None = None) -> tuple[str, Session]:
        """Begin a session; return the cookie's value, which is kept nowhere, and the session.

        Of more than 10,000 the one that was not used for longest ends.
        """
        value = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(_key(value), now, now, officer)
        with self._lock:
            self._sessions[session.key] = session
            while len(self._sessions) > _MOST:
                self._sessions.popitem(last=False)
        return value, session

    def find(self, value: str) -> Session | None:
        """Return the session of a cookie's value and note its use; None if there is none or it ended."""
        key, now = _key(value), self._now()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if self._is_over(session, now):
                del self._sessions[key]
                return None
            session.seen_at = now
            self._sessions.move_to_end(key)
            return session

    def is_live(self, session: Session) -> bool:
        """Whether a session goes on, without using it: a page that only waits keeps nobody signed in."""
        with self._lock:
            return session.key in self._sessions and not self._is_over(session, self._now())

    def sign_in(self, session: Session, officer: Officer) -> tuple[str, Session]:
        """End a session and begin the officer's: whoever knew the earlier cookie has nothing."""
        self.end(session)
        return self.begin(officer)

    def end(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session.key, None)

    @staticmethod
    def _is_over(session: Session, now: float) -> bool:
        if session.officer is None:
            return now - session.begun_at >= SIGN_IN_SECONDS
        return now - session.seen_at >= IDLE_SECONDS or now - session.begun_at >= LONGEST_SECONDS


def _key(value: str) -> bytes:
    return hashlib.sha256(value.encode(errors="replace")).digest()
