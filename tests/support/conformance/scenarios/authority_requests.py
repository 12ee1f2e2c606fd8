"""Certificate authorities: requests that lack something, are badly signed, or ask for what does not exist."""

from __future__ import annotations

from typing import Any

from support.conformance.authority import Authority
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA


def authority_requests(bench: Bench) -> None:
    """Bodies and paths of every endpoint."""
    with Authority(bench.engine, ALPHA) as ca:
        registrar = ca.registrar()
        for label, (method, path, body) in _SIGNED.items():
            bench.observe(label, ca.signed(method, path, body, registrar))
        for label, (path, content) in _RAW.items():
            bench.observe(label, ca.raw("POST", path, content, registrar))
        for label, (method, path, header) in _UNSIGNED.items():
            bench.observe(label, ca.unsigned(method, path, {}, token=header))
        bench.observe("enroll nobody", ca.enroll_refused("nobody", "x"))
        bench.observe("enroll without a secret", ca.enroll_refused("registrar", ""))


def authority_registrations(bench: Bench) -> None:
    """What a registration may say, and what is enrolled of it."""
    with Authority(bench.engine, ALPHA) as ca:
        registrar = ca.registrar()
        for label, fields in {
            "a secret": {"secret": "chosen"},
            "no type": {"type": ""},
            "a peer": {"type": "peer"},
            "an administrator": {"type": "admin"},
            "unlimited": {"max_enrollments": -1},
            "none": {"max_enrollments": 0},
            "less than unlimited": {"max_enrollments": -2},
            "an unknown affiliation": {"affiliation": "nowhere"},
            "the root affiliation": {"affiliation": "."},
            "another authority": {"caname": "elsewhere"},
            "a number for a name": {"id": 7},
            "a text for a number": {"max_enrollments": "x"},
            "attributes that are none": {"attrs": "x"},
            "a reserved attribute": {"attrs": [{"name": "hf.Revoker", "value": "true"}]},
            "a reserved attribute that is no truth": {"attrs": [{"name": "hf.Revoker", "value": "perhaps"}]},
            "an unknown reserved one": {"attrs": [{"name": "hf.Unknown", "value": "true"}]},
            "roles": {"attrs": [{"name": "hf.Registrar.Roles", "value": "client"}]},
            "roles that are none": {"attrs": [{"name": "hf.Registrar.Roles", "value": "emperor"}]},
            "an unknown field": {"nothing": 1},
        }.items():
            bench.observe(
                f"register {label}", ca.register(registrar, f"r-{len(bench.observed)}", {}, **fields)
            )


_SIGNED: dict[str, tuple[str, str, Any]] = {
    "identities": ("GET", "identities?ca=elsewhere", None),
    "an identity with a slash": ("GET", "identities/a%2Fb", None),
    "no identity": ("GET", "identities/", None),
    "change nobody": ("PUT", "identities/nobody", {"type": "client"}),
    "add nothing": ("POST", "identities", {}),
    "add": ("POST", "identities", {"id": "added", "type": "client", "attrs": [{"name": "a", "value": "b"}]}),
    "change a type": ("PUT", "identities/added", {"type": "peer"}),
    "change with nothing": ("PUT", "identities/added", {}),
    "change a secret": ("PUT", "identities/added", {"secret": "new"}),
    "look at what was changed": ("GET", "identities/added", None),
    "identities by another method": ("PATCH", "identities", {}),
    "an unknown affiliation": ("GET", "affiliations/nowhere", None),
    "change an unknown affiliation": ("PUT", "affiliations/nowhere", {"name": "elsewhere"}),
    "add an affiliation": ("POST", "affiliations", {"name": "ward"}),
    "add it again": ("POST", "affiliations", {"name": "ward"}),
    "add one below nothing": ("POST", "affiliations", {"name": "a.b"}),
    "add one below nothing by force": ("POST", "affiliations?force=true", {"name": "a.b"}),
    "force that is none": ("POST", "affiliations?force=perhaps", {"name": "c.d"}),
    "change an affiliation": ("PUT", "affiliations/ward", {"name": "unit"}),
    "revoke nothing": ("POST", "revoke", {}),
    "revoke an unknown serial": ("POST", "revoke", {"serial": "1", "aki": "1"}),
    "revoke a serial alone": ("POST", "revoke", {"serial": "1"}),
    "revoke for no reason": ("POST", "revoke", {"id": "nobody", "reason": "whim"}),
    "revoke a serial of nobody": ("POST", "revoke", {"id": "nobody", "serial": "1", "aki": "1"}),
    "list before after": (
        "POST",
        "gencrl",
        {"revokedafter": "2030-01-01T00:00:00Z", "revokedbefore": "2020-01-01T00:00:00Z"},
    ),
    "list before after of expiry": (
        "POST",
        "gencrl",
        {"expireafter": "2030-01-01T00:00:00Z", "expirebefore": "2020-01-01T00:00:00Z"},
    ),
    "list of no time": ("POST", "gencrl", {"revokedafter": "yesterday"}),
    "list of another authority": ("POST", "gencrl", {"caname": "elsewhere"}),
    "certificates of nobody": ("GET", "certificates?id=nobody", None),
    "certificates of a serial": ("GET", "certificates?serial=1", None),
    "register by another method": ("GET", "register", None),
    "reenroll with nothing": ("POST", "reenroll", {}),
    "reenroll with garbage": ("POST", "reenroll", {"certificate_request": "garbage"}),
}
_RAW: dict[str, tuple[str, bytes]] = {
    f"{path}: {label}": (path, content)
    for path in ("register", "revoke", "gencrl", "identities", "affiliations", "reenroll")
    for label, content in {
        "no body": b"",
        "no JSON": b"{",
        "a list": b"[]",
        "a text": b'"x"',
        "null": b"null",
        "more after it": b"{} {}",
    }.items()
    # Fabric CA takes null for an identity and an affiliation without a name, and has them ever after.
    if (path, label) not in (("register", "null"), ("affiliations", "null"))
}
_UNSIGNED: dict[str, tuple[str, str, str]] = {
    "cainfo of another": ("GET", "cainfo?ca=elsewhere", ""),
    "cainfo by another method": ("DELETE", "cainfo", ""),
    "enroll without a header": ("POST", "enroll", ""),
    "enroll with a token": ("POST", "enroll", "x.y"),
    "enroll with bad basic": ("POST", "enroll", "Basic %%%"),
    "enroll with half a basic": ("POST", "enroll", "Basic eA=="),
    "register with basic": ("POST", "register", "Basic eDp5"),
    "register with a token of one part": ("POST", "register", "x"),
    "register with a token of three parts": ("POST", "register", "x.y.z"),
    "register with an empty token": ("POST", "register", "."),
}

SCENARIOS = (authority_requests, authority_registrations)
