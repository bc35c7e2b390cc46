"""Small numbers: the rules as data, which one a figure is under, and what totals would give away."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bcfstats.define.datafiles import read_toml
from bcfstats.define.metrics import Metric
from bcfstats.errors import ParameterError
from bcfstats.read.data import Data
from bcfstats.read.formats.plain import KIND as OWN_TABLE

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = "none"
SUPPRESSED = "suppressed"
NUMBERS = ("numerator", "value", "lower", "upper", "lower_ci", "upper_ci")


@dataclass(frozen=True)
class Rule:
    """Which counts are hidden."""

    id: str
    largest: int
    round_to: int
    what: str
    source: str
    unconfirmed: str

    @property
    def note(self) -> str:
        """The note of a figure that is hidden: the same for a small one and for one hidden with it."""
        return f"small-number rule {self.id} hides it: a small count, or one that would give one away"


def rule(setting: str | Mapping[str, Any]) -> Rule:
    """Find the rule that a setting names."""
    local = re.fullmatch(r"threshold ?= ?(\d{1,9})", setting) if isinstance(setting, str) else None
    largest = int(local[1]) if local else setting.get("threshold") if isinstance(setting, Mapping) else None
    if isinstance(largest, int) and not isinstance(largest, bool) and largest >= 1:
        what = f"counts of 1 to {largest} suppressed, with secondary suppression"
        return Rule(f"threshold {largest}", largest, 0, what, "local policy", "")
    rules = _file()["rules"]
    if not isinstance(setting, str) or setting not in rules:
        raise ParameterError(
            "This is not a rule for small numbers.",
            found=repr(setting),
            do=f"Rules are {', '.join(rules)}, and threshold=N for a policy of your own.",
        )
    return Rule(setting, **rules[setting])


def rules_of(data: Data, setting: str | Mapping[str, Any] | None = None) -> pd.Series[Any]:
    """Find the rule of each observation: published figures stay, a rule that is set is for all others."""
    defaults = _file()["defaults"]
    if setting:
        by_metric = dict.fromkeys(data.observations["metric"].unique(), rule(setting))
    else:
        usual = defaults["example" if data.is_example else "own"]
        by_metric = {
            name: rule(NONE if data.is_example else defaults["metrics"].get(name, usual))
            for name in data.observations["metric"].unique()
        }
    of_row = data.observations["metric"].map(by_metric).astype(object)
    return of_row.mask(are_published(data), rule(defaults["published"]))


def small(table: pd.DataFrame, metric: Metric, largest: int) -> Flags:
    """Find the rows with a small count, given or worked back: numerator, denominator, or those between."""
    numerator, denominator, value = (
        table[name].to_numpy(dtype=float) for name in ("numerator", "denominator", "value")
    )
    if metric.kind.gives_numerator_away:
        implied = value * denominator / metric.multiplier
        numerator = np.where(np.isfinite(numerator), numerator, implied)
    hidden = _few(numerator, largest) & metric.kind.counts_events
    if metric.kind.counts_people:
        hidden = hidden | _few(denominator, largest)
    if metric.kind.is_counted_share:
        hidden = hidden | _few(denominator - numerator, largest)
    if metric.kind.gives_numerator_away:
        hidden = hidden | (np.isfinite(value) & ~np.isfinite(numerator))
    return np.asarray(hidden & (largest > 0), dtype=bool)


def blanked(table: pd.DataFrame, hidden: Flags, metric: Metric, why: Rule) -> pd.DataFrame:
    """Take the numbers of the hidden rows away and say so; round the others if the rule does."""
    people = metric.kind.counts_people
    frame = rounded(table, ["numerator", *(["denominator"] if people else [])], why)
    gone = [name for name in (*NUMBERS, *(["denominator"] if people else [])) if name in frame]
    frame.loc[hidden, gone] = np.nan
    for name, instead in (("status", SUPPRESSED), ("status_note", why.note), ("method", "")):
        if name in frame:
            frame[name] = frame[name].mask(hidden, instead)
    if why.round_to and "status" in frame:
        frame["status"] = frame["status"].mask((frame["status"] == "ok").to_numpy() & ~hidden, "rounded")
    return frame


def rounded(table: pd.DataFrame, names: Sequence[str], why: Rule) -> pd.DataFrame:
    """Round these columns to the rule's multiple, halves upwards; nothing where it does not round."""
    if not why.round_to:
        return table.copy()
    to = why.round_to
    return table.assign(**{name: to * np.floor(table[name].astype(float) / to + 0.5) for name in names})


def suppress_small_numbers(
    table: pd.DataFrame,
    setting: str | Mapping[str, Any] = "hes-2018",
    *,
    metric: Metric | str,
    totals: Sequence[str] = (),
) -> pd.DataFrame:
    """Take the small numbers out of a table of one metric, and what would give them away.

    It answers: what of this table may be shown?

    Parameters
    ----------
    table : DataFrame
        One row per area and period, with `area_code`, `numerator`, `denominator` and `value`, and any of
        `lower`, `upper`, `status`, `status_note`.
    setting : str or mapping
        "hes-2014", "hes-2018", "none", "threshold=5" or `{"threshold": 5}`.
    metric : Metric or str
        What the table holds: it says whether the denominator counts people.
    totals : sequence of str
        Columns that name the rows whose total a reader knows, such as `["region", "period_start"]`. Where a
        hidden count could be worked back from such a total, rows with the smallest denominators go too.

    Returns
    -------
    DataFrame
        A copy. Value and interval of a hidden count are gone with it.

    Raises
    ------
    ParameterError
        If the rule or metric is not known.

    Notes
    -----
    **Method.** The primary rule is the publisher's. Secondary suppression chooses by denominator and not by
    count, so that the choice itself tells nothing, until any hidden small count could have been anything
    from 1 to the rule's largest, for all the total says.

    **When not to use.** Before a calculation: what is computed from rounded or missing counts is another
    figure. Rates stay those of the unrounded counts, so a count above the rule's largest can be worked back
    from a rate and a known population.

    Examples
    --------
    >>> rows = pd.DataFrame({"area_code": ["A", "B", "C"], "numerator": [3.0, 40.0, 52.0],
    ...     "denominator": [900.0, 8000.0, 9000.0], "value": [333.3, 500.0, 577.8]})
    >>> suppress_small_numbers(rows, "hes-2018", metric="care_home_admissions")["numerator"].tolist()
    [nan, 40.0, 50.0]
    >>> suppress_small_numbers(rows.assign(all="England"), "hes-2014", metric="care_home_admissions",
    ...     totals=["all"])["numerator"].tolist()
    [nan, nan, 52.0]
    """
    from bcfstats.define.metrics import get_metric

    why = rule(setting)
    of = metric if isinstance(metric, Metric) else get_metric(metric)
    frame = table.reset_index(drop=True)
    hidden = small(frame, of, why.largest)
    if totals:
        counts, sizes = (frame[name].to_numpy(dtype=float) for name in ("numerator", "denominator"))
        groups = frame.groupby(list(totals), dropna=False, sort=False).ngroup().to_numpy()
        hidden = hide_with(counts[:, None], hidden[:, None], groups, sizes, why.largest)[:, 0]
    shown = blanked(frame, hidden, of, why)
    shown.index = table.index
    return shown


def _few(counts: Floats, largest: int) -> Flags:
    """Counts that are more than none and, to the nearest whole, at most the largest that is hidden."""
    return np.asarray((counts > 1e-9) & (counts < largest + 0.5))


def are_published(data: Data) -> Flags:
    """Say of each observation whether it was read from a published file of a known format."""
    files = {
        Path(str(entry["file"])).name
        for entry in data.manifest.get("files", ())
        if entry.get("kind", OWN_TABLE) != OWN_TABLE and not entry["kind"].startswith("the same file")
    }
    sources = data.observations["source"].fillna("").astype(str)
    begins = tuple(f"{name}{end}" for name in files for end in (", ", "; ", " ["))
    published = {text: text in files or text.startswith(begins) for text in sources.unique()}
    return np.asarray(sources.map(published), dtype=bool)


def hide_with(
    counts: Floats,
    hidden: Flags,
    groups: NDArray[np.int64],
    sizes: Floats,
    largest: int,
    *,
    whole: bool = False,
) -> Flags:
    """Hide more areas until the totals of their groups give no hidden small count away."""
    flags = hidden.copy()
    order = np.argsort(np.where(np.isfinite(sizes), sizes, np.inf), kind="stable")
    for group in np.unique(groups[hidden.any(axis=1)]):
        for candidate in order[groups[order] == group]:
            needed = _given_away(counts[groups == group], flags[groups == group], largest)
            useful = needed & ~flags[candidate] & (counts[candidate] > 0)
            if useful.any():
                flags[candidate] |= np.isfinite(counts[candidate]) if whole else useful
    return flags


def _given_away(counts: Floats, hidden: Flags, largest: int) -> Flags:
    """Find the periods whose total tells of a hidden count: it stands alone, or the hidden sum is too low."""
    many = (hidden & (counts != 0)).sum(axis=0)
    together = np.where(hidden, np.nan_to_num(counts), 0).sum(axis=0)
    few = (hidden & (counts > 0) & (counts < largest + 0.5)).any(axis=0)
    return np.asarray(hidden.any(axis=0) & ((many == 1) | (few & (together < largest + many - 1))))


def totals_to_keep(
    counts: Floats, windows: Sequence[NDArray[np.int64]], largest: int, first: Sequence[int]
) -> list[int]:
    """Choose the totals over hidden months to show: none small, every small month left free to be any."""
    sums = [float(np.nansum(counts[window])) for window in windows]
    large = [i for i, total in enumerate(sums) if total < 0.5 or total > largest + 0.5]
    for kept in (large, [i for i in large if i not in first]):
        if kept and not _tells(counts, [windows[i] for i in kept], largest):
            return kept
    return []


def _tells(counts: Floats, windows: Sequence[NDArray[np.int64]], largest: int) -> bool:
    """Say whether totals over months pin a small month down, or add up to a small total."""
    from scipy.optimize import linprog

    inside = np.array([np.isin(np.arange(len(counts)), window) for window in windows], dtype=float)
    kinds, kind_of = np.unique(inside, axis=1, return_inverse=True)
    kind_of = kind_of.ravel()  # numpy 2.0.0 gives it another shape
    sums = np.bincount(kind_of, np.nan_to_num(counts), kinds.shape[1])
    for kind in np.unique(kind_of[(counts > 0) & (counts < largest + 0.5) & inside.any(axis=0)]):
        aim = np.where(np.arange(len(sums)) == kind, 1.0, 0.0)
        least, most = (
            sign * linprog(sign * aim, A_eq=kinds, b_eq=kinds @ sums, bounds=(0, None)).fun
            for sign in (1, -1)
        )
        alone = int(((kind_of == kind) & np.isfinite(counts)).sum()) == 1
        if most < largest + 0.5 * (not alone) - 1e-6 or (alone and least > 1 + 1e-6):
            return True
    return False


@cache
def _file() -> Any:
    return read_toml(Path(__file__).parent / "rules.toml")
