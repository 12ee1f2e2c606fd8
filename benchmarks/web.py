"""Officers' pages over a long trail: each alone, then twenty officers at once who do not stop to think.

Times are those of the browser's side: TLS, queueing and transfer are in them.
"""

from __future__ import annotations

import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.results import Measurement
from benchmarks.trail_events import EVENTS, HOSPITALS, Filling, fill, index_file
from benchmarks.web_server import PSEUDONYM, Officers, keep_a_subject
from consentry.index import Trail, open_database
from consentry.web.challenges import Challenge, signed_answer
from consentry.web.sessions import COOKIE

_OFFICERS, _ALONE, _ROUNDS = 20, 5, 3
_MEDIAN_SECONDS, _LATE_SECONDS, _COLD_SECONDS, _BYTES = 0.2, 0.5, 2.0, 200_000
_START_SECONDS = 30


def measure(directory: Path) -> Iterator[Measurement]:
    """Fill an index in `directory`, serve it, and look at its pages."""
    if not EVENTS:
        return
    directory.mkdir()
    path = index_file(directory)
    engine = open_database(f"sqlite:///{path}")
    filling = fill(engine, EVENTS)
    keep_a_subject(directory, Trail(engine), filling)
    engine.dispose()
    officers = Officers.make(directory)
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.web_server", str(directory), str(path)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - a module of ours
    try:
        yield from _measured(_announced(server), officers, _paths(filling), began, filling.events)
    finally:
        server.terminate()
        server.communicate(timeout=_START_SECONDS)


def _measured(
    origin: str, officers: Officers, paths: dict[str, str], began: float, events: int
) -> Iterator[Measurement]:
    first = _signed_in(origin, officers)
    cold = first.get("/")
    assert cold.status_code == 200
    yield Measurement("first page of a cold start", time.perf_counter() - began, "s", _COLD_SECONDS, False)
    paths = {**paths, "one person's data": _subject(first, origin)}
    for name, path in paths.items():
        seconds = [_seconds(first, path) for _ in range(_ALONE)]
        what = f"{name} over {events:,} events, median"
        yield Measurement(what, statistics.median(seconds), "s", _MEDIAN_SECONDS, False)
    clients = [first, *(_signed_in(origin, officers) for _ in range(_OFFICERS - 1))]
    # A person's page is its officer's session's own; the others each look the person up.
    shared = [path for path in paths.values() if not path.startswith("/subjects/")]
    own = [_subject(client, origin) for client in clients]
    wanted = [*shared, ""]

    def walk(number: int) -> list[float]:
        turned = wanted[number % len(wanted) :] + wanted[: number % len(wanted)]
        return [_seconds(clients[number], path or own[number]) for path in turned * _ROUNDS]

    with ThreadPoolExecutor(_OFFICERS) as threads:
        together = sorted(second for walked in threads.map(walk, range(_OFFICERS)) for second in walked)
    late = together[int(len(together) * 0.95)]
    yield Measurement("20 officers at once, median", statistics.median(together), "s", _MEDIAN_SECONDS, False)
    yield Measurement("20 officers at once, 95th percentile", late, "s", _LATE_SECONDS, False)
    yield Measurement(
        "largest page with all its files", _largest(first, list(paths.values())), "B", _BYTES, False
    )


def _paths(filling: Filling) -> dict[str, str]:
    hospital = HOSPITALS[0]
    return {
        "overview": "/",
        "trail": "/trail",
        "trail, denials of one custodian": f"/trail?outcome=deny&custodian={hospital}",
        "trail, one day": "/trail?since=2025-02-01&until=2025-02-01",
        "trail, nothing fits": "/trail?purpose=PUBHLTH",
        "trail, one dataset": "/trail?dataset=dataset-7",
        "trail, far back": "/trail?after=20.5",
        "transactions": "/trail/transactions",
        "record": f"/records/consent/{filling.consents[len(filling.consents) // 2]}",
        "network": "/network",
        "datasets": "/datasets",
        "grants": "/grants",
        "requests": "/requests?own=true",
        "dataset": f"/datasets/{filling.datasets[0]}",
        "models": "/models",
        "model": f"/models/{filling.models[0]}",
        "model version": f"/models/versions/{filling.model_versions[-1]}",
        "impact of a withdrawal": f"/impact?consent={filling.consents[len(filling.consents) // 2]}",
        "requests of data subjects": "/rights",
        "breaches": "/breaches",
        "reports": "/reports",
    }


def _signed_in(origin: str, officers: Officers) -> httpx.Client:
    # The trial certificate is the server's own; what is measured does not depend on whose.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    client = httpx.Client(base_url=origin, verify=context, timeout=120, trust_env=False)
    shown = client.get("/sign-in")
    client.headers["cookie"] = f"{COOKIE}={shown.cookies[COOKIE]}"
    client.cookies.clear()
    challenge = Challenge.from_code(shown.text.partition("web sign-in ")[2].partition("<")[0])
    token = shown.text.partition('csrf_token" value="')[2].partition('"')[0]
    answer = {"csrf_token": token, "answer": signed_answer(challenge, officers.identity())}
    done = client.post("/sign-in", data=answer, headers={"origin": origin})
    client.headers["cookie"] = f"{COOKIE}={done.cookies[COOKIE]}"
    client.cookies.clear()
    return client


def _subject(client: httpx.Client, origin: str) -> str:
    """Look the register's person up; the path of the page that this officer's session has."""
    token = client.get("/subjects").text.partition('csrf_token" value="')[2].partition('"')[0]
    fields = {"csrf_token": token, "pseudonym": PSEUDONYM}
    found = client.post("/subjects", data=fields, headers={"origin": origin})
    return str(found.headers["location"])


def _seconds(client: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return time.perf_counter() - began


def _largest(client: httpx.Client, paths: list[str]) -> int:
    page = client.get("/").text
    files = [part.partition('"')[0] for part in page.split('="/static/')[1:]]
    shared = sum(len(client.get(f"/static/{name}").content) for name in set(files))
    return shared + max(len(client.get(path).content) for path in paths)


def _announced(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    return server.stdout.readline().strip()


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for item in measure(Path(place) / "web"):
            print(f"{item.what}: {item.measured:,.2f} {item.unit}; {'reached' if item.holds else 'missed'}")
