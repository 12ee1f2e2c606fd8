"""What has to be right before anything works: files, identity, peer, clock, outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from consentry.acting import load_profile, split_name, wallet_identity
from consentry.errors import ConsentryError
from consentry.identity import WalletIdentity
from consentry.ledger import Ledger, connect
from consentry.profile import Endpoint, NetworkProfile
from consentry.secret_input import wallet_of
from consentry_records.roles import SERVICE

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, `ok`, `warning` or `failed`, and a sentence."""

    check: str
    state: str
    detail: str


def examine(network: Path, who: str, now: datetime, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each check; what rests on a failed one is left out."""
    try:
        profile = load_profile(network, environment)
    except ConsentryError as error:
        yield _failed("network", error)
        return
    yield Finding("network", OK, f"{profile.engine} network, channel {profile.channel}")
    yield from _tls(profile)
    if not who:
        yield Finding("identity", WARNING, "nobody acts; name somebody with --as to check more")
        return
    try:
        identity = wallet_identity(profile, who, now, environment)
    except ConsentryError as error:
        yield _failed("identity", error)
        return
    yield from _identity(profile, who, identity, now, environment)
    with connect(profile, identity) as ledger:
        yield from _ledger(ledger)
    if SERVICE in identity.roles:
        yield _functions()


def _tls(profile: NetworkProfile) -> Iterator[Finding]:
    for organization in profile.organizations.values():
        for peer in organization.peers:
            yield _checked(f"TLS roots of {peer.endpoint}", partial(_roots, peer))


def _roots(peer: Endpoint) -> str:
    return f"{len(peer.read_tls_roots())} bytes"


def _identity(
    profile: NetworkProfile,
    who: str,
    identity: WalletIdentity,
    now: datetime,
    environment: Mapping[str, str],
) -> Iterator[Finding]:
    roles = ", ".join(sorted(identity.roles)) or "no role"
    yield Finding("identity", OK, f"{identity.enrolment_id} of {identity.msp_id}, {roles}")
    warning = identity.expiry_warning(now)
    expires = f"until {identity.expires_at:%Y-%m-%d}"
    yield Finding("certificate", WARNING if warning else OK, warning or expires)
    organization, label = split_name(who)
    kept = wallet_of(profile, organization, environment).protection(label)
    detail = "the key is not encrypted: `consentry wallet encrypt`" if kept == "plain" else f"the key: {kept}"
    yield Finding("key", WARNING if kept == "plain" else OK, detail)


def _ledger(ledger: Ledger) -> Iterator[Finding]:
    # A peer refuses a proposal whose time is far from its own, so that an answer also clears the clock.
    yield _checked(
        "peer and clock", lambda: f"{len(ledger.settings().organizations)} organizations in the settings"
    )
    waiting = [entry for entry in ledger.outbox.entries() if entry.state == "queued"]
    detail = f"{len(waiting)} wait: `consentry outbox send`" if waiting else "nothing waits"
    yield Finding("outbox", WARNING if waiting else OK, detail)


def _functions() -> Finding:
    """Whether a gate of this identity's organization, on this machine, would run functions."""
    try:
        from consentry.gate.compute.isolation import Isolation
    except ImportError:
        return Finding("functions", WARNING, "no gate is installed: pip install 'consentry[gate]'")
    isolation = Isolation()
    try:
        isolation.sandbox()
    except ConsentryError as error:
        return Finding("functions", WARNING, f"{error.message} ({error.code})")
    return Finding("functions", OK, isolation.in_words())


def _checked(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, OK, check())
    except ConsentryError as error:
        return _failed(name, error)


def _failed(name: str, error: ConsentryError) -> Finding:
    return Finding(name, FAILED, f"{error.message} ({error.code})")
