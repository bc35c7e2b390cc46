"""Baseline, trend, seasonality and significance for Better Care Fund metrics.

`import bcfstats as bcf` is quick: each public name is fetched from its room when it is first used. What only
one page or notebook needs is imported from its module: `from bcfstats.show.report import open_report`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    # data
    "read_file": "read.recognise",
    "prepare": "read.prepare",
    "load": "read.data",
    "example_data": "example.data",
    "read_targets": "read.targets",
    "METRICS": "define.metrics",
    "scheme": "define.schemes",
    "find_area": "define.areas",
    # estimates
    "proportion": "stats.estimates",
    "crude_rate": "stats.estimates",
    "directly_standardised_rate": "stats.estimates",
    "standardised_ratio": "stats.estimates",
    "mean": "stats.estimates",
    # comparisons
    "compare_proportions": "stats.comparisons",
    "compare_rates": "stats.comparisons",
    "compare_means": "stats.comparisons",
    "compare_estimates": "stats.comparisons",
    "adjust_p_values": "stats.multiple",
    # improvement
    "minimum_significant_improvement": "stats.improvements",
    "detectable_improvement": "stats.improvements",
    # panel
    "seasonal_indices": "stats.season",
    "seasonality_test": "stats.season",
    "decompose": "stats.season",
    "history_scale": "stats.history",
    "do_nothing_forecast": "stats.forecast",
    "backtest": "stats.backtest",
    # trend
    "trend": "stats.trend",
    "sens_slope": "stats.kendall",
    "mann_kendall": "stats.kendall",
    "recent_trend": "stats.trend",
    # control charts
    "xmr_limits": "stats.control_charts",
    "spc_signals": "stats.control_charts",
    # judgement
    "sound": "judge.screening",
    "baseline": "judge.baseline",
    "assess_ambitions": "judge.ambitions",
    "ambition_ladder": "judge.ladder",
    "national_overview": "judge.national",
    "payment_chances": "judge.risk",
    "screen_local_metric": "judge.plan",
    "outcomes": "judge.payment",
    "payment": "judge.payment",
    # show
    "suppress_small_numbers": "disclose.rules",
    # run
    "run_batch": "run.batch",
}
_MODULES = {"charts": "show.charts.chart", "tables": "show.page"}

__all__ = [*_HOMES, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"bcfstats.{_MODULES[name]}")
    if name in _HOMES:
        return getattr(import_module(f"bcfstats.{_HOMES[name]}"), name)
    raise AttributeError(f"bcfstats has no name '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
