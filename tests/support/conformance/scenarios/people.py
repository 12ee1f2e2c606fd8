"""Certificate authorities: enrolment, registration, renewal, revocation, and what they refuse."""

from __future__ import annotations

from support.conformance.authority import Authority
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA

PEOPLE = ("somebody", "renewed")


def authority(bench: Bench) -> None:
    """Fabric CA's REST interface as clients use it."""
    with Authority(bench.engine, ALPHA) as ca:
        registrar = ca.registrar()
        bench.observe("information", ca.get("cainfo", ("CAName", "Version")))
        bench.observe("wrong secret", ca.enroll_refused("somebody", "wrong"))
        bench.observe("register", ca.register(registrar, "somebody", {"consentry.role": "steward"}))
        bench.observe("register again", ca.register(registrar, "somebody", {}))
        bench.observe("register without a name", ca.register(registrar, "", {}))
        bench.observe("register an unknown type", ca.register(registrar, "odd", {}, type="emperor"))
        bench.observe(
            "register with an unknown authority's attribute",
            ca.register(registrar, "odd2", {"hf.Nothing": "x"}),
        )
        somebody, seen = ca.enroll("somebody", ca.secrets["somebody"], ["consentry.role"])
        bench.observe("enroll", seen)
        bench.observe("enroll again", ca.enroll_refused("somebody", ca.secrets["somebody"]))
        bench.observe("register by a client", ca.register(somebody, "third", {}))
        bench.observe("reenroll", ca.reenroll(somebody))
        bench.observe("identity", ca.signed("GET", "identities/somebody", None, registrar))
        bench.observe("unknown identity", ca.signed("GET", "identities/nobody", None, registrar))
        bench.observe("identity, asked by a client", ca.signed("GET", "identities/somebody", None, somebody))
        bench.observe("no token", ca.unsigned("POST", "register", {}))
        bench.observe("bad token", ca.unsigned("POST", "register", {}, token="x.y"))
        bench.observe("revoke by a client", ca.signed("POST", "revoke", {"id": "registrar"}, somebody))
        bench.observe("revoke nobody", ca.signed("POST", "revoke", {"id": "nobody"}, registrar))
        bench.observe("revoke", ca.signed("POST", "revoke", {"id": "somebody"}, registrar))
        bench.observe("revoke again", ca.signed("POST", "revoke", {"id": "somebody"}, registrar))
        bench.observe("after revocation", ca.enroll_refused("somebody", ca.secrets["somebody"]))
        bench.observe("token of a revoked one", ca.signed("GET", "identities/somebody", None, somebody))
        bench.observe("list of revoked", ca.revocations(registrar))
        bench.observe("affiliations", ca.signed("GET", "affiliations", None, registrar))
        bench.observe("unknown path", ca.unsigned("GET", "nothing", None))


SCENARIOS = (authority,)
