"""Somebody leaves: revoked at the CA, refused by the channel, and the ledger still proves itself."""

import os

import pytest

from consentry.errors import NetworkRefused
from consentry.ledger import connect
from consentry.network import enroll_user, publish_revocations, revoke_user
from consentry.verification import Verdict, Verifier
from consentry.verification.peers import live_peers

pytestmark = pytest.mark.integration


def test_whoever_is_revoked_is_refused_by_the_channel(consortium):
    directory, label = consortium.profile.directory, f"leaver-{os.urandom(4).hex()}"
    identity = enroll_user(directory, "lakeside", label, ["steward"])
    with connect(directory, identity) as ledger:
        assert next(ledger.blocks())
    revocations = revoke_user(directory, "lakeside", label)
    number = publish_revocations(directory, "lakeside", revocations)
    with connect(directory, identity) as ledger, pytest.raises(NetworkRefused, match="FORBIDDEN"):
        next(ledger.blocks())
    colleague = consortium.identity("lakeside", "dpo")
    with connect(directory, colleague) as ledger:
        assert next(ledger.blocks(number, number))

    anchor = (directory / "anchors" / "lakeside.txt").read_text().strip()
    with live_peers(consortium.profile, colleague) as sources:
        assert Verifier().verify(sources, anchor).verdict is Verdict.PROVED
