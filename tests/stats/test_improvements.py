"""Improvement sizes, against worked examples, the comparisons themselves and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bcfstats.errors import ParameterError
from bcfstats.stats.comparisons import compare_estimates, compare_means, compare_proportions, compare_rates
from bcfstats.stats.improvements import (
    detectable_improvement,
    estimate_improvement,
    mean_improvement,
    minimum_significant_improvement,
    proportion_improvement,
    rate_improvement,
)

Z, Z_POWER = 1.959963984540054, 0.8416212335729143
WORKED = 6e-6  # the worked examples have five or six digits
POLARITIES = st.sampled_from(["lower", "higher"])


def rates(numerator, **options):
    return minimum_significant_improvement(
        "crude_rate", numerator=numerator, denominator=1, polarity="lower", **options
    )


def detectable_rates(numerator, **options):
    return detectable_improvement(
        "crude_rate", numerator=numerator, denominator=1, polarity="lower", **options
    )


def test_score_count_by_hand():
    # 1000 + 1.92073 - sqrt(2 * 3841.459 + 3.68920); with dispersion 40 the same with 40 z^2
    found = rates([1000, 1000], dispersion=[1, 40])
    np.testing.assert_allclose(found.value, [914.2474, 517.1691], rtol=WORKED)
    np.testing.assert_array_equal(found.numerator, [914, 517])


def test_log_ratio_worked_examples():
    options = {"dispersion": [1, 40], "between_year_variance": 0.0}
    np.testing.assert_allclose(rates([1000, 1000], **options).ratio, [0.91422, 0.50924], atol=WORKED)
    np.testing.assert_allclose(
        detectable_rates([1000, 1000], **options).ratio, [0.87849, 0.32080], atol=WORKED
    )
    assert detectable_rates(12, between_year_variance=0.0).reason == "no target could be significant"


def test_between_year_variance_worked_examples():
    tau2 = [0.05**2, 0.235**2]
    found, found_80 = (f([1000, 279], between_year_variance=tau2) for f in (rates, detectable_rates))
    np.testing.assert_allclose(found.ratio, [0.874984, 0.607393], atol=WORKED)
    np.testing.assert_allclose(found_80.ratio, [0.825049, 0.486407], atol=WORKED)


def test_central_mid_p_worked_examples():
    found = rates([5, 6, 8, 12, 20, 50, 100, 250])
    np.testing.assert_array_equal(found.numerator, [0, 0, 1, 4, 9, 32, 74, 208])
    assert list(found.method) == ["central mid-P"] * 6 + ["score"] * 2
    assert rates(4).reason == "no target could be significant"


def test_proportion_worked_examples():
    share = {"numerator": 164, "denominator": 200, "polarity": "higher"}
    found = minimum_significant_improvement("proportion", **share)
    assert (found.value, found.numerator) == (pytest.approx(0.88940, abs=WORKED), 178)
    assert detectable_improvement("proportion", **share).value == pytest.approx(0.91474, abs=WORKED)


def test_published_limits_worked_examples():
    rate = minimum_significant_improvement(
        "directly_standardised_rate", value=2000, lower=1900, upper=2105, polarity="lower"
    )
    assert rate.ratio == pytest.approx(0.930111, abs=WORKED)
    assert rate.value == pytest.approx(1860.22, abs=0.005)
    margin = Z * np.sqrt(0.839 * 0.161 / 200)
    share = minimum_significant_improvement(
        "survey_proportion",
        value=0.839,
        lower=0.839 - margin,
        upper=0.839 + margin,
        between_year_variance=0.052**2,
        polarity="higher",
    )
    assert share.change == pytest.approx(0.124807, abs=WORKED)


def test_the_payment_line_is_the_significance_line():
    # 70 % of the way to the detectable improvement is the smallest significant one: z / (z + z_power)
    options = {"value": 100, "lower": 95, "upper": 105, "polarity": "lower"}
    found = minimum_significant_improvement("mean", **options)
    found_80 = detectable_improvement("mean", **options)
    assert found.change / found_80.change == pytest.approx(0.6995911, abs=5e-8)


def brute_force_count(a, exposure, polarity):
    """Return the count nearest to no change that `compare_rates` finds significant, trying them all."""
    counts = np.arange(0, 4 * a * exposure + 60)
    p = compare_rates(counts, exposure, a, 1, polarity=polarity).p_improvement
    significant = counts[p <= 0.025]
    if polarity == "lower":
        return significant.max() if significant.size else np.nan
    return significant.min()


@pytest.mark.parametrize("polarity", ["lower", "higher"])
@pytest.mark.parametrize("exposure", [0.5, 1, 2])
@pytest.mark.parametrize("a", [1, 4, 5, 12, 30, 39, 40, 41, 58, 59, 60, 61, 99, 100, 150, 1000])
def test_counts_by_trying_them_all(a, exposure, polarity):
    found = rate_improvement(a, 1, later_denominator=exposure, polarity=polarity)
    np.testing.assert_equal(found.numerator, brute_force_count(a, exposure, polarity))


@given(
    st.integers(1, 5000), st.floats(0.3, 3), st.floats(1.01, 20), POLARITIES, st.none() | st.floats(0, 0.05)
)
def test_the_target_rate_is_just_significant(a, exposure, dispersion, polarity, tau2):
    options = {"dispersion": dispersion, "between_year_variance": tau2, "polarity": polarity}
    found = rate_improvement(a, 1, later_denominator=exposure, **options)
    if found.reason:
        assert polarity == "lower"
        if tau2 is None:
            nothing = compare_rates(0, exposure, a, 1, dispersion=dispersion, polarity=polarity)
            assert nothing.p_improvement > 0.025
    else:
        p = compare_rates(found.value * exposure, exposure, a, 1, **options).p_improvement
        assert p == pytest.approx(0.025, rel=1e-6)


@given(
    st.integers(0, 500), st.integers(1, 500), st.integers(1, 500), POLARITIES, st.none() | st.floats(0, 0.01)
)
def test_the_target_share_is_just_significant(x0, n0, n1, polarity, tau2):
    x0 = min(x0, n0)
    options = {"between_year_variance": tau2, "polarity": polarity}
    found = proportion_improvement(x0, n0, later_denominator=n1, **options)
    end = n1 if polarity == "higher" else 0
    at_the_end = compare_proportions(end, n1, x0, n0, **options)
    if found.reason:
        assert at_the_end.reason or at_the_end.p_improvement > 0.025 * (1 - 1e-6)
    else:
        p = compare_proportions(found.value * n1, n1, x0, n0, **options).p_improvement
        assert p == pytest.approx(0.025, rel=1e-5)


@given(st.integers(30, 4000), POLARITIES)
def test_more_events_need_a_smaller_share_of_change(a, polarity):
    few, many = (
        detectable_improvement("crude_rate", numerator=n, denominator=1, polarity=polarity)
        for n in (a, 4 * a)
    )
    assert abs(np.log(many.ratio)) < abs(np.log(few.ratio))


@given(st.integers(1, 299))
def test_the_polarity_mirrors_a_proportion(x):
    up, down = (
        proportion_improvement(x, 300, polarity="higher"),
        proportion_improvement(300 - x, 300, polarity="lower"),
    )
    np.testing.assert_allclose(up.change, -down.change, rtol=1e-9)


@given(st.integers(50, 5000), st.floats(0.55, 0.95))
def test_power_costs_more_than_significance(a, power):
    assert detectable_rates(a, power=power).value <= rates(a).value + 1


def test_a_design_effect_is_fewer_people():
    found = proportion_improvement(160, 200, design_effect=2, polarity="higher")
    assert found.value == pytest.approx(proportion_improvement(80, 100, polarity="higher").value, rel=1e-9)
    assert found.numerator == np.ceil(found.value * 200)


def test_means_are_just_significant():
    found = mean_improvement(
        18.7, 2.5, 42, later_sample_size=60, between_year_variance=0.01, polarity="higher"
    )
    p = compare_means(
        found.value, 2.5, 60, 18.7, 2.5, 42, between_year_variance=0.01, polarity="higher"
    ).p_improvement
    assert p == pytest.approx(0.025, rel=1e-9)


def test_published_values_are_just_significant():
    found = estimate_improvement(
        2000, 1900, 2100, polarity="lower", scale="ratio", between_year_variance=0.001
    )
    p = compare_estimates(
        found.value,
        found.value * 0.95,
        found.value * 1.05,
        2000,
        1900,
        2100,
        scale="ratio",
        between_year_variance=0.001,
        polarity="lower",
    ).p_improvement
    assert p == pytest.approx(0.025, rel=1e-9)


def test_twice_the_people_later():
    # se^2 (1 + n0 / n1) with n1 = 2 n0, by hand
    found = estimate_improvement(60, 56, 64, denominator=400, later_denominator=800, polarity="higher")
    assert found.change == pytest.approx(4 * np.sqrt(1.5), rel=1e-9)


def test_a_target_past_the_possible_is_none():
    found = estimate_improvement([97, 60], [95, 58], [99, 62], within=(0, 100), power=0.8, polarity="higher")
    assert list(found.reason) == ["no target could be significant", ""]
    near = proportion_improvement([199, 200, 0], 200, polarity="higher")
    assert list(near.reason) == ["no target could be significant"] * 2 + [""]
    assert np.isnan(near.ratio[2])


def test_bad_rows_are_missing_with_a_reason():
    found = rate_improvement([np.nan, 0, 5, 500], [1, 1, 0, 1], polarity="lower", dispersion=[1, 1, 1, -1])
    assert list(found.reason) == [
        "the numerator is missing",
        "there were no events at baseline: nothing to improve on",
        "the denominator is zero or below",
        "the dispersion is zero or below",
    ]
    assert np.isnan(found.value).all()
    from_nothing = rate_improvement(0, 1, polarity="higher", power=0.8)
    assert from_nothing.value == pytest.approx((Z + Z_POWER) ** 2, rel=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: minimum_significant_improvement("median", value=1, lower=0, upper=2, polarity="lower"),
        lambda: minimum_significant_improvement("directly_standardised_rate", value=1, polarity="lower"),
        lambda: detectable_improvement("crude_rate", numerator=9, denominator=1, polarity="lower", power=80),
        lambda: rate_improvement(9, 1, polarity="better"),
    ],
)
def test_what_is_not_understood_is_refused(call):
    with pytest.raises(ParameterError):
        call()


REPLICATES = 40_000  # two standard errors of a share of 80 % are 0.4 points


def simulated_power(kind, power, rng):
    """Return how often the comparison is significant if the truth is the improvement found."""
    name, options = kind
    if name == "rate":
        a, dispersion, polarity = options
        target = rate_improvement(a, 1, dispersion=dispersion, polarity=polarity, power=power).value
        later, before = (overdispersed(mean, dispersion, rng) for mean in (target, a))
        found = compare_rates(later, 1, before, 1, dispersion=dispersion, polarity=polarity)
    elif name == "rate with wander":
        a, tau2, polarity = options
        target = rate_improvement(a, 1, between_year_variance=tau2, polarity=polarity, power=power).value
        wander = np.exp(rng.normal(0, np.sqrt(tau2), REPLICATES))
        later, before = rng.poisson(target * wander), rng.poisson(a, REPLICATES)
        found = compare_rates(later, 1, before, 1, between_year_variance=tau2, polarity=polarity)
    elif name == "proportion":
        x, n, polarity = options
        target = proportion_improvement(x, n, polarity=polarity, power=power).value
        later, before = (rng.binomial(n, share, REPLICATES) for share in (target, x / n))
        found = compare_proportions(later, n, before, n, polarity=polarity)
    elif name == "mean":
        n, polarity = options
        target = mean_improvement(18.7, 2.5, n, polarity=polarity, power=power).value
        later, before = (rng.normal(mean, 2.5, (n, REPLICATES)) for mean in (target, 18.7))
        summaries = [f(x) for x in (later, before) for f in (mean_of, deviation_of)]
        found = compare_means(*summaries[:2], n, *summaries[2:], n, polarity=polarity)
    else:
        scale, tau2 = options
        target = estimate_improvement(
            2000, 1900, 2100, scale=scale, between_year_variance=tau2, polarity="lower", power=power
        ).value
        found = compare_published(target, scale, tau2, rng)
    return np.mean(found.p_improvement <= 0.025)


def overdispersed(mean, dispersion, rng):
    if dispersion == 1:
        return rng.poisson(mean, REPLICATES)
    return rng.poisson(rng.gamma(mean / (dispersion - 1), dispersion - 1, REPLICATES))


def mean_of(values):
    return values.mean(axis=0)


def deviation_of(values):
    return values.std(axis=0, ddof=1)


def compare_published(target, scale, tau2, rng):
    if scale == "difference":
        later, before = rng.normal([[target], [2000]], 100 / Z, (2, REPLICATES))
        later = later + rng.normal(0, np.sqrt(tau2), REPLICATES)
        limits = [(value, value - 100, value + 100) for value in (later, before)]
    else:
        error = np.log(2100 / 1900) / (2 * Z)
        later, before = np.exp(rng.normal([[np.log(target)], [np.log(2000)]], error, (2, REPLICATES)))
        later = later * np.exp(rng.normal(0, np.sqrt(tau2), REPLICATES))
        limits = [(value, value * np.exp(-Z * error), value * np.exp(Z * error)) for value in (later, before)]
    return compare_estimates(
        *limits[0], *limits[1], scale=scale, between_year_variance=tau2, polarity="lower"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        ("rate", (100, 1, "lower")),
        ("rate", (400, 1, "higher")),
        ("rate", (1000, 3, "lower")),
        ("rate", (1000, 5, "higher")),
        ("rate with wander", (1000, 0.0025, "lower")),
        ("rate with wander", (279, 0.055, "higher")),
        ("proportion", (48, 60, "lower")),
        ("proportion", (164, 200, "higher")),
        ("proportion", (400, 500, "lower")),
        ("mean", (20, "higher")),
        ("mean", (300, "lower")),
        ("estimate", ("difference", 0.0)),
        ("estimate", ("difference", 2500.0)),
        ("estimate", ("ratio", 0.0)),
        ("estimate", ("ratio", 0.01)),
    ],
)
def test_power_is_what_it_says(kind):
    rng = np.random.default_rng(20140115)
    assert simulated_power(kind, None, rng) == pytest.approx(0.5, abs=0.02)
    assert simulated_power(kind, 0.8, rng) == pytest.approx(0.8, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("a", [20, 30, 50])
def test_power_of_small_counts_is_no_less(a):
    # whole numbers make the power of a small count jump: never much below what was asked for
    rng = np.random.default_rng(20140116)
    for polarity in ("lower", "higher"):
        assert 0.49 < simulated_power(("rate", (a, 1, polarity)), None, rng) < 0.56
        assert 0.79 < simulated_power(("rate", (a, 1, polarity)), 0.8, rng) < 0.83


def test_noncentral_t_power_of_few_degrees_of_freedom():
    # the docstring's 79 % at 8 degrees of freedom and 76 % at 3, by the noncentral t distribution
    for df, expected in ((8, 0.79), (3, 0.76)):
        critical = stats.t.ppf(0.975, df)
        assert stats.nct.sf(critical, df, critical + Z_POWER) == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("tau2", [0.0, 0.01, 0.1, 0.5])
def test_where_no_fall_could_be_significant_by_trying_all_sizes(tau2):
    """A fall to b events has log(a / b) over the root of 1/a + 1/b + tau2, whatever b."""
    counts = np.arange(1.0, 61)
    found = rate_improvement(counts, 1, between_year_variance=tau2, polarity="lower")
    b = counts[:, None] * np.exp(-np.linspace(0.001, 8, 20_000))
    z = np.log(counts[:, None] / b) / np.sqrt(1 / counts[:, None] + 1 / b + tau2)
    assert (found.reason == "").tolist() == (z.max(axis=1) > Z).tolist()
    assert 0 < (found.reason == "").sum() < 60


def test_methods_say_whether_years_were_allowed_for():
    plain = proportion_improvement(80, 100, polarity="higher")
    years_too = proportion_improvement(80, 100, polarity="higher", between_year_variance=0.001)
    assert "between-year variance" not in str(plain.method)
    assert "with between-year variance" in str(years_too.method)
