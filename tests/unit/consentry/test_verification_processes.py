"""Signatures checked by other processes: the same outcome, whatever they do or fail to do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.chains import Chain, Effects

from consentry.verification import VerificationResult, Verifier, memory_source
from consentry.verification.signature_pool import AHEAD, signature_pool
from fabric_protocol.signature_checks import held_signatures
from fabric_protocol.verified_signatures import VerifiedSignatures


def build_chain() -> Chain:
    chain = Chain()
    for number in range(6):
        weak = chain.transaction(Effects(writes={f"weak/{number}": b"1"}), endorsers=["NorthgateMSP"])
        chain.commit([chain.transaction(Effects(writes={f"key/{number}": b"1"})), weak])
    return chain


CHAIN = build_chain()


@pytest.fixture(autouse=True)
def _processes_from_the_first_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consentry.verification.signature_pool._WORTH_BYTES", 0)
    monkeypatch.setattr("consentry.verification.signature_pool._START_SECONDS", 60.0)


def verify(blocks: list[bytes], processes: int) -> VerificationResult:
    copies = [memory_source("one", blocks), memory_source("two", CHAIN.blocks)]
    return Verifier().verify(copies, CHAIN.anchor, processes=processes)


def _forged(number: int) -> list[bytes]:
    """A copy in which one endorsement is another one's, behind a data hash that agrees."""
    block = CHAIN.block(number)
    envelope = bytearray(block.data.data[0])
    envelope[-1] ^= 1
    block.data.data[0] = bytes(envelope)
    blocks = list(CHAIN.blocks)
    blocks[number] = block.SerializeToString()
    return blocks


@pytest.mark.parametrize(
    "blocks", [CHAIN.blocks, CHAIN.blocks[:4], _forged(3), [], [b"\xff", *CHAIN.blocks[1:]]]
)
def test_the_outcome_is_that_of_one_process(blocks: list[bytes]) -> None:
    assert verify(blocks, 2) == verify(blocks, 1)


def test_no_process_outlives_the_verification() -> None:
    verify(CHAIN.blocks, 2)
    assert multiprocessing.active_children() == []


def test_an_interruption_ends_the_processes() -> None:
    def interrupted(done: int) -> None:
        if done == 3:
            assert multiprocessing.active_children()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Verifier().verify([memory_source("one", CHAIN.blocks)], CHAIN.anchor, interrupted, processes=2)
    assert multiprocessing.active_children() == []


def test_a_killed_process_costs_time_only() -> None:
    def kill(done: int) -> None:
        for process in multiprocessing.active_children():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)

    result = Verifier().verify([memory_source("one", CHAIN.blocks)], CHAIN.anchor, kill, processes=2)
    assert result == Verifier().verify([memory_source("one", CHAIN.blocks)], CHAIN.anchor)


def test_processes_end_with_one_that_is_killed(tmp_path: Path) -> None:
    """Whoever asked is ended by force: nothing may stay behind."""
    report = tmp_path / "children"
    asked = multiprocessing.get_context("spawn").Process(target=_hang, args=(str(report),))
    asked.start()
    deadline = time.monotonic() + 60
    while not report.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    children = [int(pid) for pid in report.read_text().split()]
    asked.kill()
    asked.join()
    while any(map(_is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert children
    assert not any(map(_is_running, children))


def _hang(report: str) -> None:
    with signature_pool(2, 0) as pool:
        assert pool is not None
        pool.submit(b"")()
        children = " ".join(str(process.pid) for process in multiprocessing.active_children())
        Path(f"{report}.new").write_text(children)
        Path(f"{report}.new").rename(report)
        time.sleep(600)


def _is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_answers_are_told_apart_in_whatever_order_they_are_asked_for() -> None:
    with signature_pool(1 + 1, 0) as pool:
        assert pool is not None
        answers = {number: pool.submit(CHAIN.blocks[number]) for number in (2, 3, 4)}
        found = {number: set(answers[number]()) for number in (4, 2, 3)}
    assert found == {number: set(held_signatures(CHAIN.blocks[number])) for number in (2, 3, 4)}


def test_no_more_is_given_than_fits() -> None:
    with signature_pool(2, 0) as pool:
        assert pool is not None
        answers = [pool.submit(CHAIN.blocks[2]) for _ in range(pool.capacity + 1)]
        assert [bool(answer()) for answer in answers] == [True] * pool.capacity + [False]


def test_blocks_are_read_ahead_within_a_bound() -> None:
    given: list[int] = []

    class Counted:
        name = "counted"

        def blocks(self, start: int = 0) -> Iterator[bytes]:
            for number, data in enumerate(CHAIN.blocks[start:]):
                given.append(number)
                yield data

    def progress(done: int) -> None:
        assert len(given) - done <= 2 * AHEAD

    assert Verifier().verify([Counted()], CHAIN.anchor, progress, processes=2).blocks == len(CHAIN.blocks)


def test_only_signatures_that_hold_have_names() -> None:
    block = CHAIN.block(3)
    held = held_signatures(block.SerializeToString())
    assert len(held) == len(set(held)) == (1 + len(CHAIN.majority)) + (1 + 1)
    envelope = bytearray(block.data.data[0])
    envelope[-1] ^= 1
    block.data.data[0] = bytes(envelope)
    # Its creator's signature is the envelope's last field.
    assert set(held_signatures(block.SerializeToString())) == set(held[1:])
    assert held_signatures(b"\xff") == ()


def test_a_name_stands_for_its_own_message_and_identity_only() -> None:
    noted, checked = VerifiedSignatures(), VerifiedSignatures()
    config = CHAIN.config
    envelope = CHAIN.transaction(Effects(writes={"a": b"1"}))
    noted.note(held_signatures(CHAIN.blocks[2]))
    from fabric_protocol.errors import SignatureError
    from fabric_protocol.transaction_stages import read_header

    header = read_header(envelope)
    creator = config.msps.deserialize(header.creator)
    for signatures in (noted, checked):
        with pytest.raises(SignatureError):
            signatures.verify(creator, header.signature, header.payload + b"x")
