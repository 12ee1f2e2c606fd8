"""What a registrar does with identities that there are: list, show, change, remove.

Source: Fabric CA v1.5 `lib/serveridentities.go`, `lib/serverrequestcontext.go · CanManageUser`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.affiliations import below
from fabric_embedded.ca.attributes import ROLES, changed, check_acts_on_type, check_attributes
from fabric_embedded.ca.certificate_store import CESSATION_OF_OPERATION
from fabric_embedded.ca.errors import CaError, authorization_failure
from fabric_embedded.ca.requests import ModifyRequest
from fabric_embedded.ca.service import CaService, check_affiliation
from fabric_embedded.ca.store import RegisteredIdentity, SaltedSecret

_NO_ENROLLMENT = -2


def listed_identities(service: CaService, caller: RegisteredIdentity) -> list[RegisteredIdentity]:
    """The identities of the types and affiliations that the caller may manage.

    Raises:
        CaError: authorization failure when the caller is no registrar.
    """
    if not caller.attribute_values().get(ROLES):
        raise authorization_failure("caller is not a registrar")
    return [identity for identity in service.store.all() if _may_manage(caller, identity)]


def managed_identity(service: CaService, caller: RegisteredIdentity, wanted: str) -> RegisteredIdentity:
    """One identity, for a caller who may manage it.

    Raises:
        CaError: authorization failure; 404 when there is none of this id.
    """
    found = service.store.get(wanted)
    if found is None:
        # Only a registrar learns that an id does not exist.
        if not caller.attribute_values().get(ROLES):
            raise authorization_failure("caller is not a registrar")
        message = f"Failed to get User: {ca_errors.NO_ROWS}"
        raise CaError(404, ca_errors.UNKNOWN_IDENTITY, message, "unknown identity")
    check_manages(caller, found)
    return found


def check_manages(caller: RegisteredIdentity, identity: RegisteredIdentity) -> None:
    """Refuse a caller whose types or affiliation do not reach an identity.

    Raises:
        CaError: authorization failure.
    """
    check_affiliation(caller, identity.affiliation)
    check_acts_on_type(caller.attribute_values(), identity.type)


async def modify_identity(
    service: CaService, caller: RegisteredIdentity, wanted: str, request: ModifyRequest
) -> RegisteredIdentity:
    """Change an identity's type, affiliation, attributes, secret or number of enrolments.

    Raises:
        CaError: authorization failure; 404 when there is none of this id; 400 for an unknown affiliation.
    """
    identity = managed_identity(service, caller, wanted)
    if request.affiliation not in ("", "."):
        if request.affiliation not in service.store.affiliations():
            message = f"Affiliation '{request.affiliation}' is not supported"
            raise CaError(400, ca_errors.MODIFY_IDENTITY, message, "unknown affiliation")
        check_affiliation(caller, request.affiliation)
    elif request.affiliation == ".":
        check_affiliation(caller, "")
    if request.type:
        check_acts_on_type(caller.attribute_values(), request.type)
    check_attributes(caller.attribute_values(), request.attributes, identity.attribute_values())
    salted = await asyncio.to_thread(SaltedSecret.of, request.secret) if request.secret else None
    # Hashing took its time: what else has changed since then stays changed.
    current = managed_identity(service, caller, wanted)
    after = _changed(current, request)
    with service.store.transaction():
        service.store.update(after, salted)
    return after


def remove_identity(
    service: CaService, caller: RegisteredIdentity, wanted: str, *, force: bool
) -> RegisteredIdentity:
    """Remove an identity and revoke its certificates.

    Raises:
        CaError: 403 for oneself without `force`; authorization failure; 404 when there is none of this id.
    """
    if wanted == caller.id and not force:
        message = "Need to use 'force' option to delete your own identity"
        raise CaError(403, ca_errors.REMOVE_IDENTITY, message)
    identity = managed_identity(service, caller, wanted)
    with service.store.transaction():
        service.store.certificates.revoke_all_of(wanted, CESSATION_OF_OPERATION, service.clock())
        service.store.remove(wanted)
    return identity


def _changed(identity: RegisteredIdentity, request: ModifyRequest) -> RegisteredIdentity:
    uses = request.max_enrollments or identity.max_enrollments
    affiliation = request.affiliation or identity.affiliation
    return replace(
        identity,
        type=request.type or identity.type,
        max_enrollments=0 if uses == _NO_ENROLLMENT else uses,
        affiliation="" if affiliation == "." else affiliation,
        attributes=changed(identity.attributes, request.attributes),
    )


def _may_manage(caller: RegisteredIdentity, identity: RegisteredIdentity) -> bool:
    try:
        check_acts_on_type(caller.attribute_values(), identity.type)
    except CaError:
        return False
    return below(identity.affiliation, caller.affiliation)
