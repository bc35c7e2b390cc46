"""A target that is no improvement has no line and no chance, and no chance rises as a target gets harder."""

import numpy as np
import pandas as pd
import pytest

from bcfstats.define.metrics import METRICS
from bcfstats.define.schemes import scheme
from bcfstats.example.data import example_data
from bcfstats.judge.ambitions import assess_against
from bcfstats.judge.ladder import ladder_of
from bcfstats.judge.outlook import NoOutlook, Outlook
from bcfstats.judge.outlooks import Outlooks
from bcfstats.judge.payment import payment
from tests.judge.made_up import an_outlook, targets

CHANCES = ["p_paid_no_change", "p_paid_do_nothing", "p_paid_england_better", "p_paid_england_worse"]
DELIVERED = ["p_paid_if_half_delivered", "p_paid_if_delivered"]
PER_CENT = np.sort(np.r_[np.linspace(-60, 60, 49), -1e-8, 1e-8, -1e-12, 1e-12])
ROUNDING = 1e-12  # of a chance
WINDOWS = {"bcf-2013-12": "2013/14", "bcf-2025-26": "2025/26"}
KINDS = {  # a metric of each kind: by month and by year, counts, shares, ratios, means, surveys, modelled
    "bcf-2013-12": [
        *("delayed_transfers", "avoidable_emergency_admissions", "care_home_admissions", "reablement"),
        *("patient_experience", "care_related_quality_of_life", "dementia_diagnosis", "falls_injuries"),
    ],
    "bcf-2025-26": ["average_discharge_delay", "discharged_on_ready_date", "long_term_care_home_admissions"],
}


@pytest.fixture(scope="module")
def looks():
    """Outlooks of every kind on random series of few areas."""
    made = {}
    for rules in KINDS:
        data = example_data(n_areas=20, scheme=rules)
        made[rules] = Outlooks(data.observations, scheme(rules))
    return made


def held(view: Outlook, against: str, rules: str, area: str) -> pd.DataFrame:
    """Targets of one area from the easiest to the hardest, judged."""
    rows = [
        {"area_code": area, "metric": view.metric.id, "change_percent": x, "against": against}
        for x in PER_CENT[:: int(view.direction)]
    ]
    return assess_against(targets(rows), view.metric, view, scheme(rules))


def check(found: pd.DataFrame, view: Outlook) -> int:
    """Nothing where there is no improvement, and chances that only fall; give how many lines there are."""
    start = found["do_nothing_value"].where(found["against"] == "projected", found["baseline_value"])
    gain = view.direction * (found["target_value"] - start)
    none = ~(gain > 1e-9 * start.abs())
    assert found.loc[none, ["payment_line", *CHANCES, *DELIVERED]].isna().all(axis=None)
    lines = found.loc[found["payment_line"].notna()]
    for name in [*CHANCES, "reach"]:
        told = lines[name].dropna().to_numpy(dtype=float)
        assert np.all(np.diff(told) <= ROUNDING), name
    told = lines[["p_paid_do_nothing", *DELIVERED]].to_numpy(dtype=float)
    assert not np.any(np.diff(told, axis=1) < -ROUNDING)  # what is delivered makes no chance smaller
    if not lines.empty and view.metric.id in METRICS:
        assert set(found.loc[none & (found["against"] == "baseline"), "verdict"]) <= {
            "not_an_improvement",
            "cannot_be_assessed",
        }
    return len(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "name"), [(rules, name) for rules, names in KINDS.items() for name in names]
)
@pytest.mark.parametrize("against", ["baseline", "projected"])
def test_every_kind_on_random_series(looks, rules, name, against):
    metric = METRICS[name]
    view = looks[rules].of(metric, WINDOWS[rules])
    assert not isinstance(view, NoOutlook), view.reason
    n = sum(check(held(view, against, rules, area), view) for area in view.area_codes[:3])
    assert n >= 3 * 5


@pytest.mark.slow
def test_every_kind_of_outlook_drawn_at_random():
    """Numbers of outlooks as they come, also such as no series would give."""
    rng = np.random.default_rng(165)
    lines = 0
    for name in [name for names in KINDS.values() for name in names]:
        metric = METRICS[name]
        for _ in range(6):
            high = min(metric.bounds[1], 2000.0)
            value, expected = rng.uniform(0.02, 0.98, 2) * high
            area, england, usual = rng.uniform(0.01, 0.5, 3) * (1 if metric.kind.per_resident else 0.1 * high)
            scale = "ratio" if metric.kind.per_resident else "difference"
            view = an_outlook(
                name,
                value=np.array([value]),
                expected=np.array([expected]),
                scale=scale,
                area_scale=np.array([area]),
                area_df=np.array([rng.uniform(2, 30)]),
                england_scale=np.array([england * rng.integers(0, 2)]),
                expected_scale=np.array([np.hypot(area, england)]),
                expected_df=np.array([rng.uniform(2, 30)]),
                usual_scale=np.array([usual]),
                usual_df=np.array([rng.uniform(2, 30)]),
                noise_least=np.array([value * (1 + 0.05 * metric.direction)]),
            )
            for against in ("baseline", "projected"):
                lines += check(held(view, against, "bcf-2013-12", "X0"), view)
    assert lines > 1000


@pytest.mark.parametrize("off", [0.0, 1e-12, -1e-12, 1e-6, -1e-6])
@pytest.mark.parametrize("name", ["delayed_transfers", "reablement"])
def test_check_payment_and_ladder_say_alike_what_is_no_improvement(name, off):
    """Targets at the baseline, off it by rounding, and off it by a little."""
    metric, level = METRICS[name], 80.0
    view = an_outlook(name, value=np.array([level]), expected=np.array([level * (1 + off)]))
    value = level * (1 + off)
    row = {"area_code": "X0", "metric": name, "payment": "2015-10", "target_value": value}
    checked = assess_against(targets([row]), metric, view, scheme())
    paid = payment(
        pd.DataFrame([{**row, "baseline_value": level, "outcome_value": level}]), scheme()
    ).metrics.iloc[0]
    rung = ladder_of(view, "2015-10", scheme()).rungs.set_index("rung").loc["trend"]
    improves = off * metric.direction > 1e-9
    assert np.isfinite(checked["payment_line"].iloc[0]) == improves
    assert (checked["verdict"].iloc[0] != "not_an_improvement") == improves
    assert np.isfinite(paid["line"]) == improves
    assert np.isfinite(rung["payment_line"]) == improves
    assert np.isfinite(rung["p_paid_do_nothing"]) == improves
