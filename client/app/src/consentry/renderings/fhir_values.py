"""FHIR data types that both releases share, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consentry.renderings.names import digest_uri, system
from consentry_records.instants import shift
from consentry_records.vocabulary import CONSENT_RESTRICTIONS, PURPOSES, RECIPIENT_CLASSES

URI = "urn:ietf:rfc:3986"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
DUO_SYSTEM = "http://purl.obolibrary.org/obo/duo.owl"
PURPOSE_OF_USE = TERMINOLOGY + "v3-ActReason"


def coding(system_uri: str, code: str, display: str | None = None) -> dict[str, str]:
    """A Coding."""
    made = {"system": system_uri, "code": code}
    return made if display is None else {**made, "display": display}


def concept(*codings: dict[str, str]) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": list(codings)}


def purpose(code: str) -> dict[str, str]:
    """A purpose as a Coding: HL7 PurposeOfUse, or a term of the Data Use Ontology."""
    words = {**PURPOSES, **CONSENT_RESTRICTIONS}.get(code)
    return coding(DUO_SYSTEM if code.startswith("DUO:") else PURPOSE_OF_USE, code, words)


def identifier(kind: str, value: str) -> dict[str, str]:
    """An Identifier of a family of the ledger's names."""
    return {"system": system(kind), "value": value}


def logical(kind: str, value: str, resource_type: str | None = None) -> dict[str, Any]:
    """A Reference by identifier: whoever reads it finds no address, for the ledger has none."""
    named: dict[str, Any] = {"identifier": identifier(kind, value)}
    return named if resource_type is None else {"type": resource_type, **named}


def document(digest: str) -> dict[str, Any]:
    """A Reference to a document of which the ledger has the digest."""
    return {"type": "DocumentReference", "identifier": {"system": URI, "value": digest_uri(digest)}}


def organization(msp_id: str) -> dict[str, Any]:
    """A Reference to a member, or to a class of members."""
    if msp_id in RECIPIENT_CLASSES:
        return logical("recipient-class", msp_id, "Group")
    return logical("msp", msp_id, "Organization")


def period(not_before: str, not_after: str) -> dict[str, str]:
    """A Period. FHIR's end is the last moment that belongs to it, the ledger's the first that does not."""
    return {"start": not_before, "end": shift(not_after, -1)}


def bundle(resources: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A collection Bundle of resources by their URI."""
    entries = [{"fullUrl": url, "resource": resource} for url, resource in resources.items()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}
