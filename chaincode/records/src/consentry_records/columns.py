"""Names of a dataset's columns, as grants, requests and attempts give them.

The ledger has no more of a version's columns than their digest: whether a version has a column, its
custodian's gate alone can tell.
"""

from __future__ import annotations

import unicodedata  # deterministic: of it only the fixed Unicode 3.2, the same in every Python
from dataclasses import dataclass

from .errors import field_invalid
from .kinds import Many

MAXIMUM_COLUMNS = 512
MAXIMUM_COLUMN_NAME = 128
RESERVED = "consentry."
_EXPECTED = (
    f"a column's name of 1 to {MAXIMUM_COLUMN_NAME} printable characters in Unicode's composed form (NFC), "
    f"no space around it, not beginning with {RESERVED}"
)
# Every Python has this one version beside its own, so that all peers agree on what is a character.
_UNICODE = unicodedata.ucd_3_2_0
# A dash in that version, and not shown by now.
_SOFT_HYPHEN = "\u00ad"
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class ColumnName:
    """The name of one column as the version's schema has it."""

    def read(self, value: object) -> str:
        """The name itself."""
        if type(value) is not str or not 1 <= len(value) <= MAXIMUM_COLUMN_NAME or not _is_fit(value):
            raise field_invalid(_EXPECTED, value)
        return value


def _is_fit(name: str) -> bool:
    if name != name.strip() or name.startswith(RESERVED) or _SOFT_HYPHEN in name:
        return False
    categories = {_UNICODE.category(character) for character in name if character != " "}
    fits = not categories & _UNSHOWN and "Zs" not in categories
    return fits and _UNICODE.normalize("NFC", name) == name


COLUMN = ColumnName()
COLUMNS = Many(COLUMN, 0, MAXIMUM_COLUMNS)
