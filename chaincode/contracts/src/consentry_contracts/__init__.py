"""The contracts of the Consentry ledger: consents, datasets, grants, access, training and models."""

from fabric_shim import Contract

from .access import Access
from .breaches import Breaches
from .consents import Consents
from .datasets import Datasets
from .deliveries import Deliveries
from .emergencies import Emergencies
from .epochs import Epochs
from .functions import Functions
from .grants import Grants
from .impact import ImpactContract
from .ledger import LedgerSettings
from .models import Models
from .reviews import Reviews
from .rights import Rights
from .subjects import Subjects
from .trail_reads import TrailReads
from .training import Training

__all__ = [
    "Access",
    "Breaches",
    "Consents",
    "Datasets",
    "Deliveries",
    "Emergencies",
    "Epochs",
    "Functions",
    "Grants",
    "ImpactContract",
    "LedgerSettings",
    "Models",
    "Reviews",
    "Rights",
    "Subjects",
    "TrailReads",
    "Training",
    "contracts",
]


def contracts() -> list[Contract]:
    """One instance of every contract; what `python -m consentry_contracts` serves."""
    return [
        LedgerSettings(),
        Consents(),
        Subjects(),
        Rights(),
        Datasets(),
        Grants(),
        Reviews(),
        Access(),
        Deliveries(),
        Functions(),
        Emergencies(),
        Training(),
        Models(),
        ImpactContract(),
        Breaches(),
        TrailReads(),
        Epochs(),
    ]
