"""Digests, commitments, keyed row digests and row leaves."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples

from consentry_records import LedgerError
from consentry_records.canonical import decode
from consentry_records.commitments import subject_commitment
from consentry_records.digest import digest_bytes, hmac_digest, sha256_digest
from consentry_records.merkle import root
from consentry_records.rows import row_digest, row_leaf, rows_root

KEY = bytes(range(32))


def test_digests_are_written_with_their_algorithm() -> None:
    assert sha256_digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_bytes(sha256_digest(b"x")) == hashlib.sha256(b"x").digest()
    assert digest_bytes(hmac_digest(KEY, b"x")) == hmac.new(KEY, b"x", hashlib.sha256).digest()


@pytest.mark.parametrize(
    "text", ["", "e3b0", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 64, "sha256:" + " " * 64]
)
def test_other_texts_are_no_digests(text: str) -> None:
    with pytest.raises(ValueError, match="expected sha256"):
        digest_bytes(text)


def test_the_commitment_is_the_designs() -> None:
    expected = hmac.new(KEY, b"consentry/subject/1" + "ä-17".encode(), hashlib.sha256).hexdigest()
    assert subject_commitment(KEY, "ä-17") == f"hmac-sha256:{expected}"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_another_salt_gives_another_commitment(one: bytes, other: bytes) -> None:
    assert (subject_commitment(one, "p1") == subject_commitment(other, "p1")) == (one == other)


@pytest.mark.parametrize("salt", [b"", b"x" * 31, b"x" * 33])
def test_a_salt_has_32_bytes(salt: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        subject_commitment(salt, "p1")


def test_a_pseudonym_is_not_empty() -> None:
    with pytest.raises(ValueError, match="pseudonym"):
        subject_commitment(KEY, "")


def test_rows_are_digested_under_a_key() -> None:
    row = {"radius": "17.99", "id": 3, "malignant": True, "note": None}
    assert row_digest(KEY, row) == row_digest(KEY, dict(reversed(row.items())))
    assert row_digest(KEY, row) != row_digest(bytes(32), row)
    assert row_digest(KEY, b"raw") == hmac_digest(KEY, b"consentry/row/1raw")
    with pytest.raises(ValueError, match="32 bytes"):
        row_digest(b"short", row)
    with pytest.raises(LedgerError):
        row_digest(KEY, {"radius": 17.99})  # type: ignore[dict-item]


def test_a_leaf_names_row_subject_and_consent() -> None:
    leaf = row_leaf(row_digest(KEY, b"r"), examples.commitment(), examples.identifier("consent"))
    assert decode(leaf) == {
        "consent_id": examples.identifier("consent"),
        "row_digest": row_digest(KEY, b"r"),
        "subject": examples.commitment(),
    }
    assert rows_root([leaf]) == "sha256:" + root([leaf]).hex()
