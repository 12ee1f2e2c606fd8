"""Train in rounds at several hospitals: each round is on the ledger with every update and the aggregate.

    CONSENTRY_NETWORK=… CONSENTRY_AS=riverside/researcher python federated.py VERSION rows.csv …

VERSION and rows.csv come in pairs, one a hospital. Here one program plays all of them; in earnest `train`
asks each hospital's own program for its update, and rows stay where they are.
"""

import sys

import numpy as np
import pandas as pd

from consentry import connect
from consentry.tracking import federated_rounds
from consentry.tracking.federated import Update

ROUNDS = 3

hospitals = {
    version_id: pd.read_csv(path) for version_id, path in zip(sys.argv[1::2], sys.argv[2::2], strict=True)
}


def step(weights, rows):
    """One step of logistic regression on one hospital's rows."""
    features = np.column_stack([rows["radius"], rows["texture"], np.ones(len(rows))])
    features[:, :2] -= features[:, :2].mean(axis=0)
    predicted = 1 / (1 + np.exp(-features @ weights["w"]))
    return {"w": weights["w"] - 0.1 * features.T @ (predicted - rows["benign"]) / len(rows)}


with (
    connect() as ledger,
    ledger.training(model="risk-in-rounds", datasets=list(hospitals), purpose="DUO:0000006") as session,
):
    custodians = {version_id: ledger.datasets.get(version_id).custodian for version_id in hospitals}

    def train(weights, number):
        """Every hospital's update of this round."""
        return [
            Update(custodians[version_id], version_id, len(rows), step(weights, rows))
            for version_id, rows in hospitals.items()
        ]

    for weights in federated_rounds(session, {"w": np.zeros(3)}, rounds=ROUNDS, train=train):
        print(weights["w"])
    made = session.register_version(weights=weights, architecture={"kind": "logistic"}, metrics={})
print(made.model_version_id)
