"""Measure CPU time and memory of the panel engine, beside AutoETS where `statsforecast` is installed.

python -m scripts.bench_panel          every job, each in a process of its own
python -m scripts.bench_panel NAME     one job
"""

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
AREAS, METRICS, MONTHS = 152, 15, 60
PRACTICES = 7_000
FIRST, LAST = 4, 12
ETS_AREAS = 40
MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in kibibytes elsewhere


def panel(areas, seed=2014):
    """Counts, days and calendar months like published delayed days, 60 months."""
    from bcfstats.stats.placebo import null_panel

    made = null_panel("delayed days, wandering level", seed, areas=areas, months=MONTHS)
    return made.counts, made.days, made.calendar_month


def engine(known, *, tune):
    """History scale, season and forecast of one panel."""
    from bcfstats.stats.forecast import do_nothing_forecast
    from bcfstats.stats.history import history_scale
    from bcfstats.stats.season import seasonal_indices

    history_scale(*known, window=9)
    seasonal_indices(*known)
    do_nothing_forecast(*known, first=FIRST, last=LAST, target_exposure=known[1][3:12], tune=tune)


def metrics(tune):
    panels = [panel(AREAS, seed) for seed in range(METRICS)]
    return lambda: [engine(known, tune=tune) for known in panels]


def areas(n, tune=True):
    known = panel(n)
    return lambda: engine(known, tune=tune)


def forecast(name):
    """The same forecast of the same series, by us (tuned) or by AutoETS."""
    from bcfstats.stats.backtest import auto_ets
    from bcfstats.stats.forecast import do_nothing_forecast
    from bcfstats.stats.level import MonthlyCounts

    counts, days, month = panel(ETS_AREAS)
    exposure = np.broadcast_to(days, counts.shape)
    if name == "AutoETS":
        return lambda: auto_ets(MonthlyCounts(counts, exposure, month), FIRST, LAST, exposure[:, 3:12])
    return lambda: do_nothing_forecast(
        counts, days, month, first=FIRST, last=LAST, target_exposure=days[3:12], tune=True
    )


JOBS = {
    "152 areas x 15 metrics, fixed": lambda: metrics(False),
    "152 areas x 15 metrics, tuned": lambda: metrics(True),
    "150 areas, tuned": lambda: areas(150),
    "7,000 areas, tuned": lambda: areas(PRACTICES),
    "forecast of 40 areas, tuned": lambda: forecast("ours"),
    "forecast of 40 areas, AutoETS": lambda: forecast("AutoETS"),
}


def measure(name):
    """CPU seconds of one job (the best of up to three) and the memory of its process, as JSON."""
    job = JOBS[name]()
    seconds = []
    while len(seconds) < 3 and sum(seconds) < 30:
        started = time.process_time()
        job()
        seconds.append(time.process_time() - started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    print(json.dumps([min(seconds), memory]))


def main():
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    wanted = [name for name in JOBS if "AutoETS" not in name or importlib.util.find_spec("statsforecast")]
    print("| job | CPU seconds | MiB at most |\n|---|---|---|")
    found = {}
    for name in wanted:
        command = [sys.executable, "-m", "scripts.bench_panel", name]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        result = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        found[name], memory = json.loads(result.stdout.splitlines()[-1])
        print(f"| {name} | {found[name]:.2f} | {memory:.0f} |")
    growth = found["7,000 areas, tuned"] / found["150 areas, tuned"] / (PRACTICES / 150)
    print(f"\nFrom 150 to 7,000 areas the time grows {growth:.2f} times as fast as the areas.")
    if "forecast of 40 areas, AutoETS" in found:
        times = found["forecast of 40 areas, AutoETS"] / found["forecast of 40 areas, tuned"]
        print(f"AutoETS takes {times:.0f} times as long on the same series.")


if __name__ == "__main__":
    main()
