"""Protobuf timestamps and Python instants."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_timestamp(instant: datetime) -> Timestamp:
    """Protobuf form of an aware instant, to the microsecond."""
    elapsed = instant - _EPOCH
    # Of a time difference only the days can be negative.
    return Timestamp(seconds=elapsed.days * 86_400 + elapsed.seconds, nanos=elapsed.microseconds * 1000)


def to_datetime(timestamp: Timestamp) -> datetime:
    """Aware UTC instant of a protobuf timestamp; what is below a microsecond is cut off.

    Raises:
        ValueError: for nanoseconds outside 0 to 999999999.
        OverflowError: for an instant outside the years 1 to 9999.
    """
    if not 0 <= timestamp.nanos < 1_000_000_000:
        raise ValueError(f"timestamp has {timestamp.nanos} nanoseconds, expected 0 to 999999999")
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def to_nearest_datetime(timestamp: Timestamp) -> datetime:
    """As `to_datetime`, for what others wrote: as Go reads it, and no further off than Python's years go."""
    seconds, nanos = divmod(timestamp.seconds * 1_000_000_000 + timestamp.nanos, 1_000_000_000)
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        limit = datetime.max if seconds > 0 else datetime.min
        return limit.replace(tzinfo=UTC)
