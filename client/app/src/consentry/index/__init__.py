"""The trail index: verified blocks as rows that can be asked.

Example:
    >>> from consentry.index import IndexFollower, Trail, open_database
    >>> engine = open_database("sqlite:///index.sqlite")  # doctest: +SKIP
    >>> IndexFollower(engine, "consentry", anchor).follow(source)  # doctest: +SKIP
    >>> Trail(engine).accesses(AccessFilter(outcome="deny")).items  # doctest: +SKIP
"""

from consentry.index.accesses import Access, AccessFilter, Denial
from consentry.index.checkpoint import IndexFault
from consentry.index.database import open_database
from consentry.index.follower import BlockRefused, IndexFollower, IndexProgress
from consentry.index.interpretation import TransactionRow
from consentry.index.lineage import Basis, ModelLineage, RowManifest, WithdrawalImpact
from consentry.index.pages import Page, PageRequest, all_items
from consentry.index.permitted_subjects import PermittedUse
from consentry.index.rows import ChangeRow, FindingRow, RecordRow
from consentry.index.subject_trail import RowTrail, SubjectTrail
from consentry.index.trail import IndexStatus, Trail
from consentry.index.transaction_queries import TransactionFilter

__all__ = [
    "Access",
    "AccessFilter",
    "Basis",
    "BlockRefused",
    "ChangeRow",
    "Denial",
    "FindingRow",
    "IndexFault",
    "IndexFollower",
    "IndexProgress",
    "IndexStatus",
    "ModelLineage",
    "Page",
    "PageRequest",
    "PermittedUse",
    "RecordRow",
    "RowManifest",
    "RowTrail",
    "SubjectTrail",
    "Trail",
    "TransactionFilter",
    "TransactionRow",
    "WithdrawalImpact",
    "all_items",
    "open_database",
]
