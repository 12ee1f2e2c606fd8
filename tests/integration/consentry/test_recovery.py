"""Kills at any instant: of a decision service, of the engine; nothing is lost, nothing happens twice."""

import os
import threading
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.running_consortium import RunningConsortium, running_consortium

from consentry.errors import ConsentryError, LedgerUnreachable
from fabric_gateway import Timeouts, decode_block

pytestmark = pytest.mark.integration
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"]}


@pytest.fixture(scope="module")
def consortium(tmp_path_factory):
    """A consortium of this module's own: the others' would notice the kills."""
    with running_consortium(tmp_path_factory.mktemp("recovery") / "network") as consortium:
        yield consortium


@pytest.fixture
def version(ledger_of):
    steward = ledger_of("northgate", "steward")
    people = pseudonyms(3, os.urandom(8).hex())
    steward.consents.import_frame(consent_frame(people))
    frame = pd.DataFrame({"pseudonym": people, "radius": 1.5})
    name = f"cells-{os.urandom(6).hex()}"
    return steward.datasets.register_frame(frame, name=name, **TERMS).version_id


def decisions(ledger) -> Counter:
    """How often each attempt was decided, by the valid writes of the whole ledger."""
    last = decode_block(ledger.network.newest_block()).number
    counted: Counter = Counter()
    with ledger.network.blocks(0, last) as blocks:
        for data in blocks:
            for transaction in decode_block(data).transactions:
                if transaction.validation_code == "VALID":
                    counted.update(
                        write.key.removeprefix("decision/")
                        for namespace in transaction.namespaces
                        for write in namespace.writes
                        if write.key.startswith("decision/")
                    )
    return counted


def kill_engine(consortium: RunningConsortium) -> None:
    for process in consortium.engine_processes:
        consortium.kill(process)


def test_a_decision_service_killed_again_and_again_decides_each_attempt_once(
    consortium: RunningConsortium, ledger_of, version
):
    researcher = ledger_of("riverside", "researcher")
    attempts = []
    for pause in (0.0, 0.01, 0.02, 0.04, 0.08):
        attempts.extend(researcher.access.attempt(version, purpose=RESEARCH) for _ in range(3))
        time.sleep(pause)
        consortium.kill("decide-northgate")
        attempts.append(researcher.access.attempt(version, purpose=RESEARCH))
        consortium.restore()
    for attempt in attempts:
        researcher.access.wait_for_decision(attempt, timeout=60)
    counted = decisions(researcher)
    assert {attempt: counted[attempt] for attempt in attempts} == dict.fromkeys(attempts, 1)


def test_a_lost_checkpoint_decides_nothing_twice(consortium: RunningConsortium, ledger_of, version):
    researcher = ledger_of("riverside", "researcher")
    first = researcher.access.attempt(version, purpose=RESEARCH)
    researcher.access.wait_for_decision(first, timeout=60)
    consortium.network.stop_process("decide-northgate")
    checkpoint: Path = consortium.profile.subject_register("northgate").parent / "decide.json"
    checkpoint.unlink()
    consortium.restore()
    second = researcher.access.attempt(version, purpose=RESEARCH)
    researcher.access.wait_for_decision(second, timeout=60)
    counted = decisions(researcher)
    assert (counted[first], counted[second]) == (1, 1)


def test_an_engine_killed_during_an_import_loses_and_doubles_nothing(
    consortium: RunningConsortium, ledger_of
):
    steward = ledger_of("lakeside", "steward", timeouts=Timeouts(commit_status=8))
    people = pseudonyms(60, os.urandom(8).hex())
    recorded: list[int] = []
    restoring = threading.Thread(target=consortium.restore)

    def progress(done: int, total: int) -> None:
        recorded.append(done)
        if done >= 20 and restoring.ident is None:
            kill_engine(consortium)
            restoring.start()

    failure: ConsentryError | None = None
    try:
        steward.consents.import_frame(consent_frame(people), batch_size=5, progress=progress)
    except ConsentryError as error:
        failure = error
    restoring.join(timeout=120)
    assert not restoring.is_alive()
    wait_until_up(steward)
    frame = pd.DataFrame({"pseudonym": people})
    present = steward.consents.filter(frame, purpose=RESEARCH)
    # Everything that was reported as recorded is there, each once; batches of unknown outcome may be, too.
    assert len(present) >= recorded[-1]
    assert failure is None or failure.code == "IMPORT_INCOMPLETE"
    if failure is None:
        assert len(present) == len(people)
    identifiers = [identifier for name in people for identifier in steward.subjects.consents_of(name)]
    assert len(identifiers) <= len(people)


def test_a_connection_outlives_the_engines_restart(consortium: RunningConsortium, ledger_of, version):
    researcher = ledger_of("riverside", "researcher")
    kill_engine(consortium)
    with pytest.raises(LedgerUnreachable) as caught:
        researcher.datasets.get(version)
    assert caught.value.code == "LEDGER_UNREACHABLE"
    consortium.restore()
    wait_until_up(researcher)
    assert researcher.datasets.get(version).version_id == version
    attempt = researcher.access.attempt(version, purpose=RESEARCH)
    # The decision service has followed through the restart as well.
    assert researcher.access.wait_for_decision(attempt, timeout=60).outcome == "deny"


def test_a_withdrawal_during_a_decision_is_seen_by_it(consortium: RunningConsortium, ledger_of, version):
    steward, researcher = ledger_of("northgate", "steward"), ledger_of("riverside", "researcher")
    people = pseudonyms(10, os.urandom(8).hex())
    steward.consents.import_frame(consent_frame(people))
    attempts = []

    def attempt() -> None:
        attempts.extend(researcher.access.attempt(version, purpose=RESEARCH) for _ in range(10))

    thread = threading.Thread(target=attempt)
    thread.start()
    for name in people:
        steward.consents.withdraw(pseudonym=name)
    thread.join()
    for attempt_id in attempts:
        researcher.access.wait_for_decision(attempt_id, timeout=60)
    counted = decisions(researcher)
    assert {attempt_id: counted[attempt_id] for attempt_id in attempts} == dict.fromkeys(attempts, 1)


def wait_until_up(ledger, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            ledger.settings()
        except LedgerUnreachable:
            assert time.monotonic() < end, "the engine did not come back"
            time.sleep(0.1)
        else:
            return
