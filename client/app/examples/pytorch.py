"""Train a PyTorch model under a custodian's permit, and put it on the ledger.

    CONSENTRY_NETWORK=… CONSENTRY_AS=riverside/researcher python pytorch.py VERSION rows.csv

VERSION is the dataset version's id, rows.csv its rows as the custodian gave them: radius, texture, benign.
"""

import sys

import pandas as pd
import torch

from consentry import connect
from consentry.tracking import torch_weights

STEPS = 50

version_id, path = sys.argv[1:]
rows = pd.read_csv(path)
features = torch.tensor(rows[["radius", "texture"]].to_numpy(), dtype=torch.float32)
target = torch.tensor(rows[["benign"]].to_numpy(), dtype=torch.float32)
features = (features - features.mean(0)) / features.std(0)

torch.manual_seed(1)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
measure = torch.nn.BCEWithLogitsLoss()

with (
    connect() as ledger,
    ledger.training(
        model="risk-of-malignancy-torch",
        datasets=[version_id],
        purpose="DUO:0000006",
        hyperparameters={"steps": STEPS, "learning-rate": 0.1},
    ) as session,
):
    session.note_use(version_id, len(rows))
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = measure(model(features), target)
        loss.backward()
        optimizer.step()
    made = session.register_version(
        weights=torch_weights(model),
        architecture={"kind": "linear", "inputs": 2},
        metrics={"loss": float(loss.detach())},
    )
print(made.model_version_id)
