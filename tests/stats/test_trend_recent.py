"""The Fingertips rule, label for label against its own test fixtures.

Counts and labels: `WhenUsingTrendMarkerCalculator.cs` and `TrendMarkerCalculatorTests.cs` in
github.com/ukhsa-collaboration/fingertips-open and github.com/dhsc-govuk/FingertipsNext.
"""

import numpy as np
import pytest
import statsmodels.api as sm

from bcfstats.errors import ParameterError
from bcfstats.stats.trend import recent_trend

FIXTURES = [
    ([621, 599, 556, 535, 447], [3454, 3195, 3256, 3227, 3121], "Decreasing"),
    ([2157, 2090, 2194, 2134.81, 2094], [3454, 3195, 3256, 3152, 3062], "Increasing"),
    ([8116, 8145, 8222, 8506, 8728], [91530, 91773, 92088, 92238, 92665.89], "Increasing"),
    ([5, 7, 6, 8, 8, 9], [22, 35, 42, 50, 100, 200], "Decreasing"),
    ([5405, 5500, 5435, 5480, 5315], [18095, 18170, 18005, 17890, 17860], "No significant change"),
    ([22435, 22445, 21365, 20955, 19055], [65880, 67900, 68705, 69835, 70910], "Decreasing"),
    (
        [3455176, 3491868, 3625401, 3774801, 3938080],
        [48783947, 49122259, 49956777, 50649129, 51441896],
        "Increasing",
    ),
]


@pytest.mark.parametrize(("count", "total", "label"), FIXTURES)
def test_labels_of_the_published_fixtures(count, total, label):
    assert recent_trend(numerator=count, denominator=total).label[0] == label


def test_chi_square_for_trend_equals_the_score_test_of_a_logistic_line():
    count, total = np.array(FIXTURES[0][0], dtype=float), np.array(FIXTURES[0][1], dtype=float)
    t = np.arange(1, 6)
    p = count.sum() / total.sum()
    # Cochran-Armitage as a score statistic: U^2 / V with the pooled proportion
    score = (t * (count - total * p)).sum()
    variance = p * (1 - p) * ((total * t**2).sum() - (total * t).sum() ** 2 / total.sum())
    found = recent_trend(numerator=count, denominator=total)
    assert found.chi_square[0] == pytest.approx(score**2 / variance, rel=1e-10)
    assert found.slope[0] == pytest.approx(np.polyfit(t, np.log(count / (total - count)), 1)[0], rel=1e-10)


def test_weighted_line_equals_statsmodels():
    value = np.array([10.0, 11.5, 12.0, 14.1, 15.2])
    half = np.array([1.0, 0.8, 1.2, 0.9, 1.1])
    found = recent_trend(value, value - half, value + half)
    fit = sm.WLS(value, sm.add_constant(np.arange(1, 6)), weights=(3.92 / (2 * half)) ** 2).fit()
    se = np.sqrt(np.linalg.inv(fit.model.wexog.T @ fit.model.wexog)[1, 1])
    assert found.slope[0] == pytest.approx(fit.params[1], rel=1e-10)
    assert found.chi_square[0] == pytest.approx((fit.params[1] / se) ** 2, rel=1e-10)


def test_polarity_words():
    count, total, _ = FIXTURES[0]
    lower = recent_trend(numerator=count, denominator=total, polarity="lower").label[0]
    higher = recent_trend(numerator=count, denominator=total, polarity="higher").label[0]
    assert (lower, higher) == ("Decreasing and getting better", "Decreasing and getting worse")


def test_one_point_that_decides_the_direction_is_no_trend():
    value = np.array([10.0, 9.9, 9.8, 9.7, 30.0])
    found = recent_trend(value, value - 0.5, value + 0.5)
    assert found.chi_square[0] > 9.55
    assert found.label[0] == "No significant change"
    assert found.reason[0] == "one point decides the direction"


def test_cannot_be_calculated():
    nan = np.nan
    value = np.array([[1, 2, 3, 4, 5], [1, 2, nan, 4, 5], [1, 2, 3, 4, 5.0]])
    half = np.array([[0.0], [1.0], [nan]])
    found = recent_trend(value, value - half, value + half)
    assert (found.label == "Cannot be calculated").all()
    assert list(found.reason) == [
        "an interval has no width",
        *["fewer than five consecutive years with a value and limits"] * 2,
    ]
    assert recent_trend([1, 2], [0, 1], [2, 3]).label[0] == "Cannot be calculated"
    assert recent_trend(numerator=[1, 2, 3, 4, 5], denominator=[5] * 5).reason[0] == "a year has none or all"
    assert np.isnan(found.slope).all()


def test_million_scale_counts_do_not_overflow():
    found = recent_trend(numerator=np.array(FIXTURES[-1][0]), denominator=np.array(FIXTURES[-1][1]))
    assert found.chi_square[0] > 1000


def test_half_an_input_is_refused():
    with pytest.raises(ParameterError, match="both limits"):
        recent_trend([1, 2, 3, 4, 5])
    with pytest.raises(ParameterError, match="polarity"):
        recent_trend(numerator=[1] * 5, denominator=[2] * 5, polarity="up")
