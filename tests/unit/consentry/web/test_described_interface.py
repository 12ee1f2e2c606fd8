"""Schemathesis asks every page and form what its own description allows, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.action_pages import action_settings
from support.web_bench import ORIGIN, Browser, WebBench, hidden_value

from consentry.web import sign_in
from consentry.web.pages import ROUTERS

# One waits for news as long as its reader does, the other would end the session of all that follow.
_NOT_ASKED = ("/events", "/sign-out")
_EXPECTED = {200, 303, 400, 401, 403, 404, 405, 414, 429, 503}


def described() -> dict[str, Any]:
    """Every operation of the pages by its name, as the pages' own description has it."""
    pages = FastAPI(title="Consentry", version="1")
    for router in (sign_in.router, *ROUTERS):
        pages.include_router(router)
    found = (result.ok() for result in schemathesis.openapi.from_dict(pages.openapi()).get_all_operations())
    return {operation.label: operation for operation in found if operation.path not in _NOT_ASKED}


OPERATIONS = described()


@pytest.fixture(scope="module")
def officer(filled: Any) -> Browser:
    bench = WebBench(filled[0], actions=action_settings())
    browser = bench.signed_in("steward", "dpo", "auditor", "ethics")
    browser.get("/")
    return browser


def test_all_are_asked() -> None:
    assert {"GET /trail", "POST /breaches/new", "GET /subjects/{handle}"} <= set(OPERATIONS)


@pytest.mark.parametrize("label", sorted(OPERATIONS))
@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_page_fails(officer: Browser, label: str, data: st.DataObject) -> None:
    sent = data.draw(OPERATIONS[label].as_strategy()).as_transport_kwargs(base_url=ORIGIN)
    form = sent.get("data")
    if isinstance(form, dict):
        # With the session's own token what the page's form asks for is looked at, too.
        form = form | {"csrf_token": hidden_value(officer.last.text, "csrf_token")}
    answer = officer.client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        data=form if isinstance(form, dict) else None,
        content=form if isinstance(form, bytes | str) else None,
        headers={"origin": ORIGIN},
    )
    assert answer.status_code in _EXPECTED, (answer.status_code, answer.text[:500])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "PAGE_FAILED" not in answer.text
