"""Overview, trail, record and network: what they show, to whom, and what hostile addresses come to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from support.web_bench import START

from consentry.errors import InputRejected, LedgerUnreachable
from consentry.web.network_state import NetworkState, NodeState
from consentry.web.proving import Proved
from consentry_records.roles import AUDITOR, DPO, ETHICS, REGULATOR, STEWARD

SCRIPT = "<script>alert(1)</script>"
PAGES = ("/", "/trail", "/trail/transactions", "/network", "/trail/export/csv")


@pytest.fixture
def officer(bench):
    return bench.signed_in("dpo")


@pytest.mark.parametrize("role", [STEWARD, DPO, AUDITOR, REGULATOR, ETHICS])
@pytest.mark.parametrize("path", PAGES)
def test_who_answers_for_others_reads(bench, role, path):
    assert bench.signed_in(role).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_whole_in_german(bench, path):
    browser = bench.signed_in("dpo")
    browser.client.headers["accept-language"] = "de"
    answer = browser.get(path)
    assert answer.status_code == 200
    if answer.headers["content-type"].startswith("text/html"):
        assert '<html lang="de">' in answer.text


def test_the_newest_access_comes_first_and_pages_go_on(officer):
    seen: list[str] = []
    path = "/trail"
    while True:
        page = officer.get(path).text
        seen += re.findall(r'/records/attempt/(attempt-[0-9a-f]{32})"', page)
        older = re.search(r'rel="next" href="([^"]*)"', page)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) > 150
    backwards = officer.get("/trail/export/json").json()["tables"]["accesses"]["rows"]
    assert [row["record"][0] for row in backwards][::-1] == seen


def test_filters_restrict_and_stay_in_the_links(officer):
    page = officer.get("/trail?outcome=deny&custodian=NorthgateMSP").text
    assert 'class="tag bad">denied' in page
    assert 'class="tag good">permitted' not in page
    links = re.findall(r'href="(/trail/export/[a-z]+\?[^"]*)"', page)
    assert len(links) == 3
    assert all("outcome=deny" in link and "custodian=NorthgateMSP" in link for link in links)


def test_empty_fields_of_a_form_restrict_nothing(officer):
    assert officer.get("/trail?custodian=&dataset=&since=&from_block=&after=").status_code == 200


def test_days_bound_the_accesses(bench, officer):
    everything = officer.get("/trail/export/json").json()["tables"]["accesses"]["rows"]
    first = everything[0]["when"][0].removeprefix("attempted ")[:10]
    day = officer.get(f"/trail/export/json?since={first}&until={first}").json()["tables"]["accesses"]["rows"]
    assert day == [row for row in everything if first in row["when"][0]]
    assert officer.get("/trail/export/json?since=2099-01-01").json()["tables"]["accesses"]["rows"] == []
    assert officer.get("/trail/export/json?until=9999-12-31").status_code == 200


HOSTILE = [
    f"dataset={SCRIPT}",
    "dataset=../../etc/passwd",
    "dataset=a%0d%0aset-cookie:%20x=y",
    "dataset=" + "a" * 65,
    "dataset=%00",
    "custodian=NorthgateMSP'%20OR%201=1--",
    "purpose=DUO:9999999",
    "purpose=%F0%9F%92%A9",
    "reason=NO_SUCH_REASON",
    "outcome=perhaps",
    "from_block=-1",
    "from_block=99999999999999999999999",
    "from_block=1e9",
    "from_block=%D9%A1",
    "to_block=0x10",
    "since=2026-13-01",
    "since=yesterday",
    "since=1969-12-31",
    "until=0001-01-01",
    "until=10000-01-01",
    "after=1",
    "after=9999999999999999.1",
    "after=1.1;drop",
    "grant=grant-1",
    "model=model-" + "G" * 32,
    "requester=0f0f",
    "unknown=1",
    "outcome=deny&outcome=permit",
    "outcome=deny&outcome=deny",
]


@pytest.mark.parametrize("query", HOSTILE)
@pytest.mark.parametrize("path", ["/trail", "/trail/export/csv"])
def test_fields_that_do_not_have_their_form_are_refused(officer, path, query):
    answer = officer.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert "alert(1)" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "query",
    [f"function={SCRIPT}", "invalid=maybe", "code=valid", "organization=%3C", "code=VALID&code=VALID"],
)
def test_fields_of_transactions_are_checked_too(officer, query):
    assert officer.get(f"/trail/transactions?{query}").status_code == 400


def test_transactions_are_filtered_by_code(officer):
    assert "VALID" in officer.get("/trail/transactions?code=VALID").text
    assert "Nothing on the ledger fits" in officer.get("/trail/transactions?invalid=yes").text


def test_many_parameters_are_refused(officer):
    assert officer.get("/trail?" + "&".join(f"p{n}=1" for n in range(400))).status_code in (400, 414)


@pytest.mark.parametrize("kind", ["xml", "csv%2f..", "CSV", SCRIPT])
def test_other_formats_are_not_there(officer, kind):
    assert officer.get(f"/trail/export/{kind}").status_code == 404


def test_exports_are_files_and_on_record(bench, officer):
    for kind, starts in (("csv", b"when,who"), ("json", b"{"), ("pdf", b"%PDF")):
        answer = officer.get(f"/trail/export/{kind}?outcome=deny")
        assert answer.content.startswith(starts)
        assert answer.headers["content-disposition"] == f'attachment; filename="accesses.{kind}"'
        assert bench.reads[-1][1] == "report"


def test_every_view_of_accesses_is_on_record(bench, officer):
    officer.get("/trail?dataset=dataset-1")
    assert bench.reads[-1] == ("0f" * 16, "dataset", ["dataset-1"])
    officer.get("/trail?dataset=Jane.Doe")
    assert bench.reads[-1] == ("0f" * 16, "dataset", [])
    officer.get("/trail/transactions")
    assert bench.reads[-1][1] == "transactions"


def test_a_person_is_asked_about_in_a_form_only(bench, officer):
    officer.get("/trail")
    shown = officer.post("/trail/person", requester="researcher-7")
    assert shown.status_code == 200
    assert bench.reads[-1] == ("0f" * 16, "actor", ["researcher-7"])
    assert officer.get("/trail/person?requester=researcher-7").status_code in (404, 405)
    assert "researcher-7" not in re.search(r"<title>.*</title>", shown.text)[0]


@pytest.mark.parametrize("requester", ["", SCRIPT, "a b", "x" * 65, "é", "a\r\nb", "'; DROP TABLE accesses"])
def test_who_is_no_enrolment_id_is_not_asked_about(bench, officer, requester):
    officer.get("/trail")
    before = len(bench.reads)
    assert officer.post("/trail/person", requester=requester).status_code == 400
    assert len(bench.reads) == before


def test_a_record_shows_its_fields_and_connections(officer, filling):
    page = officer.get(f"/records/dataset/{filling.datasets[0]}").text
    assert "dataset-0" in page
    assert "/records/version/version-" in page


def test_a_view_of_a_record_is_on_record(bench, officer, filling):
    officer.get(f"/records/dataset/{filling.datasets[0]}")
    assert bench.reads[-1] == ("0f" * 16, "history", [filling.datasets[0]])


@pytest.mark.parametrize(
    "path",
    [
        "/records/dataset/dataset-" + "0" * 32,
        "/records/nothing/x",
        f"/records/dataset/{SCRIPT}",
        "/records/dataset/../../../etc/passwd",
        "/records/dataset/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/records/dataset/" + "a" * 1000,
        "/records/dataset/a%0d%0ab",
        "/proof-file/dataset/x%22%0d%0aset-cookie:y",
        "/proof-status/grant/x",
    ],
)
def test_records_that_are_not_there(officer, path):
    answer = officer.get(path)
    assert answer.status_code == 404
    assert "alert(1)" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_record_is_proved_when_it_is_looked_at(bench, officer, filling):
    asked = []

    def prove(change):
        asked.append(change.record_id)
        return Proved(b"proof", ("NorthgateMSP", "RiversideMSP"), ("LakesideMSP",), True)

    bench.prove = prove
    path = f"dataset/{filling.datasets[0]}"
    without_scripts = officer.get(f"/records/{path}?proof=now").text
    assert "Proved now" in without_scripts
    assert "NorthgateMSP, RiversideMSP" in without_scripts
    part = officer.get(f"/proof-status/{path}").text
    assert "<html" not in part
    assert "No statement came from LakesideMSP" in part
    file = officer.get(f"/proof-file/{path}")
    assert file.content == b"proof"
    assert (
        file.headers["content-disposition"] == f'attachment; filename="dataset-{filling.datasets[0]}.proof"'
    )
    assert asked == [filling.datasets[0]] * 3
    # The page and the file; the part of the page that says whether it is proved is not read once more.
    assert [question for _, question, _ in bench.reads] == ["history", "history"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputRejected("PROOF_REFUSED", "no"), "cannot be proved"),
        (LedgerUnreachable("LEDGER_UNREACHABLE", "no"), "the peer does not answer"),
    ],
)
def test_what_is_not_proved_is_said(bench, officer, filling, error, sentence):
    def prove(change):
        raise error

    bench.prove = prove
    path = f"dataset/{filling.datasets[0]}"
    assert sentence in officer.get(f"/proof-status/{path}").text
    assert officer.get(f"/proof-file/{path}").status_code in (400, 503)


def test_the_network_page_shows_its_nodes(bench, officer):
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    bench.network = NetworkState(
        START,
        (
            NodeState("NorthgateMSP", "peer.example:7051", 900, ends, ""),
            NodeState("RiversideMSP", f"{SCRIPT}:1", None, None, "UNREACHABLE"),
        ),
        (NodeState("", "orderer.example:7050", None, ends, ""),),
        "1.0 (1)",
    )
    part = officer.get("/network/nodes").text
    assert "<html" not in part
    assert "peer.example:7051" in part
    assert "UNREACHABLE" in part
    assert "&lt;script&gt;" in part
    assert "peer.example:7051" in officer.get("/network?nodes=now").text
    assert "blocks behind" in officer.get("/network/lag").text


def test_the_lag_is_not_known_without_an_answer(officer):
    assert "is not known" in officer.get("/network/lag").text


def test_the_overview_counts_the_denials_of_a_week(bench, officer):
    bench.now = datetime(2025, 1, 1, 6, tzinfo=UTC)
    # Officers' certificates begin later: only the attention itself is asked.
    from consentry.web.attention import attention

    with bench.application.state.view.snapshot() as connection:
        found = attention(connection, "NorthgateMSP", bench.now)
        later = attention(connection, "NorthgateMSP", bench.now + timedelta(days=40))
    assert 0 < found.denials < 60
    assert later.denials == 0


def test_grants_that_end_soon_are_shown(bench):
    from consentry.web.attention import attention

    with bench.application.state.view.snapshot() as connection:
        soon = attention(connection, "NorthgateMSP", datetime(2034, 12, 20, tzinfo=UTC))
        early = attention(connection, "NorthgateMSP", START)
        others = attention(connection, "RegulatorMSP", datetime(2034, 12, 20, tzinfo=UTC))
    assert {"NorthgateMSP"} < {
        name for row in soon.ending_grants for name in (row.owner, row.body["grantee"])
    }
    assert all("NorthgateMSP" in (row.owner, row.body["grantee"]) for row in soon.ending_grants)
    assert early.ending_grants == others.ending_grants == ()
