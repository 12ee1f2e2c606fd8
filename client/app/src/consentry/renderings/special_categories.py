"""Which special categories of personal data (GDPR Art. 9(1)) a category of data belongs to.

Categories are the consortium's own names. All of them are data concerning health: a hospital collects them of
a patient in the course of care or its registration (Art. 4(15), recital 35). Words in a name add the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_HEALTH = "health"
SPECIAL_CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        _HEALTH: "data concerning health (GDPR Art. 4(15), recital 35)",
        "genetic": "genetic data (GDPR Art. 4(13))",
        "biometric": "biometric data for identification (GDPR Art. 4(14))",
        "origin": "racial or ethnic origin",
        "belief": "religious or philosophical beliefs",
        "politics": "political opinions",
        "union": "trade union membership",
        "sex": "sex life or sexual orientation",
    }
)
"""The special categories, in words."""

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "genetic": (
            *("genetic", "genetics", "gene", "genes", "genome", "genomes", "genomic", "genomics"),
            *("dna", "rna", "exome", "germline", "genotype", "genotypes", "sequencing"),
        ),
        "biometric": ("biometric", "biometrics", "fingerprint", "fingerprints", "voiceprint", "voiceprints"),
        "origin": ("ethnic", "ethnicity", "race", "racial", "ancestry"),
        "belief": ("religion", "religious", "belief", "beliefs", "philosophy"),
        "politics": ("political", "politics"),
        "union": ("union",),
        "sex": ("sexual", "sexuality"),
    }
)
"""The words between hyphens of a category's name that say so."""


def special_categories(category: str) -> tuple[str, ...]:
    """Return the special categories of a category of data, as codes of `SPECIAL_CATEGORIES`; health first.

    Args:
        category: the category's name, a slug.
    """
    words = category.split("-")
    return (_HEALTH, *(code for code, known in WORDS.items() if any(word in known for word in words)))
