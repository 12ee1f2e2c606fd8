"""What a manager of affiliations does with them: list, add, rename, remove.

Source: Fabric CA v1.5 `lib/serveraffiliations.go`, `lib/dbaccessor.go`. Every call needs `hf.AffiliationMgr`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.affiliations import ancestors, below, moved
from fabric_embedded.ca.attributes import AFFILIATION_MANAGER, ROLES, require_true
from fabric_embedded.ca.certificate_store import AFFILIATION_CHANGED
from fabric_embedded.ca.errors import CaError, authorization_failure
from fabric_embedded.ca.service import CaService, check_affiliation
from fabric_embedded.ca.store import RegisteredIdentity


@dataclass(frozen=True)
class AffectedAffiliations:
    """Affiliations that a call showed or changed, and the identities that it changed with them."""

    names: tuple[str, ...]
    identities: tuple[RegisteredIdentity, ...] = ()


def all_affiliations(service: CaService, caller: RegisteredIdentity) -> AffectedAffiliations:
    """The affiliations that the caller may manage.

    Raises:
        CaError: authorization failure; 404 when there are none.
    """
    require_true(caller.attribute_values(), AFFILIATION_MANAGER)
    found = [name for name in service.store.affiliations() if below(name, caller.affiliation)]
    if not found:
        message = "No affiliations are configured on the CA"
        raise CaError(404, ca_errors.AFFILIATION_UNKNOWN, message)
    return AffectedAffiliations(tuple(found))


def affiliation_tree(service: CaService, caller: RegisteredIdentity, name: str) -> AffectedAffiliations:
    """An affiliation with those below it.

    Raises:
        CaError: authorization failure; 404 when there is none of this name.
    """
    require_true(caller.attribute_values(), AFFILIATION_MANAGER)
    check_affiliation(caller, name)
    return AffectedAffiliations(tuple(_existing(service, name)))


def add_affiliation(service: CaService, caller: RegisteredIdentity, name: str, *, force: bool) -> None:
    """Add an affiliation; `force` adds those over it that are missing.

    Raises:
        CaError: authorization failure; 409 when it exists; 404 when one over it is missing.
    """
    require_true(caller.attribute_values(), AFFILIATION_MANAGER)
    known = service.store.affiliations()
    if name in known:
        raise CaError(409, ca_errors.ADD_AFFILIATION, "Affiliation already exists")
    check_affiliation(caller, name)
    over = ancestors(name)
    if not force and over and over[-1] not in known:
        raise _unknown()
    with service.store.transaction():
        for each in (*over, name):
            service.store.add_affiliation(each)


def rename_affiliation(
    service: CaService, caller: RegisteredIdentity, name: str, target: str, *, force: bool
) -> AffectedAffiliations:
    """Rename an affiliation with those below it; `force` moves their identities along.

    Raises:
        CaError: authorization failure; 404 when there is none of this name; 400 when the new name is taken,
            or identities would have to move.
    """
    require_true(caller.attribute_values(), AFFILIATION_MANAGER)
    check_affiliation(caller, name)
    check_affiliation(caller, target)
    names = _existing(service, name)
    if target in service.store.affiliations():
        raise CaError(400, ca_errors.MODIFY_AFFILIATION, f"Affiliation '{target}' already exists")
    members = _members(service, caller, name)
    if members and not force:
        message = (
            f"The request to modify affiliation '{name}' has identities associated. "
            "Need to use 'force' to remove identities and affiliation"
        )
        raise CaError(400, ca_errors.MODIFY_AFFILIATION, message)
    after = [replace(item, affiliation=moved(item.affiliation, name, target)) for item in members]
    renamed = [moved(each, name, target) for each in names]
    with service.store.transaction():
        for identity in after:
            service.store.update(identity)
        for each in names:
            service.store.remove_affiliation(each)
        for each in renamed:
            service.store.add_affiliation(each)
    return AffectedAffiliations(tuple(renamed), tuple(after))


def remove_affiliation(
    service: CaService, caller: RegisteredIdentity, name: str, *, force: bool
) -> AffectedAffiliations:
    """Remove an affiliation; `force` also removes those below it, and all of their identities.

    Certificates of removed identities are revoked.

    Raises:
        CaError: authorization failure, for the caller's own affiliation too, and when others or identities
            would have to go; 404 when there is none of this name.
    """
    require_true(caller.attribute_values(), AFFILIATION_MANAGER)
    if caller.affiliation == name:
        raise authorization_failure("the caller has this affiliation itself")
    check_affiliation(caller, name)
    names = _existing(service, name)
    members = _members(service, caller, name)
    if not force and (members or len(names) > 1):
        raise authorization_failure("identities or affiliations below it would go too, without 'force'")
    with service.store.transaction():
        for identity in members:
            service.store.certificates.revoke_all_of(identity.id, AFFILIATION_CHANGED, service.clock())
            service.store.remove(identity.id)
        for each in names:
            service.store.remove_affiliation(each)
    return AffectedAffiliations(tuple(names), tuple(members))


def _existing(service: CaService, name: str) -> list[str]:
    known = service.store.affiliations()
    if name not in known:
        raise _unknown()
    return [each for each in known if below(each, name)]


def _members(service: CaService, caller: RegisteredIdentity, name: str) -> list[RegisteredIdentity]:
    members = service.store.of_affiliation(name)
    if members and not caller.attribute_values().get(ROLES):
        raise authorization_failure("identities are affected, but caller is not a registrar")
    return members


def _unknown() -> CaError:
    message = f"Failed to get affiliation: {ca_errors.NO_ROWS}"
    return CaError(404, ca_errors.UNKNOWN_IDENTITY, message, "unknown affiliation")
