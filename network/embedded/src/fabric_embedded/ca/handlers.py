"""From HTTP requests to what the CA does, and from that to documents: one handler for each method and path.

Source: Fabric CA v1.5 `lib/server*.go`, `api/client.go`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request

from fabric_embedded.ca import affiliation_management, identities, revocation
from fabric_embedded.ca import body as fields_of
from fabric_embedded.ca import errors as ca_errors
from fabric_embedded.ca.affiliation_management import AffectedAffiliations
from fabric_embedded.ca.affiliations import tree
from fabric_embedded.ca.authentication import basic_credentials, token_caller
from fabric_embedded.ca.errors import CaError, bad_body
from fabric_embedded.ca.requests import EnrollRequest, ModifyRequest, RegisterRequest
from fabric_embedded.ca.revocation_requests import ListRequest, RevokeRequest, certificate_filter
from fabric_embedded.ca.service import CaService
from fabric_embedded.ca.store import RegisteredIdentity

Handler = Callable[[CaService, Request, bytes], Awaitable[object]]
_VERSION = "fabric-embedded 0.1.0"
_CREATED, _OK = 201, 200
_FORCE = {"": False, "0": False, "f": False, "false": False, "1": True, "t": True, "true": True}


async def _cainfo(service: CaService, _request: Request, _body: bytes) -> object:
    return _server_info(service)


async def _enroll(service: CaService, request: Request, body: bytes) -> object:
    identity = await service.log_in(*basic_credentials(request))
    return _enrolled(service, service.enroll(identity, EnrollRequest.from_body(body), counted=True))


async def _reenroll(service: CaService, request: Request, body: bytes) -> object:
    identity = token_caller(service, request, body).identity
    return _enrolled(service, service.enroll(identity, EnrollRequest.from_body(body), counted=False))


async def _register(service: CaService, request: Request, body: bytes) -> object:
    registrar = token_caller(service, request, body).identity
    return {"secret": await service.register(registrar, RegisterRequest.from_body(body))}


async def _revoke(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body)
    wanted = RevokeRequest.from_body(body)
    revoked = revocation.revoke(service, caller, wanted)
    listed = revocation.revocation_list(service, ListRequest()) if wanted.with_list and revoked else b""
    return {
        # Go writes an empty list as null.
        "RevokedCerts": [{"Serial": item.serial, "AKI": item.aki} for item in revoked] or None,
        "CRL": base64.b64encode(listed).decode(),
    }


async def _generate_list(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    listed = revocation.generated_list(service, caller, ListRequest.from_body(body))
    return {"CRL": base64.b64encode(listed).decode()}


async def _certificates(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    wanted = certificate_filter(request.query_params, service.clock())
    found = revocation.listed_certificates(service, caller, wanted)
    return {"certs": [{"PEM": item.pem.decode()} for item in found], "caname": ""}


async def _identities(service: CaService, request: Request, body: bytes) -> object:
    found = identities.listed_identities(service, token_caller(service, request, body).identity)
    return {"identities": [_identity_document(identity) for identity in found], "caname": service.name}


async def _identity(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    found = identities.managed_identity(service, caller, request.path_params["id"])
    return {**_identity_document(found), "caname": service.name}


async def _add_identity(service: CaService, request: Request, body: bytes) -> object:
    registrar = token_caller(service, request, body).identity
    if not fields_of.text(fields_of.read_object(body), "id"):
        raise CaError(400, ca_errors.ADD_IDENTITY, "Missing 'ID' in request to add a new identity")
    wanted = RegisterRequest.from_body(body)
    secret = await service.register(registrar, wanted)
    added = identities.managed_identity(service, registrar, wanted.id)
    return _changed_document(service, added, secret)


async def _modify_identity(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    wanted = ModifyRequest.from_body(body)
    after = await identities.modify_identity(service, caller, request.path_params["id"], wanted)
    return _changed_document(service, after, wanted.secret)


async def _remove_identity(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    removed = identities.remove_identity(service, caller, request.path_params["id"], force=_force(request))
    return _changed_document(service, removed)


async def _affiliations(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    return _affiliation_document(service, affiliation_management.all_affiliations(service, caller))


async def _affiliation(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    found = affiliation_management.affiliation_tree(service, caller, request.path_params["name"])
    return _affiliation_document(service, found)


async def _add_affiliation(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    name = _affiliation_name(body)
    affiliation_management.add_affiliation(service, caller, name, force=_force(request))
    return {"name": name, "caname": service.name}


async def _rename_affiliation(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    name, target, force = request.path_params["name"], _affiliation_name(body), _force(request)
    after = affiliation_management.rename_affiliation(service, caller, name, target, force=force)
    return _affiliation_document(service, after)


async def _remove_affiliation(service: CaService, request: Request, body: bytes) -> object:
    caller = token_caller(service, request, body).identity
    name, force = request.path_params["name"], _force(request)
    removed = affiliation_management.remove_affiliation(service, caller, name, force=force)
    return _affiliation_document(service, removed)


HANDLERS: tuple[tuple[str, str, Handler, int], ...] = (
    ("GET", "/cainfo", _cainfo, _OK),
    ("POST", "/cainfo", _cainfo, _OK),
    ("POST", "/enroll", _enroll, _CREATED),
    ("POST", "/reenroll", _reenroll, _CREATED),
    ("POST", "/register", _register, _CREATED),
    ("POST", "/revoke", _revoke, _OK),
    ("POST", "/gencrl", _generate_list, _OK),
    ("GET", "/certificates", _certificates, _OK),
    ("GET", "/identities", _identities, _OK),
    ("POST", "/identities", _add_identity, _CREATED),
    ("GET", "/identities/{id}", _identity, _OK),
    ("PUT", "/identities/{id}", _modify_identity, _OK),
    ("DELETE", "/identities/{id}", _remove_identity, _OK),
    ("GET", "/affiliations", _affiliations, _OK),
    ("POST", "/affiliations", _add_affiliation, _CREATED),
    ("GET", "/affiliations/{name}", _affiliation, _OK),
    ("PUT", "/affiliations/{name}", _rename_affiliation, _OK),
    ("DELETE", "/affiliations/{name}", _remove_affiliation, _OK),
)
"""Method, path, handler and the status of success."""


def _enrolled(service: CaService, pem: bytes) -> object:
    return {"Cert": base64.b64encode(pem).decode(), "ServerInfo": _server_info(service)}


def _server_info(service: CaService) -> dict[str, str]:
    return {
        "CAName": service.name,
        "CAChain": base64.b64encode(service.authority.pem).decode(),
        "IssuerPublicKey": "",
        "IssuerRevocationPublicKey": "",
        "Version": _VERSION,
    }


def _identity_document(identity: RegisteredIdentity) -> dict[str, object]:
    return {
        "id": identity.id,
        "type": identity.type,
        "affiliation": identity.affiliation,
        "attrs": [attribute.to_dict() for attribute in identity.attributes],
        "max_enrollments": identity.max_enrollments,
    }


def _changed_document(
    service: CaService, identity: RegisteredIdentity, secret: str = ""
) -> dict[str, object]:
    """An identity after a change: unlike one that was only asked for, without what is empty."""
    document = {**_identity_document(identity), "secret": secret, "caname": service.name}
    return {name: value for name, value in document.items() if value or name == "affiliation"}


def _affiliation_document(service: CaService, affected: AffectedAffiliations) -> dict[str, object]:
    members = [(identity.affiliation, _identity_document(identity)) for identity in affected.identities]
    return {**tree(affected.names, members), "caname": service.name}


def _affiliation_name(body: bytes) -> str:
    name = fields_of.affiliation(fields_of.read_object(body), "name")
    if name in ("", "."):
        raise bad_body("name must not be empty")
    return name


def _force(request: Request) -> bool:
    value = request.query_params.get("force", "").lower()
    if value not in _FORCE:
        message = (
            "Failed to correctly parse value of 'force' query parameter: strconv.ParseBool: parsing "
            f"{json.dumps(value)}: invalid syntax"
        )
        raise CaError(400, ca_errors.REMOVE_AFFILIATION, message)
    return _FORCE[value]
