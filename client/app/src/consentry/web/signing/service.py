"""Signing as part of the pages' application: one desk, one relay, one mounted interface for signers."""

from __future__ import annotations

from fastapi import FastAPI

from consentry.request_signatures import WEB_SIGN, RequestVerifier
from consentry.web.action_settings import ActionSettings
from consentry.web.rate_limit import RateLimit
from consentry.web.settings import WebSettings
from consentry.web.signing import wire
from consentry.web.signing.desk import Desk
from consentry.web.signing.relay import Relay
from consentry.web.signing.relay_application import relay_application

_REQUESTS_A_MINUTE = 240


def add_signing(application: FastAPI, settings: WebSettings, actions: ActionSettings) -> None:
    """Give an application `state.desk` and `state.relay`, and what signers talk to.

    It is mounted apart: no session and no form's token belongs there, every request is signed itself.
    """
    now = lambda: settings.clock().timestamp()  # noqa: E731
    desk = Desk(settings.channel, actions.chaincode, now)
    relay = Relay(actions.transport, actions.committed, actions.before)
    verifier = RequestVerifier(settings.msp_id, settings.members, now, tag=WEB_SIGN)
    limit = RateLimit(_REQUESTS_A_MINUTE, 60.0, now)
    application.state.desk, application.state.relay = desk, relay
    application.mount(wire.PREFIX, relay_application(desk, relay, verifier, limit.check))
