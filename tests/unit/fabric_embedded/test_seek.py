"""Which blocks a SeekInfo means."""

from __future__ import annotations

from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from hypothesis import given
from hypothesis import strategies as st

from fabric_embedded.services.seek import SeekRefusal, read_seek, resolve_range

pytestmark = pytest.mark.unit

HEIGHT = 10
BAD, MISSING = common_pb2.BAD_REQUEST, common_pb2.NOT_FOUND


def position(value: int | str) -> Any:
    return {"specified": {"number": value}} if isinstance(value, int) else {value: {}}


def seek(start: int | str, stop: int | str, **fields: Any) -> Any:
    return ab_pb2.SeekInfo(start=position(start), stop=position(stop), **fields)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("oldest", "newest", (0, 9)),
        ("oldest", "oldest", (0, 0)),
        ("newest", "newest", (9, 9)),
        ("newest", 2**64 - 1, (9, 2**64 - 1)),
        ("next_commit", 2**64 - 1, (10, 2**64 - 1)),
        (3, 5, (3, 5)),
        (3, "newest", (3, 9)),
        (10, 12, (10, 12)),
        (4, "oldest", (4, 4)),
        # As a real orderer answered: a stop that is past already, and stops that are none.
        ("next_commit", "newest", (10, 2**64 - 1)),
        (10, "newest", (10, 2**64 - 1)),
        ("oldest", "next_commit", (0, 0)),
        ("newest", "next_commit", (9, 2**64 - 1)),
    ],
)
def test_ranges(start: int | str, stop: int | str, expected: tuple[int, int]) -> None:
    found = resolve_range(seek(start, stop), HEIGHT)
    assert (found.start, found.stop) == expected
    assert found.wait
    assert not found.headers_only


@pytest.mark.parametrize(
    ("info", "status"),
    [
        (seek(11, 12), MISSING),
        (seek(5, 4), BAD),
        (ab_pb2.SeekInfo(), BAD),
        (ab_pb2.SeekInfo(start=position("oldest")), BAD),
        (ab_pb2.SeekInfo(stop=position("oldest")), BAD),
        (ab_pb2.SeekInfo(start={}, stop={}), MISSING),
        (ab_pb2.SeekInfo(start={}, stop=position("newest")), MISSING),
    ],
)
def test_refusals(info: Any, status: int) -> None:
    with pytest.raises(SeekRefusal) as refusal:
        resolve_range(info, HEIGHT)
    assert refusal.value.status == status


def test_behaviour_and_content() -> None:
    info = seek("oldest", "newest", behavior="FAIL_IF_NOT_READY", content_type="HEADER_WITH_SIG")
    found = resolve_range(info, 1)
    assert not found.wait
    assert found.headers_only


def envelope(seconds: int | None = 1000, data: bytes = b"") -> Any:
    channel_header = common_pb2.ChannelHeader(channel_id="c", type=common_pb2.DELIVER_SEEK_INFO)
    if seconds is not None:
        channel_header.timestamp.seconds = seconds
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=common_pb2.SignatureHeader(creator=b"me").SerializeToString(),
    )
    return common_pb2.Envelope(payload=common_pb2.Payload(header=header, data=data).SerializeToString())


def test_a_request_is_read() -> None:
    data = seek("oldest", "newest").SerializeToString()
    request = read_seek(envelope(data=data), 1050.0, 60)
    assert (request.channel_id, request.creator) == ("c", b"me")
    assert request.seek.stop.WhichOneof("Type") == "newest"


@pytest.mark.parametrize(
    "bad",
    [
        envelope(None),
        envelope(939),
        envelope(1061),
        envelope(data=b"\xff"),
        common_pb2.Envelope(payload=b"\xff"),
    ],
)
def test_requests_that_are_none_or_of_another_time(bad: Any) -> None:
    with pytest.raises(SeekRefusal) as refusal:
        read_seek(bad, 1000.0, 60)
    assert refusal.value.status == BAD


@given(st.binary(max_size=300))
def test_whatever_comes_is_refused_or_read(data: bytes) -> None:
    with pytest.raises(SeekRefusal):
        read_seek(common_pb2.Envelope(payload=data), 1e9, 1.0)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(1, 20))
def test_a_range_starts_where_asked_and_never_ends_before(start: int, stop: int, height: int) -> None:
    if start > height or stop < start:
        with pytest.raises(SeekRefusal) as refusal:
            resolve_range(seek(start, stop), height)
        assert refusal.value.status == (MISSING if start > height else BAD)
    else:
        found = resolve_range(seek(start, stop), height)
        assert (found.start, found.stop) == (start, stop)
