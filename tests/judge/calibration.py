"""Is the tool as sure as it may be? Its rates of error on the example panel, and the bands they must keep.

python -m tests.judge.calibration            the table of docs/reliability.md
python -m tests.judge.calibration SEED...    the same figures on other example panels, without judging them

Nothing else is drawn at random. `tests/judge/test_calibration.py` holds every figure to its band.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bcfstats.example.data import example_data
from bcfstats.judge import outlook_monthly as outlook_months
from bcfstats.judge.validation import LEADS, WINDOWS, Validation, validate_observations
from bcfstats.stats import backtest, placebo
from bcfstats.stats.forecast import METHOD
from bcfstats.stats.placebo import HISTORY
from scripts.placebo_ambitions import one_window, paid, windows

PANELS = {"delayed_transfers": "delayed days", "non_elective_admissions": "emergency admissions"}
FEWEST = 1000  # predictions in a bin of chances that is judged
EVERY = 6  # windows apart, of those in which ambitions are tried: each takes a third of a second
AMBITIONS = ("minimum significant", "detectable")
# Lowest and highest value, in per cent (forecast errors: as MASE); the reasons are in docs/reliability.md.
BANDS = {
    "false alarms": (3.0, 8.5),
    "false falls": (1.0, 4.5),
    "inside 80 % limits": (76.0, 86.0),
    "inside 95 % limits": (91.0, 97.5),
    "chance under 50 % given too low": (-6.0, 3.0),
    "chance over 50 % given too high": (-6.0, 6.5),
    "paid for nothing: minimum significant": (3.0, 12.0),
    "paid for nothing: detectable": (1.0, 6.5),
    "forecast error, from the next month": (0.55, 0.70),
    "forecast error, from three months on": (0.70, 0.88),
}


def figures(seed: int | None = None) -> pd.DataFrame:
    """Lowest and highest value of every guarded figure: over windows, leads or bins, for each panel."""
    observations = (example_data() if seed is None else example_data(seed=seed)).observations
    rows = []
    for metric, name in PANELS.items():
        found = validate_observations(observations, metric)
        assert found is not None
        for figure, values in [*_values(found), *_paid(observations, metric)]:
            if values:  # no tenth of a panel may have enough predictions
                extremes = {"lowest": np.min(values), "highest": np.max(values)}
                rows.append({"figure": figure, "panel": name, **extremes})
    return pd.DataFrame(rows).sort_values("figure", key=lambda f: f.map(list(BANDS).index), kind="stable")


def outside(found: pd.DataFrame) -> list[str]:
    """Name the figures that are outside their band."""
    return [
        f"{row.figure}, {row.panel}: {row.lowest:.3g} to {row.highest:.3g}, not within {low} to {high}"
        for row in found.itertuples()
        for low, high in [BANDS[row.figure]]
        if not (low <= row.lowest and row.highest <= high)
    ]


@contextmanager
def narrower(factor: float) -> Iterator[None]:
    """Make every limit and every usual movement narrower by this factor: what the bands must notice."""
    places = [(backtest, "forecast_from", "log_scale"), (placebo, "history_scale", "scale")]
    places += [
        (outlook_months, "do_nothing_forecast", "log_scale"),
        (outlook_months, "history_scale", "scale"),
    ]
    kept = [getattr(module, name) for module, name, _ in places]
    for (module, name, field), function in zip(places, kept, strict=True):
        setattr(module, name, _sure(function, field, factor))
    try:
        yield
    finally:
        for (module, name, _), function in zip(places, kept, strict=True):
            setattr(module, name, function)


def _sure(function: Callable[..., Any], field: str, factor: float) -> Callable[..., Any]:
    def sure(*given: Any, **options: Any) -> Any:
        made = function(*given, **options)
        return replace(made, **{field: factor * getattr(made, field)})

    return sure


def _paid(observations: pd.DataFrame, metric: str) -> Iterator[tuple[str, list[float]]]:
    """Share of areas paid for ambitions of our own values when nobody had a target, by length of window."""
    rows = observations.loc[observations["metric"] == metric]
    lengths = [
        [one_window(rows, metric, window, 0) for window in windows(rows, metric, n, 0)[::EVERY]]
        for n in WINDOWS
    ]
    frames = [pd.concat(found) for found in lengths]
    for ambition in AMBITIONS:
        yield f"paid for nothing: {ambition}", [100 * float(paid(frame, ambition).mean()) for frame in frames]


def _values(found: Validation) -> Iterator[tuple[str, list[float]]]:
    alarms = found.placebo.loc[found.placebo["national_removed"] & (found.placebo["method"] == HISTORY)]
    means = 100 * alarms.groupby("window")[["two_sided", "falls"]].mean().reindex(WINDOWS)
    yield "false alarms", means["two_sided"].tolist()
    yield "false falls", means["falls"].tolist()
    covered = 100 * found.coverage.groupby(["level", "first", "last"])["covered"].mean()
    for level in (0.8, 0.95):
        yield f"inside {100 * level:.0f} % limits", covered[level].tolist()
    bins = _bins(found.reliability.loc[~found.reliability["england_known"]])
    low = bins["given"] < 0.5
    yield "chance under 50 % given too low", (100 * (bins["happened"] - bins["given"]))[low].tolist()
    yield "chance over 50 % given too high", (100 * (bins["given"] - bins["happened"]))[~low].tolist()
    ours = found.forecast.loc[found.forecast["method"] == METHOD].groupby(["first", "last"])["mase"].mean()
    assert set(ours.index) == set(LEADS)
    yield "forecast error, from the next month", ours[1].tolist()
    yield "forecast error, from three months on", ours[4].tolist()


def _bins(reliability: pd.DataFrame) -> pd.DataFrame:
    """Chances given and what happened, by tenths of all leads together."""
    known = reliability.loc[reliability["predictions"] > 0]
    n = known["predictions"]
    sums = known.assign(given=n * known["given"], happened=n * known["happened"])
    sums = sums.groupby(np.floor(10 * known["given"]))[["given", "happened", "predictions"]].sum()
    sums = sums.loc[sums["predictions"] >= FEWEST]
    return sums.assign(
        given=sums["given"] / sums["predictions"], happened=sums["happened"] / sums["predictions"]
    )


def _table() -> Iterator[str]:
    columns = {}
    for factor in (1.0, 0.9, 0.8):
        with narrower(factor):
            columns[factor] = figures()
    yield "| figure | panel | band | as it is | limits narrower by 10 % | by 20 % |"
    yield "|---|---|---|---|---|---|"
    for place, row in enumerate(columns[1.0].itertuples()):
        low, high = BANDS[row.figure]
        cells = []
        for found in columns.values():
            one = found.iloc[[place]]
            text = f"{one['lowest'].iloc[0]:.3g} to {one['highest'].iloc[0]:.3g}"
            cells.append(f"**{text}**" if outside(one) else text)
        yield f"| {row.figure} | {row.panel} | {low:g} to {high:g} | {' | '.join(cells)} |"


def main(seeds: list[str]) -> None:
    if seeds:
        every = pd.concat([figures(int(seed)) for seed in seeds])
        print(
            every.groupby(["figure", "panel"], sort=False)[["lowest", "highest"]]
            .agg(["min", "max"])
            .to_string()
        )
        return
    print("\n".join(_table()))


if __name__ == "__main__":
    main(sys.argv[1:])
