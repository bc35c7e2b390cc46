"""Findings and verdicts counted by metric and by region: what is counted, in which words and colours."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from bcfstats.define.metrics import Metric
from bcfstats.define.periods import Period
from bcfstats.judge.national import NO_REGION
from bcfstats.judge.results import LATEST, NOT_COMPARED
from bcfstats.judge.verdicts import VERDICTS
from bcfstats.words import number

CASES = ["area_code", "region", "metric", "payment", "category", "against", "baseline_period", "period"]
ALL_AREAS = "All areas"
LOCAL = "Metrics of the local menu"


@dataclass(frozen=True)
class Category:
    """One answer of several.

    Attributes
    ----------
    name : str
        As the results have it.
    words, meaning : str
        The answer as it is read inside a sentence; the answer and what it means, as a sentence of its own.
    colour, ink, mark : str
        Colour of a tile; colour and outline (SVG path) of the mark on it.
    """

    name: str
    words: str
    meaning: str
    colour: str
    ink: str
    mark: str


@dataclass(frozen=True)
class Kind:
    """What is counted: findings on the past, or verdicts on proposed targets.

    Attributes
    ----------
    id : str
        "finding" or "verdict".
    categories : tuple of Category
        All answers there are, in the order they are shown in.
    nothing : str
        Name of the answer that says nothing.
    headline : tuple of str
        Names of the answers to be told first.
    """

    id: str
    categories: tuple[Category, ...]
    nothing: str
    headline: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the categories, in order."""
        return [category.name for category in self.categories]


@cache
def kind(name: str) -> Kind:
    """Give the kind called "finding" or "verdict"."""
    found = tomllib.loads(Path(__file__).with_name("tallies.toml").read_text(encoding="utf-8"))[name]
    told = {verdict: asdict(words) for verdict, words in VERDICTS.items()}
    categories = (
        Category(**{"words": entry["name"], **told.get(entry["name"], {}), **entry})
        for entry in found["category"]
    )
    return Kind(name, tuple(categories), found["nothing"], tuple(found["headline"]))


def findings(windows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Choose the comparisons to count: the clearest there are of each metric.

    It answers: of each metric, what came of the payment windows, or of the latest year where no area's
    payment windows could be compared?

    Parameters
    ----------
    windows : DataFrame
        Of the results: one row per area, metric and payment.
    areas : DataFrame
        With `area_code` and `region`.

    Returns
    -------
    DataFrame
        One row per area and comparison, in the columns of `CASES`.
    """
    if windows.empty:
        return pd.DataFrame(columns=CASES)
    rows = pd.concat([_clearest(rows) for _, rows in windows.groupby("metric", sort=False)])
    named = {"finding": "category", "finding_against": "against", "outcome_period": "period"}
    return _with_region(rows.rename(columns=named), areas)


def _clearest(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep of one metric the payments that could be compared, or else its latest year."""
    paid = rows["payment"] != LATEST
    compared = rows["finding"].ne(NOT_COMPARED).groupby(rows["payment"]).transform("any")
    if (paid & compared).any():
        return rows.loc[paid & compared]
    return rows if paid.all() else rows.loc[~paid]


def verdicts(assessments: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """Lay out the verdicts on proposed targets as cases to count, one row a target."""
    named = {"verdict": "category", "target_period": "period"}
    return _with_region(assessments.drop(columns="against", errors="ignore").rename(columns=named), areas)


def _with_region(rows: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    region = areas.drop_duplicates("area_code").set_index("area_code")["region"]
    told = rows["area_code"].map(region).fillna("").replace("", NO_REGION)
    return rows.assign(region=told).reindex(columns=CASES).reset_index(drop=True)


def in_order(cases: pd.DataFrame, metrics: Iterable[str]) -> pd.DataFrame:
    """Sort cases by metric, in the order given, then by payment as time goes by, the latest year last."""
    place = {name: at for at, name in enumerate(metrics)}
    starts = {name: "9" if name == LATEST else str(Period.parse(name)) for name in cases["payment"].unique()}
    keys = pd.DataFrame({"metric": cases["metric"].map(place), "payment": cases["payment"].map(starts)})
    return cases.loc[keys.sort_values(["metric", "payment"], kind="stable").index]


def count(cases: pd.DataFrame, by: Sequence[str], of: Kind) -> pd.DataFrame:
    """Count the cases of each category.

    Parameters
    ----------
    cases : DataFrame
        From `findings` or `verdicts`.
    by : sequence of str
        Columns whose values are counted apart.
    of : Kind

    Returns
    -------
    DataFrame
        One row per value of `by`, in the order of the cases; one column per category of the kind.

    Examples
    --------
    >>> cases = pd.DataFrame({"region": ["Kent"] * 3, "category": ["better", "worse", "better"]})
    >>> count(cases, ["region"], kind("finding")).loc["Kent"].tolist()
    [2, 0, 1, 0]
    """
    sizes = cases.groupby([*by, "category"]).size().unstack(fill_value=0)
    seen = cases[list(by)].drop_duplicates()
    rows = pd.MultiIndex.from_frame(seen) if len(by) > 1 else pd.Index(seen[by[0]])
    return sizes.reindex(index=rows, columns=of.names, fill_value=0)


def told(counts: "pd.Series[int]") -> str:
    """Write counts of categories in a line, none of them empty.

    Examples
    --------
    >>> told(pd.Series({"better": 3, "no clear change": 0, "within_noise": 1200}))
    '3 better, 1,200 within noise'
    """
    words = {verdict: told.words for verdict, told in VERDICTS.items()}
    return ", ".join(f"{number(n)} {words.get(str(name), name)}" for name, n in counts.items() if n)


def comparison(metric: Metric, payment: str) -> str:
    """Name a metric and what it is compared or judged for.

    Examples
    --------
    >>> from bcfstats.define.metrics import METRICS
    >>> comparison(METRICS["delayed_transfers"], "2015-04"), comparison(METRICS["reablement"], "latest")
    ('Delayed transfers of care, April 2015 payment', 'Still at home after reablement, latest year')
    """
    return f"{metric.short_name}, {payment_words(payment)}"


def payment_words(payment: str) -> str:
    """Name a payment, or the latest year."""
    return "latest year" if payment == LATEST else f"{Period.parse(payment).label} payment"
