"""Why a page is not shown."""

from __future__ import annotations

from consentry.errors import ConsentryError


class PageRefused(ConsentryError):
    """A request is not served: `status` is HTTP's, `code` has its sentence in the catalogue of texts."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


class SignInNeeded(PageRefused):
    """Nobody is signed in, or the session ended."""

    def __init__(self) -> None:
        super().__init__(401, "SIGN_IN_NEEDED", "nobody is signed in")
