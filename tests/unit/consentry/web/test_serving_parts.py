"""What serves the pages: origins, files, reads on record, rate limits, live news, the command that signs."""

from __future__ import annotations

import io
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.trail_events import fill
from sqlalchemy import func, select, update
from support.web_bench import ORIGIN, START, WebBench

from consentry.cli.main import run
from consentry.errors import ConfigurationError, InputRejected, LedgerUnreachable
from consentry.index import open_database
from consentry.index.schema import transactions
from consentry.trail_read_outbox import TrailReadOutbox
from consentry.trail_reads import SentReads
from consentry.wallet import Wallet, WalletIdentity
from consentry.web.challenges import Challenge
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import LedgerView
from consentry.web.officer import Officer
from consentry.web.pages.live import Streams
from consentry.web.places import SignInFile
from consentry.web.rate_limit import RateLimit
from consentry.web.read_log import LedgerReadLog
from consentry.web.serving import origin_of
from consentry.web.sessions import Session
from consentry_records.digest import sha256_digest
from fabric_protocol.certificates import key_pem


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Trail.Example", "https://trail.example"),
        ("https://trail.example:443/", "https://trail.example"),
        ("https://trail.example:8443", "https://trail.example:8443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_as_browsers_write_it(url, origin):
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://trail.example",
        "https://",
        "https://trail.example/path",
        "https://user@trail.example",
        "https://trail.example?x=1",
        "https://trail.example:port",
        "https://trail.example:99999999",
        "javascript:alert(1)",
        "https://trail.example\r\nx: y",
    ],
)
def test_what_is_no_origin_is_refused(url):
    with pytest.raises(InputRejected, match="URL_INVALID"):
        origin_of(url)


def test_what_officers_signed_is_kept_under_its_digest(filled, tmp_path):
    bench = WebBench(filled[0])
    file = SignInFile(tmp_path / "web")
    bench.signed_in("dpo")
    for signed in bench.signed:
        file.keep(signed)
    (line,) = (tmp_path / "web" / "sign-ins.jsonl").read_bytes().splitlines()
    assert sha256_digest(line) == sha256_digest(bench.signed[0])
    kept = json.loads(line)
    assert Challenge.from_code(kept["code"]).origin == ORIGIN
    assert kept["answer"].startswith("signed-1.")
    assert (tmp_path / "web" / "sign-ins.jsonl").stat().st_mode & 0o077 == 0


def test_a_file_that_others_can_read_is_refused(tmp_path):
    SignInFile(tmp_path / "web")
    (tmp_path / "web" / "sign-ins.jsonl").chmod(0o644)
    with pytest.raises(ConfigurationError, match="PATH_EXPOSED"):
        SignInFile(tmp_path / "web")


class Reads:
    """An outbox whose ledger is away until `is_there` is set."""

    def __init__(self, path: Path) -> None:
        self.outbox = TrailReadOutbox(path)
        self.is_there = threading.Event()
        self.sent = threading.Event()

    def keep(self, read):
        self.outbox.keep(read)

    def send(self):
        if not self.is_there.is_set():
            raise LedgerUnreachable("LEDGER_UNREACHABLE", "away")
        for read in self.outbox.waiting():
            self.outbox.settle(read.trail_read_id)
        self.sent.set()
        return SentReads(1, 0, 0)


def test_a_read_is_on_disk_before_its_answer_and_sent_after_it(tmp_path):
    reads = Reads(tmp_path / "box" / "reads.sqlite")
    log = LedgerReadLog(reads, lambda: START)
    officer = Officer("NorthgateMSP", "0f" * 16, ("dpo",), "", b"", sha256_digest(b"signed"))
    log(officer, "dataset", concerned=["dataset-1"], row_count=3, last_block=9)
    (waiting,) = reads.outbox.waiting()
    assert (waiting.shown_to, waiting.sign_in_digest) == ("0f" * 16, sha256_digest(b"signed"))
    reads.is_there.set()
    log(officer, "dataset", concerned=[], row_count=0, last_block=9)
    assert reads.sent.wait(30)
    log.close()
    reads.outbox.close()


def test_reads_that_wait_since_an_earlier_release_are_read(tmp_path):
    outbox = TrailReadOutbox(tmp_path / "box" / "reads.sqlite")
    from consentry.trail_reads import new_read

    read = new_read("findings", [], 0, 1)
    earlier = {k: v for k, v in read.to_dict().items() if k not in ("shown_to", "sign_in_digest")}
    outbox._change(
        "INSERT INTO trail_reads (trail_read_id, trail_read) VALUES (?, ?)",
        (read.trail_read_id, json.dumps(earlier).encode()),
    )
    assert outbox.waiting() == (read,)
    outbox.close()


def test_one_address_asks_so_often_and_others_as_they_like():
    now = [0.0]
    limit = RateLimit(2, 60, lambda: now[0])
    limit.check("a")
    limit.check("a")
    with pytest.raises(PageRefused, match="TOO_MANY_REQUESTS"):
        limit.check("a")
    limit.check("b")
    now[0] = 60
    limit.check("a")


def test_a_session_holds_few_streams():
    streams, session = Streams(), Session(b"key", 0, 0)
    for _ in range(8):
        streams.begin(session)
    with pytest.raises(PageRefused, match="TOO_MANY_REQUESTS"):
        streams.begin(session)
    streams.end(session)
    streams.begin(session)


def test_news_come_until_the_session_ends(bench):
    browser = bench.signed_in("dpo")
    bench.application.state.stopping.set()
    told = browser.get("/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    assert told.text == "event: end\ndata: end\n\n"


def test_news_name_the_newest_block(bench, monkeypatch):
    browser = bench.signed_in("dpo")
    newest = LedgerView.newest_news

    def asked(view: LedgerView) -> int:
        bench.application.state.stopping.set()  # after this number
        return newest(view)

    with monkeypatch.context() as patch:
        patch.setattr(LedgerView, "newest_news", asked)
        told = browser.get("/events").text
    last = bench.application.state.view.newest_news()
    assert last == bench.application.state.view.last_block() > 0
    assert told == f"event: block\ndata: {last}\n\nevent: end\ndata: end\n\n"


def test_looks_are_no_news(filled, tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'reads.sqlite'}")
    fill(engine, 100)
    view = LedgerView(engine, lambda *_arguments, **_read: None)
    with engine.begin() as connection:
        last = connection.execute(select(func.max(transactions.c.block))).scalar_one()
        connection.execute(
            update(transactions).where(transactions.c.block == last).values(function="trail:record_read")
        )
    assert view.newest_news() < last or last == 0
    engine.dispose()


def test_an_index_that_is_empty_is_said_to_be(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    browser = WebBench(engine).signed_in("dpo")
    for path in ("/", "/network"):
        answer = browser.get(path)
        assert answer.status_code == 503
        assert "INDEX_EMPTY" in answer.text
    engine.dispose()


@pytest.fixture
def wallet(bench, tmp_path: Path) -> WalletIdentity:
    (tmp_path / "network.json").write_text(
        json.dumps(
            {
                "version": 1,
                "engine": "embedded",
                "channel": "consentry",
                "chaincode": "consentry",
                "orderers": [],
                "organizations": {
                    "NorthgateMSP": {
                        "name": "northgate",
                        "kind": "hospital",
                        "peers": [{"endpoint": "127.0.0.1:1", "tls_roots": "roots.pem"}],
                    }
                },
            }
        )
    )
    officer = bench.officer("dpo", valid_days=36_500)
    identity = WalletIdentity("NorthgateMSP", officer.pem, key_pem(officer.key))
    Wallet(tmp_path / "wallets" / "northgate").put("dpo", identity)
    return identity


def sign_in(directory: Path, code: str, *options: str) -> int:
    return run(["--network", str(directory), "--as", "northgate/dpo", "web", "sign-in", code, *options])


def test_the_command_says_what_it_signs(bench, wallet, tmp_path, capsys):
    bench.now = datetime.now(UTC)
    browser = bench.browser()
    challenge = browser.challenge()
    assert sign_in(tmp_path, challenge.code, "--yes") == 0
    said = capsys.readouterr()
    assert ORIGIN in said.err
    assert "0f0f" in said.err
    assert browser.post("/sign-in", answer=said.out.strip()).status_code == 303


def test_nothing_is_signed_without_a_yes(wallet, tmp_path, capsys, monkeypatch):
    ends = int((datetime.now(UTC) + timedelta(minutes=1)).timestamp())
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert sign_in(tmp_path, Challenge(ORIGIN, "consentry", "A" * 43, ends).code) == 1
    assert "signed-1." not in capsys.readouterr().out


@pytest.mark.parametrize("code", ["", "sign-in-1.AAAA", "A" * 30_000])
def test_the_command_refuses_other_codes(wallet, tmp_path, capsys, code):
    assert sign_in(tmp_path, code, "--yes") == 1
    assert "SIGN_IN_CODE_INVALID" in capsys.readouterr().err


def test_the_command_refuses_an_expired_code(wallet, tmp_path, capsys):
    code = Challenge(ORIGIN, "consentry", "A" * 43, int(START.timestamp())).code
    assert sign_in(tmp_path, code, "--yes") == 1
    assert re.search("SIGN_IN_CODE_EXPIRED", capsys.readouterr().err)
