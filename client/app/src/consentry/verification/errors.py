"""Errors of verification that are not differences: it could not be done at all."""

from consentry.errors import ConsentryError


class VerificationError(ConsentryError):
    """Verification could not start or go on, e.g. no blocks were found or the anchor is not a hash."""
