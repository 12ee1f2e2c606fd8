"""Whether a peer guards its clock, and whether a definition is one that the contracts can live with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fabric_protos.peer.lifecycle import lifecycle_pb2

from consentry.attach.checks import check_definition, check_time_window
from consentry.attach.findings import State
from fabric_gateway import EvaluateError
from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.policy_building import application_policy
from fabric_protocol.policy_language import parse_policy


class _Peer:
    """A network whose peer judges proposal times as told."""

    name = "channel"

    def __init__(self, accepts: Callable[[timedelta], bool], message: str = "incorrect timestamp") -> None:
        self._accepts = accepts
        self._message = message

    def contract(self, name: str) -> Any:
        assert name == "qscc"
        return self

    def evaluate(self, function: str, channel: str, *, proposal_time: datetime) -> bytes:
        if not self._accepts(proposal_time - datetime.now(UTC)):
            raise EvaluateError(f"request unauthorized due to {self._message}", code="UNAVAILABLE")
        return b""


def _within(seconds: float) -> Callable[[timedelta], bool]:
    return lambda offset: abs(offset) <= timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("accepts", "code"),
    [
        (_within(60), ""),
        (_within(900), "TIME_WINDOW_WIDE"),
        (lambda offset: True, "TIME_WINDOW_MISSING"),
        (lambda offset: offset < timedelta(seconds=60), "TIME_WINDOW_MISSING"),
        (lambda offset: False, "CLOCK_APART"),
    ],
)
def test_the_time_window(accepts: Callable[[timedelta], bool], code: str) -> None:
    finding = check_time_window("peer0", _Peer(accepts))  # type: ignore[arg-type]
    assert finding.code == code
    assert finding.state is (State.REFUSED if code else State.OK)


def test_another_refusal_is_not_taken_for_a_time_window() -> None:
    with pytest.raises(EvaluateError):
        check_time_window("peer0", _Peer(_within(60), "access denied"))  # type: ignore[arg-type]


def _definition(policy: str, *collections: Collection) -> Any:
    return lifecycle_pb2.QueryChaincodeDefinitionResult(
        sequence=3,
        version="1.1",
        validation_parameter=application_policy(policy),
        collections=collection_package(collections),
    )


def _collection(**changes: Any) -> Collection:
    return Collection("custodian-AMSP", parse_policy("OR('AMSP.member')"), **changes)


@pytest.mark.parametrize(
    ("definition", "codes"),
    [
        (_definition("OR('AMSP.peer')", _collection()), ["", ""]),
        (_definition("/Channel/Application/Endorsement", _collection()), ["POLICY_IMPLICIT", ""]),
        (_definition("OR('AMSP.peer')"), ["", "COLLECTION_MISSING"]),
        (_definition("OR('AMSP.peer')", _collection(member_only_read=False)), ["", "COLLECTION_OPEN"]),
        (_definition("OR('AMSP.peer')", _collection(member_only_write=False)), ["", "COLLECTION_OPEN"]),
    ],
)
def test_definitions(definition: Any, codes: list[str]) -> None:
    assert [item.code for item in check_definition("consentry", definition, None, ["AMSP"])] == codes  # type: ignore[arg-type]
