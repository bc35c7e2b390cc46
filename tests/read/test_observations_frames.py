"""Whatever table users hand to a public function, the answer is theirs or an error of ours."""

import numpy as np
import pandas as pd
import pytest

import bcfstats as bcf
from bcfstats.errors import InputError, ParameterError

OUTCOMES = pd.DataFrame(
    {
        "area_code": ["X"],
        "metric": ["delayed_transfers"],
        "payment": ["2015-04"],
        "baseline_value": [1000.0],
        "target_value": [900.0],
        "outcome_value": [930.0],
    }
)


ASSESSED = [
    *("area_code", "area_name", "metric", "payment", "target_period", "against", "verdict"),
    *("baseline_value", "baseline_numerator", "baseline_denominator", "target_value", "do_nothing_value"),
    *("ambition_percent", "events_better", "history_p", "money_at_stake"),
    *("p_paid_do_nothing", "p_paid_if_half_delivered", "p_paid_if_delivered"),
]


@pytest.fixture(scope="module")
def tables():
    """Give small tables of every kind the public functions take."""
    data = bcf.example_data(n_areas=4)
    code = data.areas["area_code"].iloc[0]
    observations = data.observations.loc[data.observations["metric"] == "reablement"]
    targets = pd.DataFrame({"area_code": [code], "metric": ["reablement"], "payment": ["2015-10"]})
    targets = targets.assign(
        target_value=85.0, target_numerator=np.nan, change_percent=np.nan, against="baseline"
    )
    assessments = bcf.assess_ambitions(observations, targets)[ASSESSED]
    return {
        "baseline": (lambda table: bcf.baseline(table, "reablement", "2014/15"), observations),
        "screen": (lambda table: bcf.screen_local_metric("reablement", table, code), observations),
        "assess": (lambda table: bcf.assess_ambitions(observations, table), targets),
        "payment": (bcf.payment, OUTCOMES),
        "outcomes": (lambda table: bcf.outcomes(observations, table), assessments),
        "chances": (bcf.payment_chances, assessments),
        "overview": (lambda table: bcf.national_overview(table, data.areas), assessments),
        "areas": (lambda table: bcf.national_overview(assessments, table), data.areas),
    }


def wrong_tables(table):
    """Give the table without a column, or with a column of another kind."""
    yield from ((repr(thing), thing) for thing in (None, [1, 2], "x", {"a": 1}))
    yield from (("no rows", table.iloc[:0]), ("no columns", pd.DataFrame()), ("column", table.iloc[:, 0]))
    for name in table:
        yield f"without {name}", table.drop(columns=name)
        for thing in ("x", pd.NA, pd.Timestamp("2014-01-01 10:00")):
            yield f"{name} {thing!r}", table.assign(**{name: thing})
        yield f"{name} lists", table.assign(**{name: [[1]] * len(table)})
        yield f"{name} categories", table.assign(**{name: table[name].astype("category")})
        if table[name].dtype.kind == "M":
            zone = table[name].dt.tz_localize("Europe/London")
            yield f"{name} in a zone", table.assign(**{name: zone})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [
        *("baseline", "payment", "outcomes", "areas"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("screen", "chances", "overview", "assess")),
    ],
)
def test_no_python_error_reaches_a_user(name, tables):
    function, table = tables[name]
    reached = {}
    for kind, wrong in wrong_tables(table):
        try:
            function(wrong)
        except (InputError, ParameterError):
            pass
        except Exception as error:
            reached[kind] = f"{type(error).__name__}: {error}"
    assert reached == {}


@pytest.mark.parametrize("name", ["numerator", "denominator", "value"])
def test_other_kinds_of_numbers_are_the_same_numbers(name, tables):
    function, table = tables["baseline"]
    expected = function(table)
    for kind in ("Float64", "object", "category"):
        pd.testing.assert_frame_equal(function(table.assign(**{name: table[name].astype(kind)})), expected)


def test_an_answer_has_its_evidence(tables):
    table = tables["screen"][1]
    for answer in (True, (True,), (True, " "), "yes"):
        with pytest.raises(ParameterError, match="evidence"):
            bcf.screen_local_metric("falls_injuries", table, "X", answers={"strategy": answer})
