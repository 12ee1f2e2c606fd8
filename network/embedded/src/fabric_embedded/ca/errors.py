"""Fabric CA's errors: HTTP status, code and message as the client sees them, the reason for the log only.

Source: Fabric CA v1.5 `lib/caerrors/servererror.go` (codes), `lib/serverendpoint.go` (envelope).
"""

from __future__ import annotations

from fabric_embedded.errors import EmbeddedError

UNKNOWN = 0
METHOD_NOT_ALLOWED = 1
NO_AUTHORIZATION_HEADER = 2
EMPTY_BODY = 4
BAD_BODY = 5
CERTIFICATE_NOT_FOUND = 8
CERTIFICATE_WRONG_OWNER = 9
REVOKED_IDENTITY_NOT_FOUND = 10
MISSING_REVOKE_ARGUMENTS = 15
AFFILIATION_UNKNOWN = 16
CA_NOT_FOUND = 19
AUTHENTICATION_FAILURE = 20
BAD_CERTIFICATE_REQUEST = 31
INVALID_REVOKED_AFTER = 36
INVALID_EXPIRE_AFTER = 37
ADD_IDENTITY = 52
REMOVE_IDENTITY = 56
MODIFY_IDENTITY = 58
ADD_AFFILIATION = 60
REMOVE_AFFILIATION = 61
UNKNOWN_IDENTITY = 63
MODIFY_AFFILIATION = 64
ALREADY_REVOKED = 66
GETTING_CERTIFICATES = 67
AUTHORIZATION_FAILURE = 71
TOO_MANY_ATTEMPTS = 73
ALREADY_REGISTERED = 74
NAME_MISMATCH = 77
CERTIFICATE_REQUEST_LIMITS = 80
MAX_ENROLLMENTS_INVALID = 82


NO_ROWS = "sql: no rows in result set"
"""How Fabric CA says that its database knows nothing of this name; clients have come to look for it."""


class CaError(EmbeddedError):
    """A request that the CA refuses.

    Parameters:
        status: HTTP status.
        remote_code: number in the answer's `errors`.
        message: sentence in the answer's `errors`.
        reason: what the server's log says; never secrets, attributes or names.
    """

    def __init__(self, status: int, remote_code: int, message: str, reason: str = "") -> None:
        super().__init__("CA_REFUSED", message)
        self.status = status
        self.remote_code = remote_code
        self.reason = reason or message


def authentication_failure(reason: str) -> CaError:
    """401, code 20: what a client learns of every failed authentication."""
    return CaError(401, AUTHENTICATION_FAILURE, "Authentication failure", reason)


def authorization_failure(reason: str) -> CaError:
    """403, code 71: what a client learns of every refused authorization."""
    return CaError(403, AUTHORIZATION_FAILURE, "Authorization failure", reason)


def bad_body(message: str) -> CaError:
    """400, code 5; unlike Fabric CA we do not send the body back, for it may hold a secret."""
    return CaError(400, BAD_BODY, f"Invalid request body: {message}")


def not_supported(what: str) -> CaError:
    """501: something of Fabric CA's interface that this service does not do."""
    return CaError(501, UNKNOWN, f"{what} is not supported by the embedded CA service yet")
