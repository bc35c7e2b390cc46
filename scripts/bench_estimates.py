"""Measure CPU time and memory of a million estimates, beside statsmodels and a plain loop.

python -m scripts.bench_estimates          every job, each in a process of its own
python -m scripts.bench_estimates NAME     one job
"""

import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy import special

ROOT = Path(__file__).resolve().parents[1]
ROWS, BANDS = 1_000_000, 19
GROUPS = ROWS // BANDS
LEVELS = (0.95, 0.998)
REPEATS = 5
MEBIBYTE = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in kibibytes elsewhere


def counts():
    """A million areas of 100 to 100,000 people, 5 % of them with fewer than 10 events."""
    rng = np.random.default_rng(20140401)
    people = rng.integers(100, 100_000, ROWS).astype(float)
    return rng.binomial(people.astype(int), 0.01 * rng.random(ROWS)).astype(float), people


def bands():
    """52,631 areas of 19 age bands, one band a row."""
    events, people = counts()
    rows = GROUPS * BANDS
    weights = np.tile(np.linspace(7000, 1000, BANDS), GROUPS)
    return events[:rows], people[:rows], weights, np.repeat(np.arange(GROUPS), BANDS)


def z_values():
    return [float(-special.ndtri((1 - level) / 2)) for level in LEVELS]


def byar(x, z):
    return x * (1 - 1 / (9 * x) + z / (3 * math.sqrt(x))) ** 3


def rates():
    from bcfstats.stats.estimates import crude_rate

    events, people = counts()
    return lambda: crude_rate(events, people, confidence_level=LEVELS)


def rates_statsmodels():
    from statsmodels.stats.rates import confint_poisson

    events, people = counts()
    events = np.maximum(events, 1)  # its limits of no events are missing
    return lambda: [confint_poisson(events, people, method="exact-c", alpha=1 - level) for level in LEVELS]


def rates_loop():
    events, people = (column.tolist() for column in counts())
    z_tail = [(z, (1 - level) / 2) for z, level in zip(z_values(), LEVELS, strict=True)]

    def run():
        found = []
        for x, n in zip(events, people, strict=True):
            for z, tail in z_tail:
                if x >= 10:
                    limits = byar(x, -z) / n, byar(x + 1, z) / n
                else:
                    lower = float(special.gammaincinv(x, tail)) if x else 0.0
                    limits = lower / n, float(special.gammainccinv(x + 1, tail)) / n
                found.append((x / n, *limits))
        return found

    return run


def proportions():
    from bcfstats.stats.estimates import proportion

    events, people = counts()
    return lambda: proportion(events, people, confidence_level=LEVELS)


def proportions_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    events, people = counts()
    return lambda: [proportion_confint(events, people, alpha=1 - level, method="wilson") for level in LEVELS]


def proportions_loop():
    events, people = (column.tolist() for column in counts())
    levels = z_values()

    def run():
        found = []
        for x, n in zip(events, people, strict=True):
            for z in levels:
                middle, root = 2 * x + z * z, z * math.sqrt(z * z + 4 * x * (1 - x / n))
                found.append(
                    (x / n, (middle - root) / (2 * (n + z * z)), (middle + root) / (2 * (n + z * z)))
                )
        return found

    return run


def standardised_rates():
    from bcfstats.stats.standardised import directly_standardised_rate

    events, people, weights, groups = bands()
    return lambda: directly_standardised_rate(events, people, weights, groups=groups, confidence_level=LEVELS)


def standardised_rates_loop():
    rows = [column.tolist() for column in bands()]
    levels = z_values()

    def run():
        sums = {}
        for x, n, w, group in zip(*rows, strict=True):
            share = w / n
            area = sums.setdefault(group, [0.0, 0.0, 0.0, 0.0])
            area[0] += x
            area[1] += w
            area[2] += share * x
            area[3] += share * share * x
        found = []
        for total, whole, rate, variance in sums.values():
            value, scale = rate / whole, math.sqrt(variance / total) / whole
            for z in levels:
                lower, upper = byar(total, -z), byar(total + 1, z)
                found.append((value, value + scale * (lower - total), value + scale * (upper - total)))
        return found

    return run


JOBS = [
    ("rates", "1,000,000 crude rates, 95 and 99.8 %", rates),
    ("rates_statsmodels", "… statsmodels `confint_poisson`, exact limits", rates_statsmodels),
    ("rates_loop", "… a loop over rows", rates_loop),
    ("proportions", "1,000,000 proportions, 95 and 99.8 %", proportions),
    ("proportions_statsmodels", "… statsmodels `proportion_confint`", proportions_statsmodels),
    ("proportions_loop", "… a loop over rows", proportions_loop),
    ("standardised", f"{GROUPS:,} standardised rates of {BANDS} bands", standardised_rates),
    ("standardised_loop", "… a loop over rows", standardised_rates_loop),
]


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE


def measured(job):
    """CPU seconds of the quickest of a few runs, memory with the data loaded and at the most."""
    run = job()
    loaded, best = peak(), math.inf
    for _ in range(REPEATS):
        started = time.process_time()
        run()
        best = min(best, time.process_time() - started)
    return {"cpu": best, "loaded": loaded, "peak": peak()}


def main():
    if len(sys.argv) > 1:
        job = {name: job for name, _, job in JOBS}[sys.argv[1]]
        print(json.dumps(measured(job)))
        return
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {machine}\n")
    print("| job | CPU seconds | MiB with the data | MiB at the most |\n|---|---|---|---|")
    for name, title, _ in JOBS:
        command = [sys.executable, "-m", "scripts.bench_estimates", name]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        print(f"| {title} | {found['cpu']:.2f} | {found['loaded']:.0f} | {found['peak']:.0f} |", flush=True)


if __name__ == "__main__":
    main()
