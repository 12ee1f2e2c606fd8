"""Common diseases by their codes of the Mondo Disease Ontology, each with the broader ones among them.

Written by hand for this ledger: codes that are in everyday use, and between them only what nobody disputes
(breast cancer is cancer). It is no copy of the ontology and no substitute for it: a disease that is not in it
is left to a person (see `diseases`), and so is a broader one that is missing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_PARENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "MONDO:0000001": ("disease", ()),
    "MONDO:0005070": ("neoplasm", ("MONDO:0000001",)),
    "MONDO:0004992": ("cancer", ("MONDO:0005070",)),
    "MONDO:0007254": ("breast cancer", ("MONDO:0004992",)),
    "MONDO:0008903": ("lung cancer", ("MONDO:0004992", "MONDO:0005087")),
    "MONDO:0005575": ("colorectal cancer", ("MONDO:0004992",)),
    "MONDO:0008315": ("prostate cancer", ("MONDO:0004992",)),
    "MONDO:0005105": ("melanoma", ("MONDO:0004992",)),
    "MONDO:0005059": ("leukemia", ("MONDO:0004992",)),
    "MONDO:0005062": ("lymphoma", ("MONDO:0004992",)),
    "MONDO:0005066": ("metabolic disease", ("MONDO:0000001",)),
    "MONDO:0005015": ("diabetes mellitus", ("MONDO:0005066",)),
    "MONDO:0005147": ("type 1 diabetes mellitus", ("MONDO:0005015",)),
    "MONDO:0005148": ("type 2 diabetes mellitus", ("MONDO:0005015",)),
    "MONDO:0004995": ("cardiovascular disorder", ("MONDO:0000001",)),
    "MONDO:0005267": ("heart disorder", ("MONDO:0004995",)),
    "MONDO:0005010": ("coronary artery disease", ("MONDO:0005267",)),
    "MONDO:0005044": ("hypertensive disorder", ("MONDO:0004995",)),
    "MONDO:0005071": ("nervous system disorder", ("MONDO:0000001",)),
    "MONDO:0005559": ("neurodegenerative disease", ("MONDO:0005071",)),
    "MONDO:0004975": ("Alzheimer disease", ("MONDO:0005559",)),
    "MONDO:0005180": ("Parkinson disease", ("MONDO:0005559",)),
    "MONDO:0005301": ("multiple sclerosis", ("MONDO:0005071", "MONDO:0007179")),
    "MONDO:0005027": ("epilepsy", ("MONDO:0005071",)),
    "MONDO:0007179": ("autoimmune disease", ("MONDO:0000001",)),
    "MONDO:0008383": ("rheumatoid arthritis", ("MONDO:0007179",)),
    "MONDO:0005087": ("respiratory system disorder", ("MONDO:0000001",)),
    "MONDO:0004979": ("asthma", ("MONDO:0005087",)),
    "MONDO:0005002": ("chronic obstructive pulmonary disease", ("MONDO:0005087",)),
    "MONDO:0005550": ("infectious disease", ("MONDO:0000001",)),
    "MONDO:0100096": ("COVID-19", ("MONDO:0005550",)),
    "MONDO:0005812": ("influenza", ("MONDO:0005550",)),
    "MONDO:0002025": ("psychiatric disorder", ("MONDO:0000001",)),
    "MONDO:0005090": ("schizophrenia", ("MONDO:0002025",)),
}
PARENTS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(_PARENTS)
"""Disease → its label and its direct superclasses, all of which are entries themselves."""
