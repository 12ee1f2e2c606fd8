"""The CA service's store: identities with hashed secrets, and affiliations; certificates are beside it."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from pathlib import Path

from fabric_embedded.ca.affiliations import below
from fabric_embedded.ca.attributes import Attribute
from fabric_embedded.ca.certificate_store import CertificateStore, IssuedCertificate
from fabric_embedded.ca.database import open_database, transaction

# RFC 7914 cost: about 30 ms, for secrets that people may have chosen themselves.
_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_PARALLEL = 2**14, 8, 1
_SALT_BYTES = 16
MAX_FAILED_LOGINS = 10
UNLIMITED = -1


@dataclass(frozen=True)
class RegisteredIdentity:
    """An identity that may enrol, or has.

    Parameters:
        id: enrolment id, random by our custom.
        type: client, peer, orderer or admin: the certificate's OU.
        max_enrollments: how often its secret may be used; -1 is no limit.
        enrollments: how often it was used.
        failed_logins: wrong secrets in a row.
        attributes: what its certificates may carry.
        affiliation: where in the organization it belongs; "" is the root.
        revoked: whether it may never enrol again.
    """

    id: str
    type: str
    max_enrollments: int
    enrollments: int
    failed_logins: int
    attributes: tuple[Attribute, ...]
    affiliation: str = ""
    revoked: bool = False

    def attribute_values(self) -> dict[str, str]:
        """Names and values of its attributes."""
        return {attribute.name: attribute.value for attribute in self.attributes}


class IdentityStore:
    """Registered identities and issued certificates of one CA; every change is one synced transaction."""

    def __init__(self, path: Path | None) -> None:
        """Open the store.

        Parameters:
            path: database file, created with mode 0600; None keeps everything in memory.
        """
        self._database = open_database(path)
        self.certificates = CertificateStore(self._database)

    def transaction(self) -> AbstractContextManager[None]:
        """All of the changes inside, or none."""
        return transaction(self._database)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add(
        self,
        identity: str,
        kind: str,
        salted: SaltedSecret,
        max_enrollments: int,
        attributes: Sequence[Attribute],
        affiliation: str = "",
    ) -> bool:
        """Add an identity; False when the id is taken."""
        with closing(
            self._database.execute(
                "INSERT INTO identities "
                "(id, type, salt, secret_hash, max_enrollments, attributes, affiliation) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (
                    identity,
                    kind,
                    salted.salt,
                    salted.digest,
                    max_enrollments,
                    _listed(attributes),
                    affiliation,
                ),
            )
        ) as cursor:
            return cursor.rowcount == 1

    def get(self, identity: str) -> RegisteredIdentity | None:
        """The identity of this id."""
        rows = self._identities("WHERE id = ?", (identity,))
        return rows[0] if rows else None

    def all(self) -> list[RegisteredIdentity]:
        """All identities, by id."""
        return self._identities("ORDER BY id", ())

    def of_affiliation(self, affiliation: str) -> list[RegisteredIdentity]:
        """Identities of an affiliation and of those below it, by id."""
        return [identity for identity in self.all() if below(identity.affiliation, affiliation)]

    def update(self, identity: RegisteredIdentity, salted: SaltedSecret | None = None) -> None:
        """Store an identity's changed values, and its new secret if there is one."""
        self._database.execute(
            "UPDATE identities SET type = ?, max_enrollments = ?, attributes = ?, affiliation = ?, "
            "revoked = ? WHERE id = ?",
            (
                identity.type,
                identity.max_enrollments,
                _listed(identity.attributes),
                identity.affiliation,
                int(identity.revoked),
                identity.id,
            ),
        )
        if salted is not None:
            self._database.execute(
                "UPDATE identities SET salt = ?, secret_hash = ?, failed_logins = 0 WHERE id = ?",
                (salted.salt, salted.digest, identity.id),
            )

    def disable(self, identity: RegisteredIdentity) -> None:
        """Let an identity never enrol again."""
        self.update(replace(identity, revoked=True))

    def remove(self, identity: str) -> None:
        """Remove an identity; its certificates stay known."""
        self._database.execute("DELETE FROM identities WHERE id = ?", (identity,))

    def affiliations(self) -> list[str]:
        """All affiliations, sorted."""
        return sorted(name for (name,) in self._database.execute("SELECT name FROM affiliations"))

    def add_affiliation(self, name: str) -> None:
        """Add an affiliation if it is not there."""
        self._database.execute("INSERT INTO affiliations VALUES (?) ON CONFLICT DO NOTHING", (name,))

    def remove_affiliation(self, name: str) -> None:
        """Remove one affiliation."""
        self._database.execute("DELETE FROM affiliations WHERE name = ?", (name,))

    def salted_secret(self, identity: str) -> SaltedSecret:
        """The salted secret of an identity that exists."""
        row = self._database.execute(
            "SELECT salt, secret_hash FROM identities WHERE id = ?", (identity,)
        ).fetchone()
        return SaltedSecret(*row)

    def count_failed_login(self, identity: str) -> None:
        """Note a wrong secret."""
        self._database.execute(
            "UPDATE identities SET failed_logins = failed_logins + 1 WHERE id = ?", (identity,)
        )

    def record_enrollment(self, certificate: IssuedCertificate, *, counted: bool) -> bool:
        """Note an issued certificate together with the use of a secret.

        Parameters:
            certificate: what was issued.
            counted: whether this used the secret (enroll), or another certificate (reenroll).

        Returns:
            False, with nothing noted, when no use of the secret is left: two at once cannot share the last.
        """
        with self.transaction():
            if counted and not self._use_secret(certificate.id):
                return False
            self.certificates.add(certificate)
        return True

    def _use_secret(self, identity: str) -> bool:
        with closing(
            self._database.execute(
                "UPDATE identities SET enrollments = enrollments + 1, failed_logins = 0 "
                "WHERE id = ? AND (max_enrollments = -1 OR enrollments < max_enrollments)",
                (identity,),
            )
        ) as cursor:
            return cursor.rowcount == 1

    def _identities(self, where: str, parameters: tuple[str, ...]) -> list[RegisteredIdentity]:
        columns = "id, type, max_enrollments, enrollments, failed_logins, attributes, affiliation, revoked"
        rows = self._database.execute(f"SELECT {columns} FROM identities {where}", parameters)  # noqa: S608
        return [_identity(*row) for row in rows]


@dataclass(frozen=True)
class SaltedSecret:
    """A secret as it is stored: scrypt (RFC 7914) of it with a random salt."""

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, secret: str) -> SaltedSecret:
        """Hash a secret with a new salt; takes tens of milliseconds on purpose."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(salt, _hash(secret, salt))

    def matches(self, secret: str) -> bool:
        """Whether this is the secret; takes tens of milliseconds, and as long for a wrong one."""
        return hmac.compare_digest(self.digest, _hash(secret, self.salt))


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        secret.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCK,
        p=_SCRYPT_PARALLEL,
    )


def _listed(attributes: Sequence[Attribute]) -> str:
    return json.dumps([attribute.to_dict() for attribute in attributes])


def _identity(
    identity: str,
    kind: str,
    max_enrollments: int,
    enrollments: int,
    failed_logins: int,
    attributes: str,
    affiliation: str,
    revoked: int,
) -> RegisteredIdentity:
    listed = tuple(Attribute(**entry) for entry in json.loads(attributes))
    return RegisteredIdentity(
        identity, kind, max_enrollments, enrollments, failed_logins, listed, affiliation, bool(revoked)
    )
