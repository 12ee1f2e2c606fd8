"""The rules that a decision on access applies, by their stable ids; a changed rule gets a new number."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .disease_hierarchy import DIGEST, RELEASE

REQUESTER = "requester/1"
ROLE = "role/1"
GRANT = "grant/1"
DATASET_STATE = "dataset-state/1"
GRANT_STATE = "grant-state/1"
GRANT_SUSPENSION = "grant-suspension/1"
GRANT_PERIOD = "grant-period/1"
PURPOSE = "purpose/1"
COMMERCIAL_USE = "commercial-use/1"
ETHICS = "ethics-approval/1"
DISEASE = "disease/2"
PERSON = "person/1"
PROJECT = "project/1"
OUTPUT = "output/1"
COUNTRY = "country/1"
COLUMNS = "columns/1"
CATEGORIES = "categories/1"
USES = "uses/1"
FUNCTION = "function/1"
EMERGENCY = "emergency/1"

RULES: Mapping[str, str] = MappingProxyType(
    {
        REQUESTER: "the requester's organization is in the consortium",
        ROLE: "the requester's certificate has the role researcher",
        GRANT: "the requester's organization has a grant of the custodian on the dataset version",
        DATASET_STATE: "the dataset version was not retired",
        GRANT_STATE: "the grant was not revoked",
        GRANT_SUSPENSION: "no regulator suspended the grant",
        GRANT_PERIOD: "the grant holds over all of [decision time − tolerance, decision time + tolerance]",
        PURPOSE: "the purpose is covered by the grant, and by the dataset's DUO terms if they name research",
        COMMERCIAL_USE: "commercial use is excluded neither by the grant nor by the dataset's DUO terms",
        ETHICS: "a grant that requires ethics approval carries its digest",
        DISEASE: "the diseases of the attempt lie within those of the grant, if it names any, by Mondo "
        f"{RELEASE} (`{DIGEST}`)",
        PERSON: "the requester is one of the persons whom the grant names, if it names any",
        PROJECT: "the requester's certificate names the grant's project, if the grant demands it",
        OUTPUT: "nothing but aggregates leaves, if the grant demands it",
        COUNTRY: "the requester's organization is in one of the grant's countries, if it names any",
        COLUMNS: "the attempt names no other columns than the grant's, if the grant names any",
        CATEGORIES: "the version has no other data categories than the grant's, if the grant names any",
        USES: "the grant has a use left, if it limits them; the permit takes it",
        FUNCTION: "the custodian approves the attempt's function for version, purpose and time, if any",
        EMERGENCY: "a clinician of a hospital names an emergency and treatment as the purpose",
        "disease/1": "of earlier decisions: as disease/2, by 34 common diseases chosen by hand",
    }
)
"""Rule id → what it demands; those without a name above are of earlier decisions."""
