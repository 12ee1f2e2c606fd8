"""The tables of docs/renderings.md, made from the code. `python -m support.rendering_tables` writes them into
the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from support.ledger_tables import table

from consentry.renderings.balp_r4b import FIELDS as BALP_R4B
from consentry.renderings.balp_r5 import FIELDS as BALP_R5
from consentry.renderings.fhir_r4b_consent import FIELDS as FHIR_R4B
from consentry.renderings.fhir_r5_consent import FIELDS as FHIR_R5
from consentry.renderings.fields import Field
from consentry.renderings.ga4gh_visa import FIELDS as GA4GH_VISA
from consentry.renderings.iso_27560_fields import FIELDS as ISO_27560
from consentry.renderings.odrl import CONSENT_FIELDS as ODRL_CONSENT
from consentry.renderings.odrl import GRANT_FIELDS as ODRL_GRANT
from consentry.renderings.special_categories import SPECIAL_CATEGORIES, WORDS
from consentry_records.private_consent import PROCESSING_METHODS

DOCUMENT = Path(__file__).parents[2] / "docs" / "renderings.md"
FORMATS: Mapping[str, tuple[Field, ...]] = {
    "fhir-r5": FHIR_R5,
    "fhir-r4b": FHIR_R4B,
    "iso-27560": ISO_27560,
    "odrl-consent": ODRL_CONSENT,
    "odrl-grant": ODRL_GRANT,
    "balp-r4b": BALP_R4B,
    "balp-r5": BALP_R5,
    "ga4gh-visa": GA4GH_VISA,
}
_BLOCK = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def field_table(fields: tuple[Field, ...]) -> str:
    """One format's fields."""
    rows = []
    for field in fields:
        source = ", ".join(f"`{one.strip()}`" for one in field.source.split(",") if one.strip())
        place = "" if field.path == field.name else f"`{field.path}`"
        required = "yes" if field.required else "no"
        rows.append((f"`{field.name}`", required, source or "nothing", place, field.otherwise))
    return table(("field", "required", "made of", "where, if not the same", "absent otherwise:"), rows)


def special_categories_table() -> str:
    """Which words in the name of a category of data make it which special category."""
    rows = [
        (", ".join(f"`{word}`" for word in WORDS.get(code, ())) or "(every name)", words)
        for code, words in SPECIAL_CATEGORIES.items()
    ]
    return table(("word in the category's name", "special category (GDPR Art. 9(1))"), rows)


def processing_methods_table() -> str:
    """The codes of operations on data."""
    return table(("code", "operation"), [(f"`{code}`", words) for code, words in PROCESSING_METHODS.items()])


VOCABULARIES: Mapping[str, str] = {
    "special-categories": special_categories_table(),
    "processing-methods": processing_methods_table(),
}


def _made(name: str) -> str:
    return VOCABULARIES[name] if name in VOCABULARIES else field_table(FORMATS[name])


def filled(document: str) -> str:
    """The document with every table made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{_made(block[2])}\n{block[3]}", document)


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
