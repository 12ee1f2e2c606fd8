"""How many consents a custodian has had over time, counted day by day when blocks are indexed."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from consentry.index.schema import consent_days


@dataclass(frozen=True)
class ConsentDays:
    """How many consents of one custodian changed on one day.

    Attributes:
        day: ``YYYY-MM-DD``, UTC, by the clock of whoever recorded the changes.
        began: how many were given.
        ended: how many were withdrawn, expired or entered in error. One that reaches its end without anybody
            recording it is not among them.
    """

    day: str
    began: int
    ended: int


def consent_history(connection: Connection, custodian: str) -> list[ConsentDays]:
    """The days on which consents of a custodian (MSP id) changed, in order; those endorsed by it only."""
    table = consent_days.c
    query = select(table.day, table.began, table.ended).where(table.custodian == custodian)
    return [ConsentDays(*row) for row in connection.execute(query.order_by(table.day))]
