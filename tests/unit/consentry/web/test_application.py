"""What every page has: nobody without a session, no forged forms, headers, no scripts of others."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from support.web_bench import ORIGIN, WebBench

from consentry.web import sign_in, static_files
from consentry.web.access import current_officer, require, require_function
from consentry.web.guard import PUBLIC
from consentry.web.pages import ROUTERS
from consentry.web.security_headers import CONTENT_SECURITY_POLICY
from consentry_records.roles import ROLES


def routes(bench: WebBench) -> list[APIRoute]:
    routers = (sign_in.router, static_files.router, *ROUTERS)
    found = [route for router in routers for route in router.routes]
    assert all(isinstance(route, APIRoute) for route in found)
    assert len(bench.application.routes) == len(routers)
    assert len(found) > 40
    return found


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


def depends_on_officer(route: APIRoute) -> bool:
    def walk(dependant) -> bool:
        return dependant.call is current_officer or any(map(walk, dependant.dependencies))

    return walk(route.dependant)


def test_every_route_needs_an_officer_or_is_public(bench):
    session_only = {"/sign-out"}
    for route in routes(bench):
        assert route.path in PUBLIC | session_only or depends_on_officer(route), route.path


def test_nobody_without_a_session_sees_anything(bench):
    for number, route in enumerate(routes(bench)):
        if route.path in PUBLIC:
            continue
        browser = bench.browser(f"198.51.100.{number % 250}")
        for method in route.methods:
            answer = browser.client.request(method, concrete(route.path), headers={"origin": ORIGIN})
            assert answer.status_code in (200, 401), route.path
            assert "sign-in-1." in answer.text or answer.status_code == 401, route.path
            assert "block" not in answer.headers.get("location", "")


def test_no_role_sees_no_page(bench):
    browser = bench.signed_in()
    for route in routes(bench):
        if "GET" in route.methods and route.path not in PUBLIC:
            assert browser.get(concrete(route.path)).status_code in (403, 422, 400), route.path


@pytest.mark.parametrize("role", ["researcher", "clinician", "service"])
def test_roles_that_do_not_answer_for_others_do_not_read_the_trail(bench, role):
    assert bench.signed_in(role).get("/").status_code == 403


def test_an_unknown_role_or_function_is_a_fault_of_ours():
    with pytest.raises(ValueError, match="roles of the ledger"):
        require("superuser")
    with pytest.raises(ValueError, match="roles of the ledger"):
        require()
    with pytest.raises(KeyError):
        require_function("grants:everything")


def test_functions_are_for_whom_the_contracts_say(bench):
    from consentry.web.access import may_call
    from consentry.web.officer import Officer
    from consentry_records.permissions import PERMISSIONS

    for function, permission in PERMISSIONS.items():
        for role in ROLES:
            officer = Officer("NorthgateMSP", "x", (role,), "", b"")
            for kind in ("hospital", "regulator"):
                expected = (not permission.roles or role in permission.roles) and permission.kind in (
                    None,
                    kind,
                )
                assert may_call(officer, kind, function) is expected


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nothing", "/static/0/style.css", "/%00", "/../../etc/passwd"]
)
def test_every_answer_carries_the_headers(bench, path):
    answer = bench.signed_in("dpo").get(path)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_pages_have_no_inline_scripts_or_styles(bench):
    for page in (bench.signed_in("dpo").get("/").text, bench.browser().get("/sign-in").text):
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)


@pytest.mark.parametrize("token", ["", "x", "é"])
def test_a_form_without_the_sessions_token_is_refused(bench, token):
    browser = bench.signed_in("dpo")
    assert browser.post("/sign-out", token=token).status_code == 403
    assert "sign-in-1." not in browser.get("/").text


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", f"{ORIGIN}.evil.example", ORIGIN.upper()]
)
def test_a_form_from_elsewhere_is_refused(bench, origin):
    browser = bench.signed_in("dpo")
    browser.get("/")
    assert browser.post("/sign-out", origin=origin).status_code == 403


@pytest.mark.parametrize(("site", "status"), [("same-origin", 303), ("same-site", 403), ("cross-site", 403)])
def test_a_page_that_hides_its_address_is_known_by_its_site(bench, site, status):
    """Real browsers do so: our own pages send no referrer, so that their forms come from `null`."""
    browser = bench.signed_in("dpo")
    browser.get("/")
    browser.client.headers["sec-fetch-site"] = site
    assert browser.post("/sign-out", origin="null").status_code == status


def test_anothers_token_is_refused(bench):
    first, second = bench.signed_in("dpo"), bench.signed_in("auditor")
    second.get("/")
    from support.web_bench import hidden_value

    assert first.post("/sign-out", token=hidden_value(second.last.text, "csrf_token")).status_code == 403


def test_a_doubled_token_is_refused(bench):
    browser = bench.signed_in("dpo")
    token = hidden = browser.get("/").text.partition('csrf_token" value="')[2].partition('"')[0]
    answer = browser.client.post(
        "/sign-out",
        content=f"csrf_token={token}&csrf_token={hidden}",
        headers={"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "", "trail.northgate.example:1", "trail.northgate.example.evil"]
)
def test_another_host_is_refused(bench, host):
    assert bench.browser().get("/sign-in", headers={"host": host}).status_code == 421


def test_long_addresses_and_bodies_are_refused(bench):
    browser = bench.browser()
    assert browser.get("/?q=" + "x" * 5000).status_code == 414
    large = browser.client.post("/sign-in", content=b"x" * (1024 * 1024 + 1))
    assert large.status_code == 413
    chunks = browser.client.post("/sign-in", content=iter([b"x"]))
    assert chunks.status_code == 411


@pytest.mark.parametrize(
    "path",
    [
        "/static/0000/../../../pyproject.toml",
        "/static/x/..%2f..%2fsettings.py",
        "/static/x/style.css",
        "/static/%2e%2e/application.py",
        "/static//etc/passwd",
    ],
)
def test_static_files_are_the_packages_own(bench, path):
    answer = bench.browser().get(path)
    assert answer.status_code == 404
    assert "import" not in answer.text


def test_static_files_are_kept_by_browsers(bench):
    browser = bench.browser()
    link = re.search(r'href="(/static/[^"]*style.css)"', browser.get("/sign-in").text)
    answer = browser.get(link[1])
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_what_was_asked_for_is_not_repeated(bench):
    browser = bench.signed_in("dpo")
    for path in (
        "/<script>alert(1)</script>",
        "/?x=<script>alert(1)</script>",
        "/nothing?a=%0d%0aset-cookie:x=y",
    ):
        answer = browser.get(path)
        assert "alert(1)" not in answer.text
        assert "set-cookie" not in answer.headers


def test_a_page_that_fails_says_nothing_of_what_was_asked(bench, caplog):
    browser = bench.signed_in("dpo")

    def broken(*_arguments):
        raise RuntimeError("pseudonym-of-somebody")

    bench.application.state.view.last_block = broken
    answer = browser.get("/network/lag")
    assert answer.status_code == 500
    assert "PAGE_FAILED" in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "pseudonym-of-somebody" not in answer.text + caplog.text


def test_a_person_chooses_the_language(bench):
    browser = bench.browser(**{"accept-language": "de"})
    assert "Anmelden" in browser.get("/sign-in").text
    assert browser.post("/language", language="en").status_code == 303
    assert "Sign in" in browser.get("/sign-in").text
    assert browser.post("/language", language="../../etc/passwd").status_code == 400


def test_methods_that_a_page_does_not_take_are_refused(bench):
    browser = bench.signed_in("dpo")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert browser.client.request(method, "/").status_code == 405
