"""Schemathesis asks every page and form what its own description allows, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from support.action_pages import action_settings
from support.web_bench import Browser, WebBench, hidden_value

# One waits for news as long as its reader does, the other would end the session of all that follow.
_NOT_ASKED = ["/events", "/sign-out"]
_EXPECTED = {200, 303, 400, 401, 403, 404, 405, 414, 429, 503}


@pytest.fixture(scope="module")
def bench(filled: Any) -> WebBench:
    return WebBench(filled[0], actions=action_settings())


@pytest.fixture(scope="module")
def officer(bench: WebBench) -> Browser:
    browser = bench.signed_in("steward", "dpo", "auditor", "ethics")
    browser.get("/")
    return browser


@pytest.fixture
def described(bench: WebBench) -> Any:
    document = bench.application.openapi()
    return schemathesis.openapi.from_dict(document).exclude(path=_NOT_ASKED)


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_no_page_fails(case: Any, officer: Browser) -> None:
    sent = case.as_transport_kwargs(base_url="")
    data = sent.get("data")
    if isinstance(data, dict):
        # With the session's own token what the page's form asks for is looked at, too.
        data["csrf_token"] = hidden_value(officer.last.text, "csrf_token")
    answer = officer.client.request(
        sent["method"],
        sent["url"],
        params=sent.get("params"),
        data=data if isinstance(data, dict) else None,
        content=data if isinstance(data, bytes | str) else None,
        headers={"origin": officer.bench.application.state.settings.origin},
    )
    assert answer.status_code in _EXPECTED, (answer.status_code, answer.text[:500])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "PAGE_FAILED" not in answer.text
