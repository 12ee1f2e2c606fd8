"""Erasures and breaches on pages: what is asked to be signed, and which steps are offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.trail_events import write_records
from sqlalchemy import Engine
from support.action_pages import (
    BREACH,
    FORM,
    PRIVATE_ENTRIES,
    RIGHTS,
    action_settings,
    offered,
    records,
)
from support.ledger_examples import identifier
from support.web_bench import Browser, WebBench

from consentry.index import open_database

ERASURE_FORM = {
    "collection": "searched",
    "custody": "key-destroyed",
    "datasets": "searched",
    "peer-files": "key-destroyed",
    "backups": "not-held",
    "revision": "1",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = open_database(f"sqlite:///{Path(tmp_path_factory.mktemp('actions')) / 'index.sqlite'}")
    write_records(made, records())
    yield made
    made.dispose()


@pytest.fixture
def pages(engine: Engine) -> WebBench:
    return WebBench(engine, actions=action_settings())


@pytest.fixture
def dpo(pages: WebBench) -> Browser:
    return pages.signed_in("dpo")


@pytest.mark.parametrize(
    ("page", "path", "fields", "words"),
    [
        (
            f"/rights/{RIGHTS}",
            f"/rights/{RIGHTS}/erase",
            ERASURE_FORM,
            [
                "Purge a person&#39;s private entries",
                "2 private entries of the person are purged",
                *PRIVATE_ENTRIES,
                "destroys the person&#39;s salt and key",
                "backups (backups); How it was reached: there is no such store (not-held)",
            ],
        ),
        (
            "/breaches/new",
            "/breaches/new",
            {
                "natures": ["integrity", "availability"],
                "categories": "imaging diagnosis",
                "subject_count": "12",
                "record_count": "3400",
                "versions": identifier("version"),
                "aware_at": "2026-01-04T03:04",
                "facts": "ab" * 32,
            },
            [
                "Record a personal data breach",
                "2026-01-04 03:04:00.000 UTC",
                "diagnosis",
                f"sha256:{'ab' * 32}",
            ],
        ),
        (
            f"/breaches/{BREACH}",
            f"/breaches/{BREACH}/step",
            {"step": "authority-notified", "revision": "1", "document": f"sha256:{'cd' * 32}"},
            ["Record that the authority was told", "2026-01-05 09:00:00.000 UTC", "cd" * 32],
        ),
    ],
)
def test_a_form_leads_to_its_action_in_words(
    dpo: Browser, page: str, path: str, fields: dict[str, Any], words: list[str]
) -> None:
    shown = offered(dpo, page, path, **fields)
    for word in words:
        assert word in shown
    assert "Waits for your signature" in shown


def test_steps_that_the_ledger_would_refuse_are_not_offered(dpo: Browser) -> None:
    rights = dpo.get(f"/rights/{RIGHTS}").text
    assert 'value="accepted"' in rights
    assert 'value="lifted"' not in rights
    assert "/fulfil" not in rights
    assert "/erase" not in rights
    breach = dpo.get(f"/breaches/{BREACH}").text
    assert 'value="authority-not-notified"' in breach
    assert 'value="closed"' not in breach


def test_all_who_read_see_a_breach_and_its_custodian_s_officers_act_on_it(
    pages: WebBench,
) -> None:
    for role in ("auditor", "ethics"):
        shown = pages.signed_in(role).get(f"/breaches/{BREACH}").text
        assert "lost or destroyed" in shown
        assert "/step" not in shown
    assert pages.signed_in("dpo").get(f"/breaches/{identifier('breach', 9)}").status_code == 404


def test_stores_that_are_left_out_are_asked_for(dpo: Browser) -> None:
    dpo.get(f"/rights/{RIGHTS}")
    fields = {name: value for name, value in ERASURE_FORM.items() if name != "backups"}
    assert dpo.post(f"/rights/{RIGHTS}/erase", form=FORM, **fields).status_code == 400
    fields["backups"] = "burnt"
    assert dpo.post(f"/rights/{RIGHTS}/erase", form=FORM, **fields).status_code == 400
