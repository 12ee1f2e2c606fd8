"""Train a scikit-learn model under a custodian's permit, and put it on the ledger.

    CONSENTRY_NETWORK=… CONSENTRY_AS=riverside/researcher python scikit_learn.py VERSION rows.csv

VERSION is the dataset version's id, rows.csv its rows as the custodian gave them: radius, texture, benign.
"""

import sys

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from consentry import connect
from consentry.tracking import fit

version_id, path = sys.argv[1:]
rows = pd.read_csv(path)
estimator = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))

# Entering the block asks for access and waits for the custodian's decision; what happens in it is on record.
with (
    connect() as ledger,
    ledger.training(model="risk-of-malignancy", datasets=[version_id], purpose="DUO:0000006") as session,
):
    session.note_use(version_id, len(rows))
    made = fit(session, estimator, rows[["radius", "texture"]], rows["benign"])
print(made.model_version_id)
