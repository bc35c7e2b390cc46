"""Whatever users hand to a public function of the statistics, the answer is theirs or an error of ours."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import bcfstats as bcf
from bcfstats.errors import InputError, ParameterError

MONTH = np.tile(np.arange(1, 13), 4)
COUNTS = np.random.default_rng(1).poisson(300, (4, 48)).astype(float)
LIMITS = bcf.xmr_limits([10, 12, 11, 13, 12, 10])
PANEL = {"counts": COUNTS, "exposure": np.ones(48), "calendar_month": MONTH}
GOOD = {
    "proportion": {"numerator": [8, 9], "denominator": 10, "confidence_level": 0.95, "multiplier": 100},
    "crude_rate": {"numerator": [8, 9], "denominator": 10, "confidence_level": 0.95, "multiplier": 100},
    "directly_standardised_rate": {
        "numerator": [8, 9],
        "denominator": [100, 90],
        "standard_population": [5, 6],
        "groups": None,
        "numerator_variance": None,
        "confidence_level": 0.95,
        "multiplier": 100,
    },
    "standardised_ratio": {"observed": [8, 9], "expected": 9, "confidence_level": 0.95, "multiplier": 100},
    "mean": {"values": [1, 2, 3], "groups": None, "confidence_level": 0.95},
    "compare_proportions": {
        "numerator": [8, 9],
        "denominator": 10,
        "baseline_numerator": 5,
        "baseline_denominator": 10,
        "polarity": "higher",
        "design_effect": 1.2,
        "between_year_variance": None,
        "method": "newcombe",
        "scale": "difference",
        "confidence_level": 0.95,
    },
    "compare_rates": {
        "numerator": [80, 90],
        "denominator": 10,
        "baseline_numerator": 50,
        "baseline_denominator": 10,
        "polarity": "lower",
        "dispersion": 2.0,
        "degrees_of_freedom": 9.0,
        "between_year_variance": None,
        "confidence_level": 0.95,
    },
    "compare_means": {
        "mean": [8, 9],
        "standard_deviation": 1.0,
        "sample_size": 30,
        "baseline_mean": 8,
        "baseline_standard_deviation": 1.0,
        "baseline_sample_size": 30,
        "polarity": "higher",
        "between_year_variance": 0.0,
        "confidence_level": 0.95,
    },
    "compare_estimates": {
        "value": [8, 9],
        "lower": [7, 8],
        "upper": [9, 10],
        "baseline_value": 8,
        "baseline_lower": 7,
        "baseline_upper": 9,
        "scale": "ratio",
        "polarity": "lower",
        "between_year_variance": 0.0,
        "published_level": 0.95,
        "confidence_level": 0.95,
    },
    "adjust_p_values": {"p_values": [0.01, 0.2]},
    "minimum_significant_improvement": {
        "statistic": "proportion",
        "numerator": [8, 9],
        "denominator": 20,
        "polarity": "higher",
        "confidence_level": 0.95,
        "multiplier": 100,
    },
    "detectable_improvement": {
        "statistic": "mean",
        "value": [8, 9],
        "standard_deviation": 1,
        "sample_size": 30,
        "polarity": "higher",
        "within": (0, 20),
        "power": 0.8,
        "confidence_level": 0.95,
    },
    "seasonal_indices": {**PANEL, "confidence_level": 0.95},
    "seasonality_test": {**PANEL, "counts": COUNTS[0]},
    "decompose": {**PANEL, "robust": True},
    "history_scale": {
        **PANEL,
        "window": 9,
        "lag": 12,
        "gap": 3,
        "prior": None,
        "minimum_areas": 3,
        "small_median": 60,
    },
    "do_nothing_forecast": {
        **PANEL,
        "tune": True,
        "first": 1,
        "last": 9,
        "target_exposure": np.ones(9),
        "england": None,
        "prior": None,
        "minimum_areas": 3,
        "small_median": 60,
    },
    "backtest": {
        **PANEL,
        "tune": True,
        "first": 1,
        "last": 6,
        "minimum_history": 40,
        "challengers": {},
        "minimum_areas": 3,
        "small_median": 60,
    },
    "trend": {**PANEL, "confidence_level": 0.95},
    "sens_slope": {"values": [[1, 3, 2, 5, 4, 6]], "times": [1, 2, 3, 4, 5, 6], "confidence_level": 0.95},
    "mann_kendall": {"values": [[1, 3, 2, 5, 4, 6]]},
    "recent_trend": {
        "values": [[5, 4, 5, 6, 5]],
        "lower": [[4, 3, 4, 5, 4]],
        "upper": [[6, 5, 6, 7, 6]],
        "polarity": "lower",
    },
    "xmr_limits": {
        "values": [5, 6, 5, 7, 8, 6],
        "within": (0, 100),
        "screen": False,
        "centre": "mean",
        "sigma": 3.0,
        "baseline": None,
        "rebase": (),
    },
    "spc_signals": {"values": [5, 6, 5, 7, 8, 6], "limits": LIMITS, "polarity": "lower", "run": 7},
}
BAD = {
    "text": "x",
    "numeric text": ["8", "9"],
    "text column": pd.Series(["8", "9"]),
    "string column": pd.Series(["8", "9"], dtype="string"),
    "mixed": [1, "9"],
    "date": pd.Timestamp("2014-01-01"),
    "dates": pd.to_datetime(["2014-01-01", "2014-02-01"]),
    "dates in a zone": pd.Series(pd.date_range("2014-01-01", periods=2, tz="Europe/London")),
    "periods": pd.period_range("2014-01", periods=2, freq="M"),
    "time spans": pd.to_timedelta([1, 2], unit="D"),
    "none": None,
    "NA": pd.NA,
    "NaT": pd.NaT,
    "NaN": np.nan,
    "infinite": np.inf,
    "negative": -3,
    "zero": 0,
    "half": 0.5,
    "empty": [],
    "empty table": np.empty((0, 48)),
    "dict": {"a": 1},
    "set": {1, 2},
    "object": object(),
    "function": len,
    "complex": 1 + 2j,
    "ragged": [[1, 2], [3]],
    "wrong length": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
    "three dimensions": np.ones((2, 2, 2)),
    "nullable": pd.array([1, None], dtype="Int64"),
    "objects": pd.Series([1, pd.NA], dtype=object),
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "decimals": [Decimal("0.5"), Decimal(2)],
    "decimal": Decimal("0.95"),
    "single": np.float32(0.95),
    "singles": np.array([0.7, 0.3], dtype=np.float32),
    "categories": pd.Categorical(["a", "b"]),
    "flags": [True, False],
    "two levels": (0.95, 0.998),
    "words": ["lower", "higher"],
    "structured": np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]),
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
}
OTHERWISE = {"recent_trend": {"numerator": [[5, 4, 5, 6, 5]], "denominator": 9, "polarity": "lower"}}
CALLS = [(name, call, word) for name, call in [*GOOD.items(), *OTHERWISE.items()] for word in call]


def test_every_public_function_of_the_statistics_is_tried():
    theirs = {name for name, home in bcf._HOMES.items() if home.startswith("stats.")}
    assert set(GOOD) == theirs


@pytest.mark.parametrize(("name", "call"), [*GOOD.items(), *OTHERWISE.items()])
def test_good_input_is_answered(name, call):
    getattr(bcf, name)(**call)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "call", "argument"), CALLS)
def test_no_python_error_reaches_a_user(name, call, argument):
    reached = {}
    for kind, bad in BAD.items():
        try:
            getattr(bcf, name)(**{**call, argument: bad})
        except (ParameterError, InputError):
            pass
        except Exception as error:
            reached[kind] = f"{type(error).__name__}: {error}"
    assert reached == {}


COUNTED = [(name, next(iter(call))) for name, call in GOOD.items() if name not in ("mean", "spc_signals")]
REFUSED = (
    "numeric text",
    "text column",
    "string column",
    "dates",
    "dates in a zone",
    "periods",
    "time spans",
)


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name, argument in COUNTED if argument != "statistic"]
)
def test_text_and_dates_are_no_numbers(name, argument, kind):
    with pytest.raises(ParameterError, match="not all numbers"):
        getattr(bcf, name)(**{**GOOD[name], argument: BAD[kind]})


@pytest.mark.parametrize("kind", ["nullable", "objects", "masked"])
def test_what_marks_a_missing_number_makes_its_row_missing(kind):
    found = bcf.proportion(BAD[kind], 10)
    assert found.value[0] == 0.1
    assert np.isnan(found.value[1])
    assert found.reason[1] == "the numerator is missing"


def test_a_number_in_single_precision_is_what_it_prints_as():
    found = bcf.proportion(np.array([0.7, np.nan], dtype=np.float32), 1)
    assert found.value[0] == 0.7
    assert bcf.proportion(7, 10, confidence_level=np.float32(0.95)).confidence_level == 0.95
    nullable = bcf.proportion(pd.array([0.7, None], dtype="Float32"), 1)
    assert nullable.value[0] == 0.7


@pytest.mark.parametrize("multiplier", [-100, 0, np.nan, np.inf, None, "100", [1, 2]])
def test_a_multiplier_is_above_zero(multiplier):
    with pytest.raises(ParameterError, match="multiplier"):
        bcf.proportion(8, 10, multiplier=multiplier)


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, np.nan, None, "0.95", [], True, [0.95, 2]])
def test_a_level_is_between_nothing_and_one(level):
    with pytest.raises(ParameterError, match="between 0 and 1"):
        bcf.crude_rate(8, 10, confidence_level=level)


@pytest.mark.parametrize("polarity", ["up", None, 1, ["lower", "higher", "lower"], pd.NA, [None, "lower"]])
def test_a_polarity_is_one_word_a_row(polarity):
    with pytest.raises(ParameterError, match="polarity"):
        bcf.minimum_significant_improvement(
            "crude_rate", numerator=[100, 200], denominator=1, polarity=polarity
        )
