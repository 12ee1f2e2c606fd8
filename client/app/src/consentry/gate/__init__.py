"""The data gate: a custodian's service that lets rows leave only under a committed permit.

`Gate` serves registered dataset versions from a `GateStore`, in which they lie encrypted; recipients read
them by `ledger.data.open`. It needs `consentry[gate]`.
"""
