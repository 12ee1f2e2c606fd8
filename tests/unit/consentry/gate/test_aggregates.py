"""Aggregates: right, over groups of enough subjects only, of those who are not left out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentry.errors import InputRejected
from consentry.gate import row_blocks
from consentry.gate.aggregates import Grouping, compute

SCHEMA = [["grade", "text"], ["radius", "number"], ["size", "integer"]]
PURPOSE, RIVERSIDE = "DUO:0000006", "RiversideMSP"


def grouping(**changes):
    fields = {
        "by": ("grade",),
        "values": ("radius",),
        "minimum": 5,
        "purpose": PURPOSE,
        "commercial": False,
        "recipients": (RIVERSIDE,),
    }
    return Grouping(**{**fields, **changes})


def stored(frame: pd.DataFrame, rows: int = 7):
    """A version in blocks, as far as aggregates look at one; the column subject is a number."""
    table = pa.Table.from_pandas(frame.drop(columns=["subject"]), preserve_index=False)
    subjects = [int(number).to_bytes(32, "big") for number in frame["subject"]]
    table = table.append_column(row_blocks.SUBJECT, pa.array(subjects, pa.binary(32)))
    blocks = table.to_batches(max_chunksize=rows)
    index = SimpleNamespace(schema=SCHEMA)
    return SimpleNamespace(version_id="v", index=index, blocks=lambda: iter(blocks))


def nobody(subjects):
    return [False] * len(subjects)


def frame(grades, radii=None, subjects=None):
    count = len(grades)
    return pd.DataFrame(
        {
            "grade": grades,
            "radius": np.linspace(1, 2, count) if radii is None else radii,
            "size": range(count),
            "subject": range(count) if subjects is None else subjects,
        }
    )


ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(-1e6, 1e6), st.integers(0, 20)), min_size=1, max_size=60
)


@given(ROWS)
def test_results_are_those_of_pandas_for_groups_of_enough_subjects(rows):
    data = frame(*(list(column) for column in zip(*rows, strict=True)))
    result = compute(stored(data), grouping(), nobody, "now")
    grouped = data.groupby("grade")
    enough = {name for name, group in grouped if group["subject"].nunique() >= 5}
    assert {group["key"][0] for group in result["groups"]} == enough
    assert result["suppressed_groups"] == len(grouped) - len(enough)
    for group in result["groups"]:
        part = grouped.get_group(group["key"][0])["radius"]
        shown = group["columns"]["radius"]
        assert (group["rows"], shown["count"]) == (len(part), len(part))
        assert shown["sum"] == pytest.approx(part.sum(), rel=1e-9, abs=1e-6)
        assert shown["mean"] == pytest.approx(part.mean(), rel=1e-9, abs=1e-6)
        assert shown["variance"] == pytest.approx(part.var(), rel=1e-6, abs=1e-6)


def test_many_rows_of_few_subjects_are_not_shown():
    data = frame(["a"] * 40, subjects=[number % 4 for number in range(40)])
    assert compute(stored(data), grouping(), nobody, "now")["groups"] == []


def test_whoever_is_left_out_counts_for_nothing():
    data = frame(["a"] * 6)
    gone = (3).to_bytes(32, "big")
    result = compute(stored(data), grouping(), lambda ones: [one == gone for one in ones], "now")
    assert result["groups"][0]["rows"] == 5


@pytest.mark.parametrize(("missing", "is_shown"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_column_does_not_tell_the_few_without_a_value_apart(missing, is_shown):
    radii = [None if number < missing else 1.5 for number in range(20)]
    result = compute(stored(frame(["a"] * 20, radii)), grouping(), nobody, "now")
    assert ("radius" in result["groups"][0]["columns"]) == is_shown


@pytest.mark.parametrize(
    "changes",
    [
        {"by": ()},
        {"by": ("radius",)},
        {"by": ("nothing",)},
        {"values": ("grade",)},
        {"by": ("grade", "size"), "values": ("size",)},
        {"minimum": 4},
        {"recipients": ()},
    ],
)
def test_groupings_that_do_not_fit_are_refused(changes):
    with pytest.raises(InputRejected) as caught:
        compute(stored(frame(["a"] * 6)), grouping(**changes), nobody, "now")
    assert caught.value.code == "GROUPING_INVALID"


def test_a_result_is_for_its_use_alone():
    assert grouping().allows(PURPOSE, False, RIVERSIDE)
    assert not grouping().allows("TREAT", False, RIVERSIDE)
    assert not grouping().allows(PURPOSE, True, RIVERSIDE)
    assert not grouping().allows(PURPOSE, False, "LakesideMSP")
