"""Step 5 where hospitals can isolate functions: the function comes to the rows, and numbers alone leave."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from consentry.demo import federated
from consentry.demo.cast import Cast, msp_id
from consentry.demo.data import RESEARCH
from consentry.demo.federated import Array
from consentry.demo.granting import THIRTY_DAYS
from consentry.demo.story import Story
from consentry.gate.compute.calling import ComputeResult
from consentry.training import RunningSession, participant

ROUNDS = 2
STEPS = 60
FUNCTION = Path(federated.__file__)
OUTPUTS = {"update": ("arrays", 8192), "metrics": ("metrics", 1024)}
ARCHITECTURE = {"kind": "logistic regression", "features": 30, "aggregation": "federated averaging"}
Results = Mapping[str, ComputeResult]


def train_beside_rows(story: Story, cast: Cast) -> None:
    """Riverside's researcher has each hospital run one approved function, and averages what it gives."""
    _approve(story, cast)
    story.show_code(session_code(train_beside_rows))
    ledger = cast.ledger("riverside/researcher")
    versions = [version.version_id for version in cast.versions.values()]
    with ledger.training(
        model="wdbc-risk",
        datasets=versions,
        purpose=RESEARCH,
        code=FUNCTION,
        output="aggregate",
    ) as session:
        hospitals = _Hospitals(cast, session)
        sums = hospitals.run()
        common = _moments(sums)
        weights = federated.initial_weights(30)
        for number in range(1, ROUNDS + 1):
            results = hospitals.run(**common, weights=weights, steps=STEPS)
            weights = _averaged(cast, session, results)
            story.say(f"round {number}: {len(results)} updates averaged")
        tested = hospitals.run(**common, weights=weights, steps=0)
        accuracy = _mean(tested, "accuracy")
        version = session.register_version(
            weights={"coefficients": weights[:-1], "intercept": weights[-1:]},
            architecture=ARCHITECTURE,
            metrics={"accuracy": f"{accuracy:.4f}"},
        )
    _say_what_came(story, cast, sums)
    cast.permits = {permit.custodian: permit for permit in session.permits}
    cast.model_version_id = version.model_version_id
    story.expect(accuracy > 0.9, f"model version registered, accuracy {accuracy:.4f}", accuracy)
    story.record("runs of one approved function beside the rows", hospitals.runs)


def session_code(train: Callable[..., None]) -> str:
    """The program text of the session in a function, as it stands there."""
    lines = inspect.getsource(train).splitlines()
    begin = next(index for index, line in enumerate(lines) if "with ledger.training" in line)
    end = max(index for index, line in enumerate(lines) if line == "        )")
    return "\n".join(lines[begin : end + 1])


def _approve(story: Story, cast: Cast) -> None:
    """The function's digest is registered by riverside and approved by each hospital for its own data."""
    registered = cast.ledger("riverside/researcher").functions.register(FUNCTION, outputs=OUTPUTS)
    for name, version in cast.versions.items():
        cast.ledger(f"{name}/steward").functions.approve(
            FUNCTION,
            owner=msp_id("riverside"),
            versions=[version.version_id],
            purposes=[RESEARCH],
            duration=THIRTY_DAYS,
        )
    story.say(
        f"the function {registered.code_digest[:23]}… is approved by each hospital: it comes to the rows,"
    )
    story.say("runs in a sandbox that a hostile one did not leave, and gives an update and metrics, no rows")


class _Hospitals:
    """Runs the function at every hospital at once."""

    def __init__(self, cast: Cast, session: RunningSession) -> None:
        self._cast = cast
        self._session = session
        self.runs = 0

    def run(self, **parameters: Array | float) -> Results:
        """What the function gives with these parameters, by hospital."""
        given = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in parameters.items()
        }
        names = list(self._cast.versions)
        with ThreadPoolExecutor(len(names)) as pool:
            results = dict(zip(names, pool.map(lambda name: self._run(name, given), names), strict=True))
        self.runs += len(results)
        return results

    def _run(self, name: str, parameters: Mapping[str, Any]) -> ComputeResult:
        return self._cast.ledger("riverside/researcher").data.compute(
            self._cast.versions[name].version_id,
            function=FUNCTION,
            purpose=RESEARCH,
            parameters=parameters,
            session_id=self._session.session_id,
        )


def _say_what_came(story: Story, cast: Cast, results: Results) -> None:
    for name, result in results.items():
        rows, count = result.delivery.row_count, cast.versions[name].row_count
        cast.received[name] = rows
        story.say(
            f"{name}: the function ran on {rows} of {count} rows and gave {result.delivery.byte_count} bytes;"
            " the others' patients do not consent"
        )


def _moments(results: Results) -> dict[str, Array]:
    parts = [result.outputs["update"] for result in results.values()]
    count = sum(result.outputs["metrics"]["rows"] for result in results.values())
    mean, deviation = federated.moments_of(parts, count)
    return {"mean": mean, "deviation": deviation}


def _averaged(cast: Cast, session: RunningSession, results: Results) -> Array:
    updates = {name: result.outputs["update"] for name, result in results.items()}
    rows = {name: int(result.outputs["metrics"]["rows"]) for name, result in results.items()}
    average = federated.average([update["weights"] for update in updates.values()], list(rows.values()))
    session.record_round(
        [
            participant(msp_id(name), cast.versions[name].version_id, rows=rows[name], update=update)
            for name, update in updates.items()
        ],
        aggregate={"weights": average},
        metrics={"log_loss": f"{_mean(results, 'log_loss'):.6f}"},
    )
    return average


def _mean(results: Results, metric: str) -> float:
    """A metric over the held-out rows of all hospitals."""
    metrics = [result.outputs["metrics"] for result in results.values()]
    return float(np.average([one[metric] for one in metrics], weights=[one["held_out"] for one in metrics]))
