"""Blocks: their headers, hashes, metadata, form and signatures.

What stands behind it is in `block_structure` and `block_signatures`.
"""

from fabric_protocol.block_signatures import sign_block, signed_data, verify_block_signatures
from fabric_protocol.block_structure import (
    check_link,
    check_well_formed,
    data_hash,
    header_bytes,
    header_hash,
    is_config_block,
    last_config_index,
    metadata,
    new_block,
    parse_block,
    set_flags,
    set_metadata,
    transaction_flags,
)

__all__ = [
    "check_link",
    "check_well_formed",
    "data_hash",
    "header_bytes",
    "header_hash",
    "is_config_block",
    "last_config_index",
    "metadata",
    "new_block",
    "parse_block",
    "set_flags",
    "set_metadata",
    "sign_block",
    "signed_data",
    "transaction_flags",
    "verify_block_signatures",
]
