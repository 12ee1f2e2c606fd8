"""The pages, one file each with its ``router``; and which of them the navigation names."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from consentry.web.access import READERS
from consentry.web.officer import Officer
from consentry.web.pages import (
    action_files,
    actions,
    breaches,
    datasets,
    emergencies,
    erasures,
    grants,
    impact,
    live,
    models,
    network,
    overview,
    record,
    registers,
    reports,
    requests,
    rights_requests,
    subjects,
    trail,
    withdrawals,
)
from consentry.web.report_offers import OFFICERS
from consentry_records.roles import DPO

ROUTERS: list[APIRouter] = [
    overview.router,
    trail.router,
    datasets.router,
    models.router,
    record.router,
    network.router,
    live.router,
    requests.router,
    grants.router,
    rights_requests.router,
    erasures.router,
    breaches.router,
    withdrawals.router,
    emergencies.router,
    actions.router,
    action_files.router,
    subjects.router,
    impact.router,
    registers.router,
    reports.router,
]
"""Routers of all pages."""


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A page that the navigation names to officers with one of some roles: path, key of its name's text."""

    path: str
    text_key: str
    roles: tuple[str, ...]


NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem("/", "overview.title", READERS),
    NavigationItem("/requests", "navigation.requests", READERS),
    NavigationItem("/grants", "grants.title", READERS),
    NavigationItem("/trail", "trail.title", READERS),
    NavigationItem("/datasets", "datasets.title", READERS),
    NavigationItem("/models", "models.title", READERS),
    NavigationItem("/subjects", "navigation.persons", (DPO,)),
    NavigationItem("/impact", "navigation.impact", impact.ROLES),
    NavigationItem("/rights", "navigation.rights", registers.ROLES),
    NavigationItem("/breaches", "navigation.breaches", registers.ROLES),
    NavigationItem("/emergencies", "navigation.emergencies", emergencies.READERS),
    NavigationItem("/reports", "reports.title", OFFICERS),
    NavigationItem("/network", "network.title", READERS),
)


def navigation_for(officer: Officer) -> tuple[NavigationItem, ...]:
    """What the navigation names to an officer."""
    return tuple(item for item in NAVIGATION if set(item.roles) & set(officer.roles))
