"""Consents, grants and decisions in the forms of other standards: pure functions over frozen records.

What a format asks for and the records lack is printed as `absent: reason`; docs/renderings.md maps every
field.
"""

from consentry.renderings.balp_r4b import decision_as_balp_r4b
from consentry.renderings.balp_r5 import decision_as_balp_r5
from consentry.renderings.fhir_r4b_consent import consent_as_fhir_r4b
from consentry.renderings.fhir_r5_consent import consent_as_fhir_r5
from consentry.renderings.ga4gh_visa import Standing, VisaIssuer, key_set, sign_visa, visa_claims
from consentry.renderings.iso_27560 import consent_as_iso_27560
from consentry.renderings.odrl import consent_as_odrl, grant_as_odrl
from consentry.renderings.parties import Parties, Party, read_parties
from consentry.renderings.sources import ConsentSource, DecisionSource

__all__ = [
    "ConsentSource",
    "DecisionSource",
    "Parties",
    "Party",
    "Standing",
    "VisaIssuer",
    "consent_as_fhir_r4b",
    "consent_as_fhir_r5",
    "consent_as_iso_27560",
    "consent_as_odrl",
    "decision_as_balp_r4b",
    "decision_as_balp_r5",
    "grant_as_odrl",
    "key_set",
    "read_parties",
    "sign_visa",
    "visa_claims",
]
