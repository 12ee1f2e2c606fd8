"""`python -m consentry_contracts`: serve the contracts to a peer; the environment says where (see
`fabric_shim.run`).
"""

from fabric_shim import run

from . import contracts

if __name__ == "__main__":
    run(contracts())
