"""Faults put into the example data on purpose, of the kinds that published files have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bcfstats.read.example_series import RECIPE, stream

NUMBERS = ["numerator", "denominator", "value", "lower_ci", "upper_ci"]


def with_faults(table: pd.DataFrame, areas: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Put the faults of `example.toml` in, each in areas of its own; the tiny last area gets none."""
    left = list(areas["area_code"].to_numpy()[stream(seed, "faults").permutation(len(areas) - 1)])
    for fault in RECIPE["faults"]:
        hit = left[: fault["areas"]]
        left = left[fault["areas"] :]
        rows = table["metric"].eq(fault["metric"]) & table["area_code"].isin(hit)
        rows &= table["period_start"].ge(pd.Timestamp(fault["start"]))
        rows &= table["period_end"].le(pd.Timestamp(fault["end"]))
        table = _FAULTS[fault["what"]](table, rows, fault)
    return table


def _absent(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    return table[~rows].reset_index(drop=True)


def _scaled(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, "numerator"] = np.round(table.loc[rows, "numerator"] * fault["factor"])
    return table


def _rounded(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, "numerator"] = 5 * np.round(table.loc[rows, "numerator"] / 5)
    table.loc[rows, ["status", "status_note"]] = ["rounded", fault["about"]]
    return table


def _not_available(table: pd.DataFrame, rows: pd.Series, fault: dict[str, Any]) -> pd.DataFrame:
    table.loc[rows, NUMBERS] = np.nan
    table.loc[rows, ["status", "status_note"]] = ["not_available", fault["about"]]
    return table


_FAULTS = {"absent": _absent, "scaled": _scaled, "rounded": _rounded, "not_available": _not_available}


def with_suppression(table: pd.DataFrame) -> pd.DataFrame:
    """Hide counts of 1 to 5 people, as publishers of hospital and social care statistics do."""
    rule = RECIPE["suppression"]
    small = table["numerator"].between(1, rule["largest"]) & ~table["metric"].isin(rule["not_people"])
    table.loc[small, ["numerator", "value", "lower_ci", "upper_ci"]] = np.nan
    table.loc[small, ["status", "status_note"]] = ["suppressed", rule["about"]]
    return table
