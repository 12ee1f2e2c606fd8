"""Whatever stands in an address or form: no page fails, nothing is repeated as markup, no header is added."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import pytest
from fastapi.routing import APIRoute
from hypothesis import given, settings
from hypothesis import strategies as st
from support.web_bench import Browser, WebBench

from consentry.web.guard import PUBLIC
from consentry.web.pages import ROUTERS

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "a\r\nset-cookie: x=y",
    "'; DROP TABLE accesses; --",
    "{{ 7 * 7 }}",
    "\x00",
    "9" * 400,
    "-1",
    "1e999",
    "\ud7ff\uffff",
    "consent-" + "0" * 32,
    "hmac-sha256:" + "0" * 64,
    "NorthgateMSP",
    "2026-01-05",
    "",
)
VALUES = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=60))
ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
# What waits for news has a test of its own.
READ = [route for route in ROUTES if "GET" in route.methods and route.path not in {*PUBLIC, "/events"}]
WRITTEN = [route for route in ROUTES if "POST" in route.methods and route.path not in PUBLIC]
ROLES = ("steward", "dpo", "auditor", "ethics")


@pytest.fixture(scope="module")
def officer(filled) -> Browser:
    return WebBench(filled[0]).signed_in(*ROLES)


def path_of(route: APIRoute, values: list[str]) -> str:
    given_values = iter(values)
    return re.sub(r"\{[^}]*\}", lambda _: quote(next(given_values), safe="") or "x", route.path)


def check(answer) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, answer.text[:500])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers or answer.headers["set-cookie"].startswith("__Host-consentry")
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert SCRIPT not in answer.text
        assert "<img src=x" not in answer.text


@settings(max_examples=300)
@given(
    route=st.sampled_from(READ),
    values=st.lists(VALUES, min_size=4, max_size=4),
    fields=st.lists(st.tuples(st.integers(0, 20), VALUES), max_size=6),
)
def test_addresses(officer, route, values, fields):
    names = [field.alias for field in route.dependant.query_params] or ["x"]
    query = urlencode([(names[place % len(names)], value) for place, value in fields])
    address = f"{path_of(route, values)}?{query}"
    check(officer.get(address[:4000]))


@settings(max_examples=200)
@given(
    route=st.sampled_from(WRITTEN),
    values=st.lists(VALUES, min_size=4, max_size=4),
    fields=st.lists(st.tuples(st.integers(0, 20), VALUES), max_size=6),
)
def test_forms(officer, route, values, fields):
    officer.get("/network")
    names = [field.alias for field in route.dependant.body_params] or ["x"]
    form = {names[place % len(names)]: value for place, value in fields}
    check(officer.post(path_of(route, values)[:4000], **form))


def test_every_page_and_form_is_among_them():
    assert len(READ) > 25
    assert len(WRITTEN) > 10
