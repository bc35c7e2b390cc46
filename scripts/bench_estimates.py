"""Measure CPU time and memory of the statistics: a million estimates, and panels of areas by months.

python -m scripts.bench_estimates          every job, each in a process of its own
python -m scripts.bench_estimates NAME     one job

statsmodels stands beside the estimates, AutoETS beside the forecast where `statsforecast` is installed.
"""

import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
ROWS, BANDS = 1_000_000, 19
GROUPS = ROWS // BANDS
LEVELS = (0.95, 0.998)
MONTHS, FIRST, LAST = 60, 4, 12
REPEATS, SECONDS = 5, 30
MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in kibibytes elsewhere


def counts():
    """A million areas of 100 to 100,000 people, 5 % of them with fewer than 10 events."""
    rng = np.random.default_rng(20140401)
    people = rng.integers(100, 100_000, ROWS).astype(float)
    return rng.binomial(people.astype(int), 0.01 * rng.random(ROWS)).astype(float), people


def rates():
    from bcfstats.stats.estimates import crude_rate

    events, people = counts()
    return lambda: crude_rate(events, people, confidence_level=LEVELS)


def rates_statsmodels():
    from statsmodels.stats.rates import confint_poisson

    events, people = counts()
    events = np.maximum(events, 1)  # its limits of no events are missing
    return lambda: [confint_poisson(events, people, method="exact-c", alpha=1 - level) for level in LEVELS]


def proportions():
    from bcfstats.stats.estimates import proportion

    events, people = counts()
    return lambda: proportion(events, people, confidence_level=LEVELS)


def proportions_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    events, people = counts()
    return lambda: [proportion_confint(events, people, alpha=1 - level, method="wilson") for level in LEVELS]


def standardised_rates():
    """52,631 areas of 19 age bands, one band a row."""
    from bcfstats.stats.estimates import directly_standardised_rate

    events, people = (column[: GROUPS * BANDS] for column in counts())
    weights = np.tile(np.linspace(7000, 1000, BANDS), GROUPS)
    groups = np.repeat(np.arange(GROUPS), BANDS)
    return lambda: directly_standardised_rate(events, people, weights, groups=groups, confidence_level=LEVELS)


def panel(areas, seed=2014):
    """Counts, days and calendar months like published delayed days, 60 months."""
    from scripts.nulls import null_panel

    made = null_panel("delayed days, wandering level", seed, areas=areas, months=MONTHS)
    return made.counts, made.days, made.calendar_month


def engine(areas, panels=1, *, tune=True):
    """History scale, season and forecast of so many panels of so many areas."""
    from bcfstats.stats.forecast import do_nothing_forecast
    from bcfstats.stats.history import history_scale
    from bcfstats.stats.season import seasonal_indices

    def run():
        for known in every:
            history_scale(*known, window=9)
            seasonal_indices(*known)
            ahead = known[1][3:12]
            do_nothing_forecast(*known, first=FIRST, last=LAST, target_exposure=ahead, tune=tune)

    every = [panel(areas, seed) for seed in range(panels)]
    return run


def forecast(*, ets):
    """The same forecast of the same 40 series, by AutoETS or by us, tuned."""
    from bcfstats.stats.backtest import auto_ets
    from bcfstats.stats.forecast import do_nothing_forecast
    from bcfstats.stats.level import MonthlyCounts

    known = counted, days, month = panel(40)
    exposure = np.broadcast_to(days, counted.shape)
    if ets:
        return lambda: auto_ets(MonthlyCounts(counted, exposure, month), FIRST, LAST, exposure[:, 3:12])
    return lambda: do_nothing_forecast(*known, first=FIRST, last=LAST, target_exposure=days[3:12], tune=True)


JOBS = {
    "1,000,000 crude rates, 95 and 99.8 %": rates,
    "… statsmodels `confint_poisson`, exact limits": rates_statsmodels,
    "1,000,000 proportions, 95 and 99.8 %": proportions,
    "… statsmodels `proportion_confint`": proportions_statsmodels,
    f"{GROUPS:,} standardised rates of {BANDS} bands": standardised_rates,
    "panels of 152 areas, 15 metrics, fixed": lambda: engine(152, 15, tune=False),
    "panels of 152 areas, 15 metrics, tuned": lambda: engine(152, 15),
    "a panel of 150 areas, tuned": lambda: engine(150),
    "a panel of 7,000 areas, tuned": lambda: engine(7_000),
    "forecast of 40 areas, tuned": lambda: forecast(ets=False),
    "forecast of 40 areas, AutoETS": lambda: forecast(ets=True),
}


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


def measured(job):
    """CPU seconds of the quickest of a few runs, memory with the data loaded and at the most."""
    run, seconds = job(), []
    loaded = peak()
    while len(seconds) < REPEATS and sum(seconds) < SECONDS:
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    return min(seconds), loaded, peak()


def main():
    if len(sys.argv) > 1:
        print(json.dumps(measured(JOBS[sys.argv[1]])))
        return
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {machine}, one thread\n")
    print("| job | CPU seconds | MiB with the data | MiB at the most |\n|---|---|---|---|")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    for name in JOBS:
        if "AutoETS" in name and not importlib.util.find_spec("statsforecast"):
            continue
        command = [sys.executable, "-m", "scripts.bench_estimates", name]
        done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
        cpu, loaded, most = json.loads(done.stdout.splitlines()[-1])
        print(f"| {name} | {cpu:.2f} | {loaded:.0f} | {most:.0f} |", flush=True)


if __name__ == "__main__":
    main()
